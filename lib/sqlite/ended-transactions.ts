import type { DataSource } from 'typeorm';
import { isInTransaction } from './sqlite-handle.js';
import type { SqliteRunner } from './sqlite-runner.js';
import { TransactionEndedError } from './transaction-ended.error.js';

/**
 * Knows the transactions that SQLite has ended by itself, because the disk is full or fails, or memory runs out. TypeORM's
 * flags do not say so: what is written in such a transaction is refused, until it is rolled back.
 */
export class EndedTransactions {
  readonly #ended = new WeakMap<SqliteRunner, TransactionEndedError>();

  /** @param onEnd called when a transaction is found to be over */
  constructor(
    private readonly dataSource: DataSource,
    private readonly onEnd: (runner: SqliteRunner) => void,
  ) {}

  /** The error with which a statement is refused; undefined where the transaction of the query runner goes on. */
  errorOf(runner: SqliteRunner): TransactionEndedError | undefined {
    const ended = this.#ended.get(runner);
    if (ended !== undefined) return new TransactionEndedError(ended.cause);
    if (isInTransaction(this.dataSource)) return undefined;
    this.#add(runner, undefined);
    return new TransactionEndedError(undefined);
  }

  /** {@link errorOf} for a query runner that may have no transaction. */
  errorWithin(runner: SqliteRunner): TransactionEndedError | undefined {
    return runner.transactionDepth > 0 ? this.errorOf(runner) : undefined;
  }

  /** Notices whether a statement that failed has ended its transaction. */
  notice(runner: SqliteRunner, error: unknown): void {
    if (!isInTransaction(this.dataSource)) this.#add(runner, error);
  }

  /** Runs a statement, and notices whether it ends its transaction. */
  watch(runner: SqliteRunner, statement: () => Promise<unknown>): Promise<unknown> {
    const { transactionDepth: depth } = runner;
    const done = statement();
    // Before the caller, who comes later.
    if (depth > 0) done.catch((error: unknown) => this.notice(runner, error));
    return done;
  }

  /** Sets TypeORM's flags where SQLite has rolled back everything: TypeORM's own ROLLBACK would fail, and leave them. */
  async rollBack(runner: SqliteRunner): Promise<void> {
    runner.transactionDepth -= 1;
    if (runner.transactionDepth === 0) {
      runner.isTransactionActive = false;
      this.#ended.delete(runner);
    }
    await runner.broadcaster.broadcast('AfterTransactionRollback');
  }

  #add(runner: SqliteRunner, cause: unknown): void {
    this.#ended.set(runner, new TransactionEndedError(cause));
    this.onEnd(runner);
  }
}
