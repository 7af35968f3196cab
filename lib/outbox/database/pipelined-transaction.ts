import { type EntityManager, QueryFailedError, type QueryRunner } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import type { Row } from './outbox-database.js';

/** A connection of pg. With its option `pipeline` it sends a statement before the one before it is answered. */
interface Connection {
  readonly pipeline?: boolean;
  query(sql: string, parameters?: unknown[]): Promise<{ readonly rows: readonly Row[] }>;
}

/** The parts of TypeORM's query runner for PostgreSQL that its types do not show. */
interface Runner {
  readonly databaseConnection?: Connection;
  readonly transactionDepth?: number;
  query: (sql: string, ...rest: unknown[]) => Promise<unknown>;
}

/**
 * The manager of a transaction, such that a statement is on its way as soon as it is given.
 *
 * Within savepoints there is none: a failure there might be rolled back, and the transaction commit nevertheless.
 *
 * @returns undefined when the connection sends statements one by one, which is the default
 */
export function pipelinedManager(manager: EntityManager): EntityManager | undefined {
  const { queryRunner } = manager;
  const { databaseConnection, transactionDepth } = (queryRunner ?? {}) as unknown as Runner;
  if (queryRunner?.isTransactionActive !== true || transactionDepth !== 1) return undefined;
  if (databaseConnection?.pipeline !== true) return undefined;
  const { logger } = dataSourceOf(manager);
  const query = async (sql: string, parameters: unknown[]): Promise<readonly Row[]> => {
    logger.logQuery(sql, parameters, queryRunner);
    try {
      return (await databaseConnection.query(sql, parameters)).rows;
    } catch (error) {
      logger.logQueryError(error as Error, sql, parameters, queryRunner);
      throw new QueryFailedError(sql, parameters, error as Error);
    }
  };
  return Object.create(manager, { query: { value: query } }) as EntityManager;
}

/**
 * Makes the COMMIT of a transaction fail when statements have failed that were sent ahead of it: PostgreSQL answers it with
 * ROLLBACK then, which TypeORM takes for a success.
 */
export function commitAfter(queryRunner: QueryRunner, sent: Promise<unknown>): void {
  // A rollback asks for no answer.
  sent.catch(() => undefined);
  const runner = queryRunner as unknown as Runner;
  const before = Object.getOwnPropertyDescriptor(runner, 'query');
  const { query } = runner;
  runner.query = async (sql, ...rest) => {
    if (sql !== 'COMMIT' && sql !== 'ROLLBACK') return query.call(runner, sql, ...rest);
    if (before === undefined) delete (runner as Partial<Runner>).query;
    else Object.defineProperty(runner, 'query', before);
    const result = await query.call(runner, sql, ...rest);
    if (sql === 'COMMIT') await sent;
    return result;
  };
}
