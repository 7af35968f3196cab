import { ThornError } from '../errors/index.js';

/** Thrown when a call needs a transaction of the application and is given none: its message would outlive work that failed. */
export class TransactionRequiredError extends ThornError {
  readonly code = 'THORN_TRANSACTION_REQUIRED';

  constructor(text: string) {
    super(text);
  }

  /** @param how to begin a transaction with the client, such as `dataSource.transaction((manager) => …)` */
  static of(client: string, how: string): TransactionRequiredError {
    return new TransactionRequiredError(
      `The client that was given is not in a transaction of ${client}, so the message would be sent even if your work is rolled back. Pass the client that a transaction gives you: ${how}.`,
    );
  }
}
