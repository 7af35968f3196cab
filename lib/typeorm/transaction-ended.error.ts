import { errorText } from '../common/index.js';
import { ThornError } from '../errors/index.js';

/** Thrown for each statement of a transaction that the database has ended already, until it is rolled back. */
export class TransactionEndedError extends ThornError {
  readonly code = 'THORN_TRANSACTION_ENDED';

  /** @param cause the error with which SQLite ended the transaction; undefined when a COMMIT or ROLLBACK by hand did */
  constructor(cause: unknown) {
    super(
      cause === undefined
        ? 'A COMMIT or ROLLBACK by hand has ended the transaction. Use commitTransaction() and rollbackTransaction() of the query runner; roll this one back, and begin another'
        : `SQLite has ended the transaction by itself, and nothing of it is stored (${errorText(cause)}). Roll it back, and begin another`,
      {},
      cause,
    );
  }
}
