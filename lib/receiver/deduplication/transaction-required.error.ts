import { ThornError } from '../../errors/index.js';

/** Thrown by `processOnce()` outside of a transaction, where the record of an id would outlive work that failed. */
export class TransactionRequiredError extends ThornError {
  readonly code = 'THORN_TRANSACTION_REQUIRED';

  constructor() {
    super(
      'processOnce() needs the manager of an open transaction: dataSource.transaction((manager) => webhook.processOnce(manager, work)).',
    );
  }
}
