import type { JoinedTransaction } from '../database/sql-client.js';
import type { Message } from '../message/message.js';
import { InvalidInputError } from '../errors/index.js';

/** Binds messages to transactions of the application: staged before a transaction commits, released after. */
export abstract class Transactions<Transaction = unknown> {
  /** What a call that is refused for want of a transaction can pass, for errors. */
  readonly remedy: string = 'Pass the transaction by the option tx, or tx: null to send at once.';

  /** @param isRequired true: a call of `send()` outside of a transaction is refused unless it says `tx: null`. Default false */
  constructor(readonly isRequired = false) {}

  /**
   * The open transaction that the caller is in, the innermost one, such as an `EntityManager`. Undefined outside of any,
   * and where nothing tells who belongs to it.
   *
   * @param entity a class: only transactions of data sources that capture it. Default: of any
   */
  abstract current(entity?: unknown): Transaction | undefined;

  /**
   * Takes the message into a transaction.
   *
   * @param joined what {@link join} has answered. Default: it is joined now
   * @returns false when there is none, so that the caller sends at once. A promise where the database is asked
   * @throws {@link ThornConfigurationError} when the transaction belongs to a database that the module does not know
   */
  abstract enlist(
    message: Message,
    transaction: Transaction,
    joined?: JoinedTransaction,
  ): boolean | Promise<boolean>;

  /**
   * Remembers the transaction, before anything but microtasks comes between the call that names it and {@link enlist}.
   *
   * @returns what to call afterwards, which throws when it has ended
   */
  hold(_transaction: Transaction): Promise<() => Promise<void>> {
    return Promise.resolve(() => Promise.resolve());
  }

  /**
   * Joins a transaction, to run statements in it.
   *
   * @throws `InvalidInputError` with TypeORM and without a database, as here by default
   */
  join(_transaction: Transaction): JoinedTransaction | Promise<JoinedTransaction> {
    throw new InvalidInputError(
      'table',
      'is for clients of the option database: with TypeORM pass the entity to sendFor(), or use send()',
    );
  }
}

/** The transactions of an application without a database: there are none. */
export class NoTransactions extends Transactions {
  override current(): undefined {
    return undefined;
  }

  override enlist(): never {
    throw new InvalidInputError(
      'tx',
      'cannot be joined: ThornModule has no database. Give its client by the option database, name its TypeORM data ' +
        'source in the option dataSources, or leave out tx and manager',
    );
  }
}
