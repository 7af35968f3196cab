/** The part of a client of `pg`'s pool that is used. */
export interface PgClient {
  /** Of the server's process, as the connection was told when it was opened. */
  readonly processID?: number | null;
  query(
    statement:
      | string
      | { readonly text: string; readonly name?: string; readonly values: readonly unknown[] },
  ): Promise<{ readonly rows: readonly unknown[]; readonly rowCount: number | null }>;
  /** @param destroy true: closes the connection instead of giving it back */
  release(destroy?: boolean): void;
  on(event: 'error', listener: () => void): unknown;
  off(event: 'error', listener: () => void): unknown;
}

/** The part of `pg`'s `Pool` that is used. */
export interface PgPool {
  connect(): Promise<PgClient>;
  on(event: 'acquire' | 'remove', listener: (client: PgClient) => void): unknown;
  off(event: 'acquire' | 'remove', listener: (client: PgClient) => void): unknown;
}

/** The part of a connection of `mysql2`'s pool that is used. */
export interface MysqlConnection {
  query(
    statement: { readonly sql: string },
    values: unknown[],
    done: (error: Error | null, result: unknown) => void,
  ): unknown;
  /** Gives the connection back. */
  release(): void;
  /** Closes the connection, without a word to the server. */
  destroy(): void;
}

/** A statement whose answer has the usual form, whatever the settings of the application's pool. */
export function plainMysqlStatement(sql: string): { readonly sql: string } {
  return Object.assign({ sql }, { rowsAsArray: false, nestTables: false, typeCast: true });
}

/** The part of `mysql2`'s pool that is used; of `mysql2/promise` the property `pool` is one. */
export interface MysqlPool {
  getConnection(done: (error: Error | null, connection: MysqlConnection) => void): unknown;
}

/** The part of a `Database` of `better-sqlite3` that is used: one connection. */
export interface SqliteHandle {
  /** The file, as it was opened. */
  readonly name: string;
  readonly open: boolean;
  /** True for a database of this connection alone. */
  readonly memory: boolean;
  /** True while a transaction is open, by SQLite's own account. */
  readonly inTransaction: boolean;
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

/** The part of a `Statement` of `better-sqlite3` that is used. */
export interface SqliteStatement {
  /** True for one that answers rows. */
  readonly reader: boolean;
  /** False: whole numbers are read as numbers. The default is a setting of the connection. */
  safeIntegers(areBigInts: boolean): this;
  all(...parameters: unknown[]): unknown[];
  run(...parameters: unknown[]): { readonly changes: number };
}

/** The driver below a client. Structural: an application needs one of them alone. */
export type SqlDriver =
  | { readonly kind: 'pg'; readonly pool: PgPool }
  | { readonly kind: 'mysql2'; readonly pool: MysqlPool }
  | { readonly kind: 'better-sqlite3'; readonly handle: SqliteHandle };
