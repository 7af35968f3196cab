import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource, QueryRunner } from 'typeorm';
import { isConflict } from '../../common/typeorm-compat.js';
import { findDialect, type Dialect, type Statement } from './dialect.js';
import { ensureTextColumns } from './mysql-text-columns.js';
import {
  NOTHING_DONE,
  OutboxDatabase,
  type Result,
  type Row,
  type Step,
} from './outbox-database.js';
import { surviveErrors } from './postgres-connections.js';
import { OutboxTimeoutError } from './outbox-timeout.error.js';

const MOST_TRIES = 5;
/** A row that another transaction has written since this one looked for it. */
const WRITTEN_MEANWHILE = new Set<unknown>(['ER_DUP_ENTRY', '23505']);

/** PostgreSQL, MySQL and MariaDB: connections of the data source's pool, each given back after one transaction. */
export class PooledDatabase extends OutboxDatabase {
  readonly dialect: Dialect;
  readonly #running = new Set<(error: Error) => void>();

  /** @param timeout milliseconds after which a connection counts as dead and is dropped */
  constructor(
    private readonly dataSource: DataSource,
    private readonly timeout: number,
  ) {
    super();
    this.dialect = findDialect(dataSource);
  }

  override async open(): Promise<void> {
    if (this.dialect.name === 'mysql') await ensureTextColumns(this.dataSource);
    else surviveErrors(this.dataSource);
  }

  override async execute(steps: readonly Step[]): Promise<readonly Result[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#within(steps);
      } catch (error) {
        if (!isRolledBackForAnother(error) || tries === MOST_TRIES) throw error;
        // Not at once, and not together: the others have to get past.
        await sleep(Math.random() * 10 * 2 ** tries);
      }
    }
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

  async #results(runner: QueryRunner, steps: readonly Step[]): Promise<readonly Result[]> {
    const results: Result[] = [];
    for (const step of steps) {
      const statement = typeof step === 'function' ? step(results) : step;
      results.push(statement === null ? NOTHING_DONE : await this.#run(runner, statement));
    }
    return results;
  }

  async #run(runner: QueryRunner, { sql, parameters }: Statement): Promise<Result> {
    const { records, affected } = await runner.query(
      this.dialect.placeholders(sql),
      parameters as unknown[],
      true,
    );
    return { rows: (records as readonly Row[] | undefined) ?? [], affected: affected ?? 0 };
  }
}

/** True when the database rolled the transaction back in favour of another one, so that it may be repeated. */
function isRolledBackForAnother(error: unknown): boolean {
  const { driverError } = (error ?? {}) as { readonly driverError?: { readonly code?: unknown } };
  return isConflict(error) || WRITTEN_MEANWHILE.has(driverError?.code);
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
