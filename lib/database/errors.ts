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
      `The transaction of ${client} has ended, so this call cannot belong to it. Await every call inside ${how}.`,
      cause,
    );
  }

  /**
   * For clients whose transactions are connections: a transaction that has ended and one that was never begun look the
   * same.
   */
  static ofConnection(
    client: string,
    begin: string,
    end: string,
    cause?: unknown,
  ): TransactionEndedError {
    return new TransactionEndedError(
      `The connection of ${client} is in no transaction: it has ended, or was never begun. Await every call between ${begin} and ${end}.`,
      cause,
    );
  }

  /**
   * @param cause the error with which PostgreSQL refused a statement; undefined when the client refused it without
   *   asking the database
   */
  static afterFailure(client: string, cause?: unknown): TransactionEndedError {
    return new TransactionEndedError(
      `A statement of the transaction of ${client} has failed, and PostgreSQL refuses all others until its rollback. Let the error leave the transaction function, or run statements that may fail in a nested transaction.`,
      cause,
    );
  }
}

/** Thrown for a transaction of another database than the one with the library's tables, for example of a replica. */
export class OtherDatabaseError extends ThornError {
  readonly code = 'THORN_DATABASE_OTHER';

  constructor(text: string, client: string, cause?: unknown) {
    super(text, { client }, cause);
  }

  /**
   * @param other the database of the transaction, as people know it
   * @param options of the client that name the library's own connections. Default: it has none
   */
  static of(client: string, other: string, options?: string): OtherDatabaseError {
    const connections = options && ` If it is one, let ${options} name its database.`;
    return new OtherDatabaseError(
      `The transaction is one of ${other}, but the library works on another database. Pass a transaction of the ${client} that the module was given.${connections ?? ''}`,
      client,
    );
  }

  /** @param cause the error with which the database refused to write */
  static ofReplica(client: string, cause: unknown): OtherDatabaseError {
    return new OtherDatabaseError(
      `The transaction of ${client} may not write: its database is a replica, or it is read-only. Pass a transaction on the primary server.`,
      client,
      cause,
    );
  }
}

/**
 * Thrown when the database has not answered in time, or when the pool had no connection for so long. The work is done
 * again. A connection that did not answer was dropped.
 */
export class OutboxTimeoutError extends ThornError {
  readonly code = 'THORN_OUTBOX_TIMEOUT';

  /** @param timeout milliseconds @param isConnected false when the pool gave no connection */
  constructor(timeout: number, isConnected: boolean) {
    super(
      isConnected
        ? `The database did not answer within ${timeout} ms. If it is merely slow, raise queryTimeout in outbox({ … })`
        : `The pool had no free connection within ${timeout} ms. Give it more connections, or hold them for a shorter time`,
      { timeout },
    );
  }
}
