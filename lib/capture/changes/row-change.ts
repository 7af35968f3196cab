import type { LinkPlan, TablePlan } from '../plan/event-plan.js';
import type { FieldValue } from '../table/row-table.js';

/** The kind of write that was made to a row. */
export type RowWrite = 'insert' | 'update' | 'remove' | 'soft-remove' | 'recover';

/**
 * One change of one row. A hook of an ORM has noticed it, or a trigger has reported it.
 *
 * A class and not an object literal, because of memory. Once V8 has seen many literals survive, it allocates new ones
 * among old objects; each unused one then keeps its row in memory until the next full collection.
 */
export class RowChange {
  readonly type = 'row';
  readonly did: RowWrite;
  /** The table, and its events. */
  readonly plan: TablePlan;
  /** Identifies the row among the rows of its table; see {@link tableRowKey}. */
  readonly key: string;
  /** An object that holds the key: the row before, or the key alone. */
  readonly id: object;
  /** The row before; undefined on insert, and where it is not known. */
  readonly before: object | undefined;
  /** The row after. Undefined where it has to be read. */
  readonly after: object | undefined;
  /** True if {@link before} and {@link after} have every relation and hidden column that the events ask for. */
  readonly isComplete: boolean;
  /** The fields that an update has set; of an insert the date of a row that is softly removed. */
  readonly changed: readonly FieldValue[];

  constructor(change: Omit<RowChange, 'type' | 'after'> & Partial<Pick<RowChange, 'after'>>) {
    this.did = change.did;
    this.plan = change.plan;
    this.key = change.key;
    this.id = change.id;
    this.before = change.before;
    this.after = change.after;
    this.isComplete = change.isComplete;
    this.changed = change.changed;
  }
}

/** One link of a many-to-many relation that was added or removed, seen from a row whose events need to know it. */
export interface LinkChange {
  readonly type: 'link';
  readonly did: 'link' | 'unlink';
  readonly plan: LinkPlan;
  readonly key: string;
  readonly id: object;
  /** The row at the other end. */
  readonly relatedKey: string;
  readonly relatedId: object;
  /** The related row before its removal, when the link was removed together with it, and when that row was read. */
  readonly removed?: object | undefined;
}
