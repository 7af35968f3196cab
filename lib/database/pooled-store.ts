import { repeatOnConflict } from './database-errors.js';
import type { Row, Select, Statement } from './dialect.js';
import { OutboxTimeoutError } from './errors.js';
import { type PoolConnection, PoolConnections } from './pool-connections.js';
import { type PoolWatch, watchPool } from './pool-watch.js';
import { type Result, runSteps, type SqlClient, type SqlTables, type Step } from './sql-client.js';
import type { PgPool } from './sql-driver.js';
import { SqlStore } from './sql-store.js';

type IsolationLevel = 'READ COMMITTED' | 'READ UNCOMMITTED';

/** The longest time of a statement outside of the outbox, in milliseconds. */
const STATEMENT_WITHIN = 10_000;

/**
 * The store on PostgreSQL, MySQL and MariaDB. It takes connections from the client's pool, and gives each back after
 * one transaction.
 */
export class PooledStore extends SqlStore {
  readonly #connections = new PoolConnections();
  readonly #running = new Set<(error: Error) => void>();
  #isOpen = false;
  #watched: { readonly pool: PgPool; readonly watch: PoolWatch } | undefined;

  /**
   * @param timeout milliseconds that the pool may take to give a connection, and then milliseconds that the transaction
   * may take before the connection counts as dead and is dropped
   */
  constructor(
    client: SqlClient<never>,
    private readonly timeout: number,
  ) {
    super(client);
  }

  override async open(): Promise<void> {
    this.#isOpen = true;
  }

  override execute(steps: readonly Step[]): Promise<readonly Result[]> {
    return repeatOnConflict(() => this.#within(steps));
  }

  override async poll(statement: Statement): Promise<Result> {
    const [result] = await this.#within([statement], null);
    return result!;
  }

  override async peek<Answered = Row>(statement: Select<Answered>): Promise<Result<Answered>> {
    const [result] = await this.#within([statement], 'READ UNCOMMITTED');
    return result as Result<Answered>;
  }

  /**
   * Drops the connections of transactions that still run. The database may never answer them, and they would hold up
   * the end of the pool.
   */
  override async close(): Promise<void> {
    this.#isOpen = false;
    this.#watched?.watch.end();
    this.#watched = undefined;
    for (const abort of this.#running) abort(new Error('The database is closed'));
  }

  #within(steps: readonly Step[], level?: IsolationLevel | null): Promise<readonly Result[]> {
    return new Promise((resolve, reject) => {
      let connection: PoolConnection | undefined;
      let isLate = false;
      const abort = (error: Error) => {
        isLate = true;
        // Drops the connection only if the transaction has one. While it still waits for one, the pool's next connection
        // may be in order.
        connection?.destroy();
        reject(error);
      };
      // A connection whose server is gone gives no answer, not even an error.
      const timer = setTimeout(
        () => abort(new OutboxTimeoutError(this.timeout, connection !== undefined)),
        this.timeout,
      );
      this.#running.add(abort);
      const run = async () => {
        const driver = this.client.driver();
        if (this.#isOpen && driver?.kind === 'pg') this.#watch(driver.pool);
        connection = await this.#connections.take(driver);
        if (isLate) return [];
        // The time begins again here, so that a connection is not dropped because the pool gave it late.
        timer.refresh();
        return this.#transaction(connection, steps, level);
      };
      run()
        .finally(() => {
          clearTimeout(timer);
          this.#running.delete(abort);
          connection?.release();
        })
        .then(resolve, reject);
    });
  }

  /** Watches the connections that the application takes from the pool as well, until the store is closed. */
  #watch(pool: PgPool): void {
    // A data source that is initialised again has another pool.
    if (this.#watched?.pool === pool) return;
    this.#watched?.watch.end();
    this.#watched = { pool, watch: watchPool(pool) };
  }

  async #transaction(
    connection: PoolConnection,
    steps: readonly Step[],
    // The default level of MySQL and MariaDB also locks the gaps between rows, which blocks inserts of other transactions.
    level: IsolationLevel | null = 'READ COMMITTED',
  ): Promise<readonly Result[]> {
    if (this.dialect.name === 'mysql' && level !== null) {
      // The statement applies only to the next transaction of the connection.
      await this.#query(connection, `SET TRANSACTION ISOLATION LEVEL ${level}`);
    }
    if (steps.length === 1) return this.#results(connection, steps);
    await this.#query(connection, 'START TRANSACTION');
    try {
      const results = await this.#results(connection, steps);
      await this.#query(connection, 'COMMIT');
      return results;
    } catch (error) {
      await this.#query(connection, 'ROLLBACK').catch(() => connection.destroy());
      throw error;
    }
  }

  #results(connection: PoolConnection, steps: readonly Step[]): Promise<readonly Result[]> {
    return runSteps(
      ({ sql, parameters }) => this.#query(connection, this.dialect.placeholders(sql), parameters),
      steps,
    );
  }

  #query(
    connection: PoolConnection,
    sql: string,
    parameters: readonly unknown[] = [],
  ): Promise<Result> {
    this.client.logStatement?.(sql, parameters);
    return connection.query(sql, parameters);
  }
}

/** A client that may make its own store. On SQLite it does, because there is no pool. */
export interface ClientWithStore {
  /** The store; undefined where the library works on a pool. */
  createStore(): SqlStore | undefined;
}

/** @param timeout milliseconds after which a connection counts as dead and is dropped */
export function createStore(
  client: SqlClient<never> & Partial<ClientWithStore>,
  timeout: number,
): SqlStore {
  return client.createStore?.() ?? new PooledStore(client, timeout);
}

/** A client that runs single statements itself. */
export interface ClientWithTables {
  readonly tables: SqlTables | undefined;
}

/** The tables of a database for single statements. They run by the client itself, or else on its driver. */
export function createTables(client: SqlClient<never> & Partial<ClientWithTables>): SqlTables {
  return client.tables ?? new PooledStore(client, STATEMENT_WITHIN);
}
