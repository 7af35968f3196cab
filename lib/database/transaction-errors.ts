import { ThornConfigurationError } from '../errors/index.js';

/** @param how to begin a transaction with the client, such as `dataSource.transaction((manager) => …)` */
export function transactionRequired(client: string, how: string): ThornConfigurationError {
  return new ThornConfigurationError(
    'THORN_TRANSACTION_REQUIRED',
    `What was given is in no transaction of ${client}, and a message would outlive work that fails. Pass what a transaction gives you: ${how}.`,
    { client },
  );
}

/** See {@link transactionRequired}. */
export function transactionEnded(client: string, how: string): ThornConfigurationError {
  return new ThornConfigurationError(
    'THORN_TRANSACTION_ENDED',
    `The transaction of ${client} has ended: nothing belongs to it any more. Await everything that is done within ${how}.`,
    { client },
  );
}

/** @param other the database of the transaction, as people know it */
export function otherDatabase(client: string, other: string): ThornConfigurationError {
  return new ThornConfigurationError(
    'THORN_DATABASE_OTHER',
    `The transaction is one of ${other}, where the library has no tables. Pass one of the ${client} that ThornModule was given.`,
    { client, other },
  );
}
