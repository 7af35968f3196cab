import type { DataSource, QueryRunner } from 'typeorm';
import { SqliteTransactions } from '../../sqlite/index.js';
import type { WriteBuilder } from './write-builders.js';

/** The connection that a query builder's write will run on, where that is known before it begins. */
export function runnerOf(builder: WriteBuilder, dataSource: DataSource): QueryRunner | undefined {
  const own = Reflect.get(builder, 'queryRunner') as QueryRunner | undefined;
  return own ?? SqliteTransactions.of(dataSource)?.manager?.queryRunner;
}

/**
 * Makes a write in the transaction that the query builder's connection is in, or in one of its own.
 *
 * @param write is given the connection, which the query builder then has as well
 */
export function ownTransaction<Result>(
  builder: WriteBuilder,
  dataSource: DataSource,
  write: (queryRunner: QueryRunner) => Promise<Result>,
): Promise<Result> {
  const own = runnerOf(builder, dataSource);
  if (own?.isTransactionActive === true) return on(builder, own, write);
  const manager = own?.manager ?? dataSource.manager;
  return manager.transaction(({ queryRunner }) => on(builder, queryRunner!, write));
}

/** Lends the query builder a connection. */
async function on<Result>(
  builder: WriteBuilder,
  queryRunner: QueryRunner,
  write: (queryRunner: QueryRunner) => Promise<Result>,
): Promise<Result> {
  const before = Reflect.get(builder, 'queryRunner') as QueryRunner | undefined;
  builder.setQueryRunner(queryRunner);
  try {
    return await write(queryRunner);
  } finally {
    Reflect.set(builder, 'queryRunner', before);
  }
}
