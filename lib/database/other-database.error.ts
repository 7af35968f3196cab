import { ThornError } from '../errors/index.js';

/** Thrown for a transaction of another database than the one with the library's tables, such as a replica. */
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
      `The transaction is one of ${other}, and the library works on another one. Pass one of the ${client} that the module was given.${connections ?? ''}`,
      client,
    );
  }

  /** @param cause the error with which the database refused to write */
  static ofReplica(client: string, cause: unknown): OtherDatabaseError {
    return new OtherDatabaseError(
      `The transaction of ${client} may not write: its database is a replica, or it is read-only. Pass one that writes to the primary server.`,
      client,
      cause,
    );
  }
}
