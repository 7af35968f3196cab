import { type DataSource, QueryFailedError, type QueryRunner } from 'typeorm';
import { prepare, type SqliteHandle } from './sqlite-handle.js';

/**
 * Begins or commits a transaction, and tells the logger. TypeORM takes longer than SQLite for it, to tell subscribers of
 * a statement: for saves that have none.
 *
 * @throws QueryFailedError (rejects)
 */
export async function runControl(
  { logger, options }: DataSource,
  handle: SqliteHandle,
  queryRunner: QueryRunner,
  sql: 'BEGIN TRANSACTION' | 'COMMIT',
): Promise<void> {
  logger.logQuery(sql, [], queryRunner);
  const startedAt = Date.now();
  try {
    prepare(handle, sql).run();
  } catch (error) {
    logger.logQueryError(error as Error, sql, [], queryRunner);
    throw new QueryFailedError(sql, [], error as Error);
  }
  const { maxQueryExecutionTime: limit } = options;
  const took = Date.now() - startedAt;
  if (limit && took > limit) logger.logQuerySlow(took, sql, [], queryRunner);
}
