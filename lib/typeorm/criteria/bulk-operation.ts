import type { EntityPlan } from '../entities/entity-plan.js';
import type { EventPlan } from '../../capture/plan/event-plan.js';

/** A kind of write that query builders make, or that says no rows in another way. */
export type BulkOperation =
  | 'update'
  | 'update of the key'
  | 'update of the delete date'
  | 'update of the delete date to null'
  | 'delete'
  | 'softDelete'
  | 'restore'
  | 'insert'
  | 'upsert'
  | 'clear'
  | 'valuesFromSelect'
  | 'relation().remove()'
  | 'removal of linked rows'
  | 'save({ reload: false })';

/** The events of an entity that an operation may make happen. */
export function eventsOf(plan: EntityPlan, operation: BulkOperation): readonly EventPlan[] {
  return plan.events.filter((event) => concerns(operation, event));
}

/** The names of {@link eventsOf}, each once. */
export function concernedEvents(plan: EntityPlan, operation: BulkOperation): string[] {
  return [...new Set(eventsOf(plan, operation).map(({ name }) => name))];
}

/** How to send events by hand for an operation that is not captured. */
export function byHand(operation: BulkOperation): string {
  switch (operation) {
    case 'delete':
    case 'clear':
      return 'call dispatcher.sendFor() before it';
    case 'update':
    case 'update of the key':
    case 'update of the delete date':
    case 'update of the delete date to null':
    case 'softDelete':
    case 'restore':
      // After the write, the same condition may match no row, or other rows.
      return 'read its rows before it, and call dispatcher.sendFor() for each after it';
    case 'relation().remove()':
    case 'removal of linked rows':
      // Links have no event that a row alone could be sent for.
      return 'call dispatcher.send() after it';
    default:
      return 'call dispatcher.sendFor() after it';
  }
}

function concerns(operation: BulkOperation, { options }: EventPlan): boolean {
  const { on, softRemoval = true } = options;
  switch (operation) {
    case 'update':
    // Entities that know no change are often written with all of their columns, and null is the date of most rows.
    case 'update of the delete date to null':
      return on === 'change';
    case 'update of the key':
      return typeof on === 'string';
    case 'update of the delete date':
      return on === 'change' || (on === 'delete' && softRemoval);
    case 'delete':
    case 'clear':
      return on === 'delete';
    case 'softDelete':
      return on === 'delete' && softRemoval;
    case 'restore':
      return on === 'create' && softRemoval;
    case 'upsert':
      return on === 'create' || on === 'change';
    case 'insert':
    case 'valuesFromSelect':
    case 'save({ reload: false })':
      return on === 'create';
    case 'relation().remove()':
    case 'removal of linked rows':
      return typeof on === 'object' && !('added' in on);
  }
}
