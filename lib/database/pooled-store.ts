import { repeatOnConflict } from './database-errors.js';
import type { Statement } from './dialect.js';
import { OutboxTimeoutError } from './errors.js';
import { type PoolConnection, PoolConnections } from './pool-connections.js';
import { type Result, runSteps, type SqlClient, type SqlTables, type Step } from './sql-client.js';
import { SqlStore } from './sql-store.js';

type IsolationLevel = 'READ COMMITTED' | 'READ UNCOMMITTED';

/** Milliseconds that a statement outside of the outbox may take. */
const STATEMENT_WITHIN = 10_000;

/** PostgreSQL, MySQL and MariaDB: connections of the client's pool, each given back after one transaction. */
export class PooledStore extends SqlStore {
  readonly #connections = new PoolConnections();
  readonly #running = new Set<(error: Error) => void>();

  /**
   * @param timeout milliseconds that the pool may take to give a connection, and then again those after which the
   * connection counts as dead and is dropped
   */
  constructor(
    client: SqlClient<never>,
    private readonly timeout: number,
  ) {
    super(client);
  }

  override async open(): Promise<void> {}

  override execute(steps: readonly Step[]): Promise<readonly Result[]> {
    return repeatOnConflict(() => this.#within(steps));
  }

  override async poll(statement: Statement): Promise<Result> {
    const [result] = await this.#within([statement], null);
    return result!;
  }

  override async peek(statement: Statement): Promise<Result> {
    const [result] = await this.#within([statement], 'READ UNCOMMITTED');
    return result!;
  }

  /** Drops the connections of what runs, which would hold up the pool's end: the database may not answer. */
  override async close(): Promise<void> {
    for (const abort of this.#running) abort(new Error('The database is closed'));
  }

  #within(steps: readonly Step[], level?: IsolationLevel | null): Promise<readonly Result[]> {
    return new Promise((resolve, reject) => {
      let connection: PoolConnection | undefined;
      let isLate = false;
      const abort = (error: Error) => {
        isLate = true;
        // Only one that it has: if it still waits for one, the pool's next connection is in order.
        connection?.destroy();
        reject(error);
      };
      // A connection whose other end is gone answers nothing, not even an error.
      const timer = setTimeout(
        () => abort(new OutboxTimeoutError(this.timeout, connection !== undefined)),
        this.timeout,
      );
      this.#running.add(abort);
      const run = async () => {
        connection = await this.#connections.take(this.client.driver());
        if (isLate) return [];
        // A connection is not to be dropped because the pool gave it late.
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

  async #transaction(
    connection: PoolConnection,
    steps: readonly Step[],
    // The database's own default also locks the gaps between rows, and blocks inserts there.
    level: IsolationLevel | null = 'READ COMMITTED',
  ): Promise<readonly Result[]> {
    if (this.dialect.name === 'mysql' && level !== null) {
      // Applies to the next transaction only.
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

/** A client that may have a store of its own kind: SQLite has no pool. */
export interface ClientWithStore {
  /** Undefined where a pool serves. */
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

/** The tables of a database for single statements: by the client itself, or else on the driver below. */
export function createTables(client: SqlClient<never> & Partial<ClientWithTables>): SqlTables {
  return client.tables ?? new PooledStore(client, STATEMENT_WITHIN);
}
