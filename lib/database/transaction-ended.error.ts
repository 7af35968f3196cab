import { ThornError } from '../errors/index.js';

/** Thrown for each statement of a transaction that has ended already. */
export class TransactionEndedError extends ThornError {
  readonly code = 'THORN_TRANSACTION_ENDED';

  /** @param cause the error with which the database ended the transaction, if it did */
  constructor(text: string, cause?: unknown) {
    super(text, {}, cause);
  }

  /** @param how to begin a transaction with the client, such as `dataSource.transaction((manager) => …)` */
  static of(client: string, how: string, cause?: unknown): TransactionEndedError {
    return new TransactionEndedError(
      `The transaction of ${client} has ended: nothing belongs to it any more. Await everything that is done within ${how}.`,
      cause,
    );
  }

  /** For a client whose transactions are connections, so that one that never began looks the same. */
  static ofConnection(
    client: string,
    begin: string,
    end: string,
    cause?: unknown,
  ): TransactionEndedError {
    return new TransactionEndedError(
      `The connection of ${client} is in no transaction: it has ended, or was never begun. Await everything between ${begin} and ${end}.`,
      cause,
    );
  }

  /** @param cause the error with which PostgreSQL refused a statement; undefined when the client knew it before */
  static afterFailure(client: string, cause?: unknown): TransactionEndedError {
    return new TransactionEndedError(
      `A statement of the transaction of ${client} has failed, and PostgreSQL refuses all others until its rollback. Let the error out of the transaction, or run what may fail in a nested one.`,
      cause,
    );
  }
}
