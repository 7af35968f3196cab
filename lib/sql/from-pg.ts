import { OptionChecks } from '../common/option-checks.js';
import type { Statement } from '../database/dialect.js';
import { type PoolWatch, watchPool } from '../database/pool-watch.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import type { PgPool } from '../database/sql-driver.js';
import { TransactionEndedError } from '../database/errors.js';
import type { ClientSource } from './client-source.js';
import type { Answer } from './databases/client-database.js';
import { POSTGRES, type TransactionStatus } from './databases/postgres.js';
import { DriverClient } from './driver-client.js';
import { defineDriverClient, type StoreDriver, type TableOptions } from './store-driver.js';

const CALLER = 'fromPg()';

/** A client of `pg` after `BEGIN`, from the pool or made by the application. */
export interface PgTransaction extends TransactionStatus {
  query(statement: { readonly text: string; readonly values: unknown[] }): Promise<object>;
  /** Only a pool has this property. A pool may take another connection for each query, so it cannot be a transaction. */
  readonly totalCount?: never;
}

/**
 * Stores messages with `pg`.
 *
 * @param pool a pool of `pg`, its injection token or a factory
 * @throws `ThornConfigurationError` here or at start-up, for a wrong argument
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ database: fromPg(pool) });
 * ```
 */
export function fromPg(
  pool: ClientSource<PgPool>,
  options: TableOptions = {},
): SqlClientDefinition<PgTransaction> {
  new OptionChecks(CALLER).names(options, ['schema']);
  return defineDriverClient(
    { caller: CALLER, databases: [POSTGRES], client: pool, options },
    (pool, connect) => new PgClient(connect(POSTGRES, pool), pool),
  );
}

class PgClient extends DriverClient<PgTransaction> {
  readonly name = 'pg';
  protected readonly how = "a client of the pool after client.query('BEGIN')";

  // The connections of the pool. They need no question to the database, which a pool of one connection could not answer
  // during its transaction.
  readonly #own: PoolWatch;

  constructor(store: StoreDriver, pool: PgPool) {
    super(store, pool);
    this.#own = watchPool(pool);
  }

  override close(): Promise<void> {
    this.#own.end();
    return super.close();
  }

  protected override check(client: PgTransaction): void {
    const isClient = typeof client?.query === 'function' && !('totalCount' in client);
    // Connections of `mysql2` also have `query()`, but only they have `escapeId()`.
    if (!isClient || 'escapeId' in client) throw this.required();
    this.checkStatus(client, () => this.required());
  }

  protected override ended(cause?: unknown): Error {
    return TransactionEndedError.ofConnection(this.name, 'BEGIN', 'COMMIT', cause);
  }

  protected override originOf(client: PgTransaction): object {
    if (this.#own.has(client)) this.same.add(client);
    return client;
  }

  protected override run(client: PgTransaction, statement: Statement): Promise<Answer> {
    return POSTGRES.runOn(client, statement);
  }
}
