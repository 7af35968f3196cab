import { ThornError } from '../errors/index.js';

/** Thrown for a transaction of another database than the one with the library's tables. */
export class OtherDatabaseError extends ThornError {
  readonly code = 'THORN_DATABASE_OTHER';

  /** @param other the database of the transaction, as people know it */
  constructor(client: string, other: string) {
    super(
      `The transaction is one of ${other}, where the library has no tables. Pass one of the ${client} that ThornModule was given.`,
      { client, other },
    );
  }
}
