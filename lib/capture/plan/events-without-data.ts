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
