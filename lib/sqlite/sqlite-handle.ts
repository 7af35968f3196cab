import type { DataSource } from 'typeorm';

/** The connection of better-sqlite3, as far as the library uses it. */
export interface SqliteHandle {
  /** True while a transaction is open, by SQLite's own account. */
  readonly inTransaction: boolean;
  exec(sql: string): unknown;
  prepare(sql: string): PreparedStatement;
}

/** A statement of better-sqlite3. */
export interface PreparedStatement {
  readonly reader: boolean;
  /** True when it writes nothing. */
  readonly readonly: boolean;
  all(...parameters: unknown[]): Record<string, unknown>[];
  run(...parameters: unknown[]): { readonly changes: number };
}

/** The one connection that a data source of the type `better-sqlite3` has; undefined while it is not initialised. */
export function sqliteHandle(dataSource: DataSource): SqliteHandle | undefined {
  const { driver, isInitialized } = dataSource;
  if (!isInitialized) return undefined;
  return Reflect.get(driver, 'databaseConnection') as SqliteHandle;
}
