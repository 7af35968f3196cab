import type { EntityManager } from 'typeorm';
import type { Message } from '../message/message.js';

/** Binds messages to the transaction that an `EntityManager` is in: staged before it commits, released after. */
export abstract class Transactions {
  /**
   * The manager of the open transaction that the caller is in, the innermost one. Undefined outside of any, and in one
   * that was begun with `startTransaction()`: nobody can tell who belongs to it.
   *
   * @param entity a class: only transactions of data sources that capture it. Default: of any
   */
  abstract current(entity?: unknown): EntityManager | undefined;

  /**
   * Takes the message into the manager's transaction.
   *
   * @returns false when the manager is in no transaction, so that the caller sends at once
   * @throws {@link ThornConfigurationError} when the manager belongs to a data source that the module does not capture
   */
  abstract enlist(message: Message, manager: EntityManager): boolean;
}
