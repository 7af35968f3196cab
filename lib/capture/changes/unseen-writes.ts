import type { TablePlan } from '../plan/event-plan.js';
import type { DueEvent } from './due-events.js';

/**
 * What a transaction may have made of rows unseen: by writes that are not captured, by SQL by hand, by the foreign keys of
 * the database. Rows with changes to report are looked at again then, before the commit.
 */
export class UnseenWrites {
  /** True if rows of any table may be gone. */
  removals = false;
  /** The tables of which rows may have been softly removed, or recovered. */
  readonly softly = new Set<TablePlan>();

  get any(): boolean {
    return this.removals || this.softly.size > 0;
  }

  /** Tells whether a row may not be there as its changes say. */
  concern(plan: TablePlan, kind: DueEvent['kind']): boolean {
    return this.softly.has(plan) || (this.removals && kind !== 'delete');
  }

  /**
   * Tells whether a row has proved not to be there as its changes say: it is gone, or was softly removed or recovered.
   *
   * @param row the row as it is; undefined when none was found
   */
  haveUndone(dueEvent: DueEvent, row: object | undefined): boolean {
    if (!this.any) return false;
    const { kind, event, net } = dueEvent;
    const plan = 'links' in dueEvent ? dueEvent.links.plan.entity : dueEvent.net.plan;
    if (!this.concern(plan, kind)) return false;
    const { deleteDate } = plan.table;
    if (row === undefined) return kind !== 'delete';
    const removedAt = deleteDate?.get(row);
    if (removedAt === undefined || event.options.softRemoval === false) return false;
    if (!this.softly.has(plan)) return false;
    return (removedAt !== null) !== (net?.now.removed ?? false);
  }
}
