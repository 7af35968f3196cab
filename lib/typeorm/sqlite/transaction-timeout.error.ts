import { ThornError } from '../../errors/index.js';

/** Thrown when a write on SQLite has waited too long for another transaction. */
export class TransactionTimeoutError extends ThornError {
  readonly code = 'THORN_TRANSACTION_TIMEOUT';

  /** @param timeout milliseconds */
  constructor(timeout: number) {
    super(
      `Nothing was written: another transaction has held the connection of SQLite for ${timeout} ms. ` +
        'If this call is inside a transaction, write through its manager, as manager.getRepository(Order) does: another ' +
        'repository waits for the transaction to end, and the transaction waits for the call. Otherwise keep ' +
        'transactions short, or set serializeTransactions: { timeout } in ThornModule.',
      { timeout },
    );
  }
}
