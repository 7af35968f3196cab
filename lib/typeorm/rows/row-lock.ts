import type { DataSource, EntityManager, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';

/** Tells whether a data source is MariaDB or MySQL. */
export function isMySql({ options: { type } }: DataSource): boolean {
  return type === 'mysql' || type === 'mariadb';
}

/** Tells whether a data source is PostgreSQL. */
export function isPostgres({ options: { type } }: DataSource): boolean {
  return type === 'postgres';
}

/** Tells whether a read can lock rows. */
export function hasRowLocks(dataSource: DataSource): boolean {
  return isPostgres(dataSource) || isMySql(dataSource);
}

/** Keeps other transactions from writing the rows that a query reads; SQLite lets only one write anyway. */
export function lock(
  query: SelectQueryBuilder<ObjectLiteral>,
  dataSource: DataSource,
  keepsKeys: boolean,
): void {
  if (isPostgres(dataSource)) {
    // Rows of other tables that refer to these may go on to be inserted.
    query.setLock(keepsKeys ? 'for_no_key_update' : 'pessimistic_write');
  } else if (hasRowLocks(dataSource)) {
    query.setLock('pessimistic_write');
  }
}

/**
 * Locks the rows that a query reads because a save is about to write them. Does nothing outside of a transaction: a
 * save may have none.
 */
export function lockWritten(
  query: SelectQueryBuilder<ObjectLiteral>,
  manager: EntityManager,
  keepsKeys: boolean,
): void {
  if (manager.queryRunner?.isTransactionActive === true) {
    lock(query, dataSourceOf(manager), keepsKeys);
  }
}

/** Locks the rows that a query reads because they are about to be removed, if there is a transaction. */
export function lockRemoved(
  query: SelectQueryBuilder<ObjectLiteral>,
  manager: EntityManager,
): SelectQueryBuilder<ObjectLiteral> {
  lockWritten(query, manager, false);
  return query;
}
