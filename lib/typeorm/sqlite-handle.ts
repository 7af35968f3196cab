import type { DataSource, DataSourceOptions } from 'typeorm';

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
  all(...parameters: unknown[]): Record<string, unknown>[];
  run(...parameters: unknown[]): { readonly changes: number };
}

/** The one connection that a data source of the type `better-sqlite3` has; undefined while it is not initialised. */
export function sqliteHandle(dataSource: DataSource): SqliteHandle | undefined {
  const { driver, isInitialized } = dataSource;
  if (!isInitialized) return undefined;
  return Reflect.get(driver, 'databaseConnection') as SqliteHandle;
}

/** True while a transaction is open on the connection of a data source, by SQLite's own account. */
export function isInTransaction(dataSource: DataSource): boolean {
  return sqliteHandle(dataSource)?.inTransaction === true;
}

const statements = new WeakMap<SqliteHandle, Map<string, PreparedStatement>>();

/** Prepares a statement, once for each connection. */
export function prepare(handle: SqliteHandle, sql: string): PreparedStatement {
  let prepared = statements.get(handle);
  if (prepared === undefined) statements.set(handle, (prepared = new Map()));
  let statement = prepared.get(sql);
  if (statement === undefined) prepared.set(sql, (statement = handle.prepare(sql)));
  return statement;
}

/** True when each connection would have a database of its own. */
export function isInMemory(options: DataSourceOptions): boolean {
  const database: unknown = options.database;
  // The empty name is a private temporary file, a Buffer is a copy.
  return (
    typeof database !== 'string' ||
    database === '' ||
    database.includes(':memory:') ||
    database.includes('mode=memory')
  );
}

/** True when another connection holds the lock that a statement needs. */
export function isLocked(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^SQLITE_(BUSY|LOCKED)/.test(code);
}
