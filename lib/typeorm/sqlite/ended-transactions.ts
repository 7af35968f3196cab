import type { DataSource } from 'typeorm';
import { isInTransaction, type SqliteRunner } from '../private-properties.js';
import { errorText } from '../../common/index.js';
import { TransactionEndedError } from '../../database/errors.js';

/**
 * Knows the transactions that SQLite has ended by itself, because the disk is full or fails, or memory runs out.
 * TypeORM's flags do not show this: further writes of such a transaction are refused until it is rolled back.
 */
export class EndedTransactions {
  readonly #ended = new WeakMap<SqliteRunner, TransactionEndedError>();

  /** @param onEnd called when a transaction is found to be over */
  constructor(
    private readonly dataSource: DataSource,
    private readonly onEnd: (runner: SqliteRunner) => void,
  ) {}

  /** The error with which a statement is refused; undefined while the transaction of the query runner goes on. */
  errorOf(runner: SqliteRunner): TransactionEndedError | undefined {
    const ended = this.#ended.get(runner);
    if (ended !== undefined) return endedBy(ended.cause);
    if (isInTransaction(this.dataSource)) return undefined;
    this.#add(runner, undefined);
    return endedBy(undefined);
  }

  /** {@link errorOf} for a query runner that may have no transaction. */
  errorWithin(runner: SqliteRunner): TransactionEndedError | undefined {
    return runner.transactionDepth > 0 ? this.errorOf(runner) : undefined;
  }

  /** Notices whether a statement that failed has ended its transaction. */
  notice(runner: SqliteRunner, error: unknown): void {
    if (!isInTransaction(this.dataSource)) this.#add(runner, error);
  }

  /** The transaction of a query runner was rolled back, as far as TypeORM is concerned. */
  forget(runner: SqliteRunner): void {
    this.#ended.delete(runner);
  }

  #add(runner: SqliteRunner, cause: unknown): void {
    this.#ended.set(runner, endedBy(cause));
    this.onEnd(runner);
  }
}

/**
 * @param cause the error with which SQLite ended the transaction; undefined when a COMMIT or ROLLBACK by hand has ended
 *   it
 */
function endedBy(cause: unknown): TransactionEndedError {
  return new TransactionEndedError(
    cause === undefined
      ? 'A COMMIT or ROLLBACK by hand has ended the transaction. Use commitTransaction() and rollbackTransaction() of the query runner; roll this one back, and begin another'
      : `SQLite has ended the transaction by itself, and nothing of it is stored (${errorText(cause)}). Roll it back, and begin another transaction`,
    cause,
  );
}
