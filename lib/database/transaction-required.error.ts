import { ThornError } from '../errors/index.js';

/** Thrown for what needs a transaction of the application, outside of any: its record would outlive work that failed. */
export class TransactionRequiredError extends ThornError {
  readonly code = 'THORN_TRANSACTION_REQUIRED';

  constructor(text: string) {
    super(text);
  }

  /** @param how to begin a transaction with the client, such as `dataSource.transaction((manager) => …)` */
  static of(client: string, how: string): TransactionRequiredError {
    return new TransactionRequiredError(
      `What was given is in no transaction of ${client}, and what is written would outlive work that fails. Pass what a transaction gives you: ${how}.`,
    );
  }
}
