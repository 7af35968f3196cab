import type { DataSource } from 'typeorm';
import type { SqliteHandle } from '../database/sqlite/sqlite-handle.js';

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
