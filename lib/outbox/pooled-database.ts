import type { DataSource, QueryRunner } from 'typeorm';
import { dialectOf, type Dialect, type Statement } from './dialect.js';
import { OutboxDatabase, type Result, type Row } from './outbox-database.js';
import { OutboxTimeoutError } from './outbox-timeout.error.js';

/** PostgreSQL, MySQL and MariaDB: connections of the data source's pool, each given back after one transaction. */
export class PooledDatabase extends OutboxDatabase {
  readonly dialect: Dialect;
  readonly #dataSource: DataSource;
  readonly #timeout: number;

  /** @param timeout milliseconds after which a connection counts as dead and is dropped */
  constructor(dataSource: DataSource, timeout: number) {
    super();
    this.dialect = dialectOf(dataSource);
    this.#dataSource = dataSource;
    this.#timeout = timeout;
  }

  override async open(): Promise<void> {}

  override execute(statements: readonly Statement[]): Promise<readonly Result[]> {
    const runner = this.#dataSource.createQueryRunner();
    return new Promise((resolve, reject) => {
      // A connection whose other end is gone answers nothing, not even an error.
      const timer = setTimeout(() => {
        destroy(runner);
        reject(new OutboxTimeoutError(this.#timeout));
      }, this.#timeout);
      this.#transaction(runner, statements)
        .finally(() => {
          clearTimeout(timer);
          return runner.release();
        })
        .then(resolve, reject);
    });
  }

  override async close(): Promise<void> {}

  async #transaction(
    runner: QueryRunner,
    statements: readonly Statement[],
  ): Promise<readonly Result[]> {
    if (statements.length === 1) return [await this.#run(runner, statements[0]!)];
    // Not startTransaction(): its hooks are for the application's transactions.
    if (this.dialect.name === 'mysql') {
      await runner.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
    }
    await runner.query('START TRANSACTION');
    try {
      const results: Result[] = [];
      for (const statement of statements) results.push(await this.#run(runner, statement));
      await runner.query('COMMIT');
      return results;
    } catch (error) {
      await runner.query('ROLLBACK').catch(() => destroy(runner));
      throw error;
    }
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

/** The parts of the drivers' connections that end them without a word to the server. */
interface RawConnection {
  /** Of mysql2. */
  readonly destroy?: () => void;
  /** Of pg. */
  readonly connection?: { readonly stream?: { readonly destroy?: () => void } };
}

function destroy(runner: QueryRunner): void {
  // When it is still waiting for a connection of the pool, there is nothing to end yet.
  void runner.connect().then(
    (raw: RawConnection) => {
      if (raw.connection?.stream?.destroy === undefined) raw.destroy?.();
      else raw.connection.stream.destroy();
    },
    () => undefined,
  );
}
