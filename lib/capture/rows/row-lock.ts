import type {
  DataSource,
  EntityManager,
  EntityMetadata,
  ObjectLiteral,
  QueryRunner,
  SelectQueryBuilder,
} from 'typeorm';
import { dataSourceOf, isInTransaction } from '../../common/typeorm-compat.js';

const ROW = 'thorn_row';
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
  if (query.expressionMap.lockMode !== undefined) admitLock(query);
}

/** TypeORM refuses locks in a transaction that it has not begun. */
function admitLock(query: SelectQueryBuilder<ObjectLiteral>): void {
  const queryRunner = Reflect.get(query, 'queryRunner') as QueryRunner | undefined;
  if (queryRunner?.isTransactionActive !== false || !isInTransaction(queryRunner)) return;
  const active = Object.create(queryRunner, { isTransactionActive: { value: true } });
  query.setQueryRunner(active as QueryRunner);
}

/** Locks what a query reads of rows that a save is about to write. Not outside of a transaction: a save may do without. */
export function lockWritten(
  query: SelectQueryBuilder<ObjectLiteral>,
  manager: EntityManager,
  keepsKeys: boolean,
): void {
  if (isInTransaction(manager.queryRunner)) lock(query, dataSourceOf(manager), keepsKeys);
}

/** Locks what a query reads of rows that are about to be removed, where there is a transaction. */
export function lockRemoved(
  query: SelectQueryBuilder<ObjectLiteral>,
  manager: EntityManager,
): SelectQueryBuilder<ObjectLiteral> {
  lockWritten(query, manager, false);
  return query;
}

/**
 * Locks rows that are about to be written, so that no other transaction writes them meanwhile.
 *
 * @param keepsKeys false: nor makes rows refer to them. Default false
 */
export async function lockRows(
  manager: EntityManager,
  metadata: EntityMetadata,
  rows: readonly ObjectLiteral[],
  keepsKeys = false,
): Promise<void> {
  const query = manager.createQueryBuilder<ObjectLiteral>(metadata.target, ROW);
  lockWritten(query, manager, keepsKeys);
  // SQLite has no such locks.
  if (query.expressionMap.lockMode === undefined) return;
  query.select(metadata.primaryColumns.map(({ propertyPath }) => `${ROW}.${propertyPath}`));
  const ids = rows.map((row) => metadata.getEntityIdMap(row)!);
  await query.withDeleted().whereInIds(ids).getRawMany();
}
