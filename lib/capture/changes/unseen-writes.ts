import type { TablePlan } from '../plan/event-plan.js';
import type { DueEvent } from './due-events.js';

/**
 * Writes of a transaction that no hook has seen: SQL by hand, foreign keys of the database, writes that are not captured. When
 * there are any, rows with changes to report are read again before the commit.
 */
export class UnseenWrites {
  /**
   * @param uncaptured the tables with writes that are not captured, by which rows may have been softly removed or recovered,
   *   or inserted again. Rows of any table may be gone
   */
  constructor(private readonly uncaptured: ReadonlySet<TablePlan>) {}

  /** Tells whether a row may be another than its changes say. */
  concern(plan: TablePlan, kind: DueEvent['kind']): boolean {
    return kind !== 'delete' || this.uncaptured.has(plan);
  }

  /**
   * Tells whether a row has proved to be another than its changes say: it is gone, or there again.
   *
   * @param row the row as it is; undefined when none was found
   */
  haveUndone(dueEvent: DueEvent, row: object | undefined): boolean {
    const { kind, event, net } = dueEvent;
    const plan = 'links' in dueEvent ? dueEvent.links.plan.entity : dueEvent.net.plan;
    if (row === undefined) return kind !== 'delete';
    if (!this.uncaptured.has(plan)) return false;
    if (net?.now.there === false) return true;
    const removedAt = plan.table.deleteDate?.get(row);
    if (removedAt === undefined || event.options.softRemoval === false) return false;
    return (removedAt !== null) !== (net?.now.removed ?? false);
  }
}
