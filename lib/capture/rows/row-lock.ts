import type { DataSource, ObjectLiteral, SelectQueryBuilder } from 'typeorm';

const MYSQL = new Set(['mysql', 'mariadb', 'aurora-mysql']);
const POSTGRES = new Set(['postgres', 'aurora-postgres', 'cockroachdb']);

/** Tells whether a data source is MySQL or one of its kin. */
export function isMySql({ options }: DataSource): boolean {
  return MYSQL.has(options.type);
}

/** Tells whether a data source is PostgreSQL or one of its kin. */
export function isPostgres({ options }: DataSource): boolean {
  return POSTGRES.has(options.type);
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
  } else if (isMySql(dataSource) || dataSource.options.type === 'mssql') {
    query.setLock('pessimistic_write');
  }
}
