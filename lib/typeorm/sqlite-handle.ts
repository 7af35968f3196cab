import type { DataSource } from 'typeorm';
import type { SqliteHandle } from '../database/sql-driver.js';

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

/**
 * True when each connection would have a database of its own.
 *
 * @param database the option of the data source
 */
export function isInMemory(database: unknown): boolean {
  // The empty name is a private temporary file, a Buffer is a copy.
  return (
    typeof database !== 'string' ||
    database === '' ||
    database.includes(':memory:') ||
    database.includes('mode=memory')
  );
}
