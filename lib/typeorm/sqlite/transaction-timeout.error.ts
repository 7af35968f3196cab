import { ThornError } from '../../errors/index.js';

/** Thrown when a write on SQLite has waited too long for another transaction. */
export class TransactionTimeoutError extends ThornError {
  readonly code = 'THORN_TRANSACTION_TIMEOUT';

  /** @param timeout milliseconds */
  constructor(timeout: number) {
    super(
      `Nothing was written: another transaction has held the connection of SQLite for ${timeout} ms. ` +
        'Within a transaction, use its manager: a repository of none waits for the transaction that waits for it. ' +
        'Else keep transactions short, or set serializeTransactions: { timeout } in ThornModule',
      { timeout },
    );
  }
}
