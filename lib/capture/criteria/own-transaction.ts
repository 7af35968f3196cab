import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { AsyncVariable } from '../../common/async/async-variable.js';
import type { KeyedMutex } from '../../common/async/keyed-mutex.js';
import { SqliteTransactions } from '../../typeorm/index.js';
import type { WriteBuilder } from './write-builders.js';

/** The connection that a query builder's write will run on, where that is known before it begins. */
export function runnerOf(builder: WriteBuilder, dataSource: DataSource): QueryRunner | undefined {
  const own = Reflect.get(builder, 'queryRunner') as QueryRunner | undefined;
  return own ?? SqliteTransactions.of(dataSource)?.manager?.queryRunner;
}

/** The connections of the writes that the caller is within: a hook of one may write as well. */
const writing = new AsyncVariable<readonly QueryRunner[]>();

/** What a write has to know of its data source. */
interface Connections {
  readonly dataSource: DataSource;
  /** Makes the writes of one query builder, or of one connection, one after the other. */
  readonly mutex: KeyedMutex<object>;
  readonly changes: { refuseByHand(queryRunner: QueryRunner | undefined): void };
}

/**
 * Makes a write in the transaction that the query builder's connection is in, or in one of its own. One that was begun by
 * hand is neither: on PostgreSQL and MySQL the COMMIT of another one would end it.
 *
 * @param write is given the connection, which the query builder then has as well
 * @param isolation of a transaction of its own. Default: the database's
 * @throws {@link TransactionByHandError} (rejects)
 */
export function ownTransaction<Result>(
  builder: WriteBuilder,
  connections: Connections,
  write: (queryRunner: QueryRunner) => Promise<Result>,
  isolation?: 'READ COMMITTED',
): Promise<Result> {
  const { mutex } = connections;
  // Each write lends its query builder a connection, and changes the builder's condition.
  return mutex.run(builder, () => {
    const own = runnerOf(builder, connections.dataSource);
    const make = () => inTransaction(builder, connections, write, isolation);
    const outer = writing.get() ?? [];
    if (own === undefined || outer.includes(own)) return make();
    // What one write reads, another one must not change before it is written.
    return mutex.run(own, () => writing.run([...outer, own], make));
  });
}

async function inTransaction<Result>(
  builder: WriteBuilder,
  connections: Connections,
  write: (queryRunner: QueryRunner) => Promise<Result>,
  isolation: 'READ COMMITTED' | undefined,
): Promise<Result> {
  const { dataSource } = connections;
  const own = runnerOf(builder, dataSource);
  if (own?.isTransactionActive === true) return on(builder, own, write);
  connections.changes.refuseByHand(own);
  const manager = own?.manager ?? dataSource.manager;
  const make = ({ queryRunner }: EntityManager) => on(builder, queryRunner!, write);
  return isolation === undefined ? manager.transaction(make) : manager.transaction(isolation, make);
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
    builder.setQueryRunner(before!);
  }
}
