import type { DataSource, QueryRunner } from 'typeorm';
import { repeatOnConflict } from '../../database/database-errors.js';
import { ensureTextColumns } from './mysql-text-columns.js';
import { OutboxDatabase } from './outbox-database.js';
import { type Result, runSteps, type Step } from '../../database/sql-client.js';
import { surviveErrors } from './postgres-connections.js';
import { OutboxTimeoutError } from './outbox-timeout.error.js';

/** PostgreSQL, MySQL and MariaDB: connections of the data source's pool, each given back after one transaction. */
export class PooledDatabase extends OutboxDatabase {
  readonly #running = new Set<(error: Error) => void>();

  /** @param timeout milliseconds after which a connection counts as dead and is dropped */
  constructor(
    dataSource: DataSource,
    private readonly timeout: number,
  ) {
    super(dataSource);
  }

  override async open(): Promise<void> {
    if (this.dialect.name === 'mysql')
      await ensureTextColumns(this.dataSource, this.table('thorn_messages'));
    else surviveErrors(this.dataSource);
  }

  override execute(steps: readonly Step[]): Promise<readonly Result[]> {
    return repeatOnConflict(() => this.#within(steps));
  }

  /** Drops the connections of what runs, which would hold up the pool's end: the database may not answer. */
  override async close(): Promise<void> {
    for (const abort of this.#running) abort(new Error('The outbox is closed'));
  }

  #within(steps: readonly Step[]): Promise<readonly Result[]> {
    const runner = this.dataSource.createQueryRunner();
    return new Promise((resolve, reject) => {
      let connection: RawConnection | undefined;
      let isLate = false;
      const abort = (error: Error) => {
        isLate = true;
        // Only one that it has: if it still waits for one, the pool's next connection is in order.
        if (connection !== undefined) destroy(connection);
        reject(error);
      };
      // A connection whose other end is gone answers nothing, not even an error.
      const timer = setTimeout(
        () => abort(new OutboxTimeoutError(this.timeout, connection !== undefined)),
        this.timeout,
      );
      this.#running.add(abort);
      const run = async () => {
        connection = (await runner.connect()) as RawConnection;
        return isLate ? [] : this.#transaction(runner, steps);
      };
      run()
        .finally(() => {
          clearTimeout(timer);
          this.#running.delete(abort);
          return runner.release();
        })
        .then(resolve, reject);
    });
  }

  async #transaction(runner: QueryRunner, steps: readonly Step[]): Promise<readonly Result[]> {
    if (this.dialect.name === 'mysql') {
      // Applies to the next transaction only. The default level also locks the gaps between rows, and blocks inserts
      // there.
      await runner.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
    }
    if (steps.length === 1) return this.#results(runner, steps);
    // Not startTransaction(): its hooks are for the application's transactions.
    await runner.query('START TRANSACTION');
    try {
      const results = await this.#results(runner, steps);
      await runner.query('COMMIT');
      return results;
    } catch (error) {
      await runner.query('ROLLBACK').catch(async () => destroy(await runner.connect()));
      throw error;
    }
  }

  #results(runner: QueryRunner, steps: readonly Step[]): Promise<readonly Result[]> {
    return runSteps((statement) => this.runOn(runner, statement), steps);
  }
}

/** The parts of the drivers' connections that end them without a word to the server. */
interface RawConnection {
  /** Of mysql2. */
  readonly destroy?: () => void;
  /** Of pg. */
  readonly connection?: { readonly stream?: { readonly destroy?: () => void } };
}

function destroy(raw: RawConnection): void {
  if (raw.connection?.stream?.destroy === undefined) raw.destroy?.();
  else raw.connection.stream.destroy();
}
