import type { TablePlan } from './event-plan.js';

/** Events whose data is an empty object, since nothing says what it holds. */
export interface EventsWithoutData {
  /** The table, or its entity. */
  readonly entity: string;
  readonly events: readonly string[];
}

export function eventsWithoutData(plans: readonly TablePlan[]): readonly EventsWithoutData[] {
  return plans
    .map(({ table, events }) => {
      const empty = events.filter(
        ({ options }) => options.payload === undefined && options.requestData === undefined,
      );
      return { entity: table.name, events: [...new Set(empty.map(({ name }) => name))] };
    })
    .filter(({ events }) => events.length > 0);
}

/**
 * The warning that the log gives about them.
 *
 * @param declaration names the class or the table that has no payload
 * @param fix the code that declares one
 */
export function noDataWarning(
  { events }: EventsWithoutData,
  { declaration, fix }: { readonly declaration: string; readonly fix: string },
): string {
  return (
    `The data of ${events.join(', ')} is an empty object: ${declaration} has no payload. Name what subscribers may see: ` +
    `${fix}. Where that is nothing, say payload: () => ({}).`
  );
}
