import type { ReportedChange, ReportedTable } from '../../database/triggers/reported-table.js';
import type { Message } from '../../message/index.js';
import type { EventPlan } from '../plan/event-plan.js';

/** The tables of one database whose changes triggers report, with the events that are declared on them. */
export abstract class ReportedTables {
  abstract readonly tables: readonly ReportedTable[];

  /** The events whose messages are made of the changes of a table, by {@link ReportedTable.name}. */
  abstract eventsOf(table: string): readonly EventPlan[];

  /**
   * Makes the messages of changes that are committed, in the order of the changes. Changes of one row in one transaction
   * become one; where the transaction is not known, each change stands by itself.
   *
   * @throws what the database throws, what a row throws that cannot be read, and what a function of an event with
   * `propagateErrors` throws. Other functions that fail are logged, and their event is dropped
   */
  abstract messagesOf(changes: readonly ReportedChange[]): Promise<readonly Message[]>;
}
