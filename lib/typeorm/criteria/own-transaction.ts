import type { EntityManager, QueryRunner } from 'typeorm';
import { AsyncVariable } from '../../common/async-variable.js';
import { KeyedMutex } from '../../common/waiting.js';
import { queryRunnerOf } from '../private-properties.js';
import { hasRowLocks } from '../rows/row-lock.js';
import type { DataSourceClient } from '../data-source-client.js';
import type { WriteBuilder } from './write-builders.js';

/** Refuses writes in transactions that were begun by hand. */
interface ByHand {
  refuseByHand(queryRunner: QueryRunner | undefined): void;
}

/** Gives each captured write the transaction that its connection is in, or one of its own. */
export class OwnTransactions {
  readonly #mutex = new KeyedMutex<QueryRunner>();
  /** The connections of the writes that the caller is within: a hook of one may write as well. */
  readonly #writing = new AsyncVariable<readonly QueryRunner[]>();

  constructor(
    private readonly client: DataSourceClient,
    private readonly byHand: ByHand,
  ) {}

  /** The connection that a query builder's write will run on, where that is known before it begins. */
  runnerOf(builder: WriteBuilder): QueryRunner | undefined {
    const given = queryRunnerOf(builder);
    if (given !== undefined || hasRowLocks(this.client.dataSource)) return given;
    // On SQLite, TypeORM gives each query builder the query runner of its caller's transaction.
    const runner = this.client.dataSource.createQueryRunner();
    return runner.isTransactionActive ? runner : undefined;
  }

  /** Tells whether a query builder is going to write in a transaction that is open. */
  isOpenFor(builder: WriteBuilder): boolean {
    return this.runnerOf(builder)?.isTransactionActive === true;
  }

  /**
   * Makes a write in the transaction of its query builder's connection, or in one of its own. A transaction that was begun by
   * hand is neither: on PostgreSQL and MySQL the COMMIT of another one would end it.
   *
   * @param write is given the connection
   * @param isolation of a transaction of its own. Default: the database's
   * @throws {@link TransactionByHandError} (rejects)
   */
  run<Result>(
    builder: WriteBuilder,
    write: (queryRunner: QueryRunner) => Promise<Result>,
    isolation?: 'READ COMMITTED',
  ): Promise<Result> {
    const own = this.runnerOf(builder);
    const make = () => this.#make(own, write, isolation);
    const outer = this.#writing.get() ?? [];
    if (own === undefined || outer.includes(own)) return make();
    // Between reading and writing its rows, no other write may change them.
    return this.#mutex.run(own, () => this.#writing.run([...outer, own], make));
  }

  async #make<Result>(
    own: QueryRunner | undefined,
    write: (queryRunner: QueryRunner) => Promise<Result>,
    isolation: 'READ COMMITTED' | undefined,
  ): Promise<Result> {
    if (own?.isTransactionActive === true) return write(own);
    this.byHand.refuseByHand(own);
    const make = ({ queryRunner }: EntityManager) => write(queryRunner!);
    return this.client.transaction(own?.manager, make, isolation);
  }
}
