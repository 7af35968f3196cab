import type { EntityPlan } from '../entities/entity-plan.js';
import type { EventPlan } from '../plan/event-plan.js';

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
  | 'save({ reload: false })';

/** The events of an entity that an operation may make happen, each name once. */
export function concernedEvents(plan: EntityPlan, operation: BulkOperation): string[] {
  const concerned = plan.events.filter((event) => concerns(operation, event));
  return [...new Set(concerned.map(({ name }) => name))];
}

/**
 * The code that sends events by hand for what an operation does, and when to run it. It sends them for the rows that the
 * operation hits, whatever its `where` names: after an update, the same condition may match none of them, or others.
 */
export function codeByHand(
  { metadata: { name, deleteDateColumn } }: EntityPlan,
  operation: BulkOperation,
  events: readonly string[],
): string {
  const rows = `manager.find(${name}, { where })`;
  const all = `manager.find(${name}, { where, withDeleted: true })`;
  const sent = forEach(events, (event) => `dispatcher.sendFor(${name}, { where }, ${event})`);
  const sentLater = `; after it: for (const row of rows) ${forEach(events, (event) => `dispatcher.sendFor(row, ${event})`)}`;
  switch (operation) {
    case 'delete':
    case 'clear':
      return `before it: ${sent}`;
    case 'update':
    case 'update of the key':
    case 'update of the delete date':
    case 'update of the delete date to null':
      return `before it: const rows = await ${deleteDateColumn ? all : rows}${sentLater}`;
    case 'softDelete':
      return `before it: const rows = await ${rows}${sentLater}`;
    case 'restore': {
      const isRemoved = `(row) => row.${deleteDateColumn?.propertyPath} !== null`;
      return `before it: const rows = (await ${all}).filter(${isRemoved})${sentLater}`;
    }
    case 'relation().remove()':
      // Links have no event that a row alone could be sent for.
      return `after it: ${events.map((event) => `await dispatcher.send('${event}', data)`).join('; ')}`;
    default:
      // What is new has a condition of its own.
      return `after it: ${events.map((event) => `await dispatcher.sendFor(${name}, { where }, '${event}')`).join('; ')}`;
  }
}

function forEach(events: readonly string[], call: (event: string) => string): string {
  const names = events.map((event) => `'${event}'`);
  return names.length === 1
    ? `await ${call(names[0]!)}`
    : `for (const event of [${names.join(', ')}]) await ${call('event')}`;
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
      return typeof on === 'object' && !('added' in on);
  }
}
