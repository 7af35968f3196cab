import type { ObjectLiteral, QueryBuilder, QueryRunner, DataSource } from 'typeorm';
import type { SqliteHandle } from '../database/sql-driver.js';

/**
 * The connection that a query builder was given; undefined when it takes one from the pool. TypeORM has a method that sets
 * it, and none that tells it.
 */
export function queryRunnerOf(builder: QueryBuilder<ObjectLiteral>): QueryRunner | undefined {
  return Reflect.get(builder, 'queryRunner') as QueryRunner | undefined;
}

/** The one connection of a data source of the type `better-sqlite3`; undefined while it is not initialised. */
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

/** A query runner of better-sqlite3, with the members that TypeORM does not publish. */
export type SqliteRunner = Omit<QueryRunner, 'isTransactionActive' | 'broadcaster'> & {
  isTransactionActive: boolean;
  transactionDepth: number;
  readonly broadcaster: { broadcast(event: 'AfterTransactionRollback'): Promise<void> };
};
