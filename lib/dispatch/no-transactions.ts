import { InvalidInputError } from '../errors/index.js';
import { Transactions } from './transactions.js';

/** An application without a database. */
export class NoTransactions extends Transactions {
  override current(): undefined {
    return undefined;
  }

  override enlistSync(): never {
    return this.enlist();
  }

  override enlist(): never {
    throw new InvalidInputError(
      'tx',
      'cannot be joined: ThornModule has no database. Give its client by the option database, name its TypeORM data ' +
        'source in the option dataSources, or leave out tx and manager',
    );
  }
}
