import type { EntityPlan, EventPlan } from '../plan/entity-plan.js';

/** A kind of write that query builders make, or that says no rows in another way. */
export type BulkOperation =
  | 'update'
  | 'delete'
  | 'softDelete'
  | 'restore'
  | 'insert'
  | 'upsert'
  | 'clear'
  | 'valuesFromSelect'
  | 'relation().remove()'
  | 'save({ reload: false })';

/** The events of an entity that an operation may make happen, each name once. */
export function concernedEvents(plan: EntityPlan, operation: BulkOperation): string[] {
  const concerned = plan.events.filter((event) => concerns(operation, event));
  return [...new Set(concerned.map(({ name }) => name))];
}

/** The call that sends an event by hand for what the operation has done, and when to make it. */
export function callByHand(
  { metadata }: EntityPlan,
  operation: BulkOperation,
  event: string,
): string {
  // Links have no event that a row alone could be sent for.
  if (operation === 'relation().remove()') return `after it: dispatcher.send('${event}', data)`;
  // A row that was softly removed is found only when it is asked for, and one that has gone not at all.
  const criteria = operation === 'softDelete' ? '{ where, withDeleted: true }' : '{ where }';
  const isGone = operation === 'delete' || operation === 'clear';
  return `${isGone ? 'before' : 'after'} it: dispatcher.sendFor(${metadata.name}, ${criteria}, '${event}')`;
}

function concerns(operation: BulkOperation, { options }: EventPlan): boolean {
  const { on, softRemoval = true } = options;
  switch (operation) {
    case 'update':
      return on === 'change';
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
      return typeof on === 'object' && !('added' in on);
  }
}
