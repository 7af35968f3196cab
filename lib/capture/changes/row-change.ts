import type { ObjectLiteral } from 'typeorm';
import type { ChangedValue, RowWrite } from '../rows/changed-values.js';
import type { EntityPlan, LinkPlan } from '../plan/entity-plan.js';

/**
 * One thing that TypeORM did to one row, as collected in an after-hook.
 *
 * A class, as is what is made of it: V8 allocates object literals among old objects once it has found many of them in use,
 * and there each of those that are no longer in use keeps its row in memory until the next full collection.
 */
export class RowChange {
  readonly type = 'row';
  readonly did: RowWrite;
  readonly plan: EntityPlan;
  /** Identifies the row among those of its class; see {@link rowKey}. */
  readonly key: string;
  /** The old row, or the id alone. */
  readonly id: ObjectLiteral;
  /** The row before; undefined on insert. */
  readonly old: ObjectLiteral | undefined;
  /** True if {@link old} was read with every relation and column that the events ask for. */
  readonly oldIsComplete: boolean;
  /** The values that an update has set; of an insert the date of a row that is softly removed. */
  readonly values: readonly ChangedValue[];
  /** Everything that makes a row that was inserted, when a read is sure to answer just that. */
  readonly exact: readonly ChangedValue[] | undefined;

  constructor(change: Omit<RowChange, 'type' | 'exact'> & Partial<Pick<RowChange, 'exact'>>) {
    this.did = change.did;
    this.plan = change.plan;
    this.key = change.key;
    this.id = change.id;
    this.old = change.old;
    this.oldIsComplete = change.oldIsComplete;
    this.values = change.values;
    this.exact = change.exact;
  }
}

/** One link of a many-to-many relation that was made or cut, seen from a row whose events ask for it. */
export interface LinkChange {
  readonly type: 'link';
  readonly did: 'link' | 'unlink';
  readonly plan: LinkPlan;
  readonly key: string;
  readonly id: ObjectLiteral;
  /** The row at the other end. */
  readonly relatedKey: string;
  readonly relatedId: ObjectLiteral;
  /** That row as it was, when the link is cut because it is removed, and where it was read. */
  readonly removed?: ObjectLiteral | undefined;
}
