/**
 * Events of rows, from a change of a row to its messages. The way in: `lib/typeorm/sources/typeorm-sources.ts` makes the captures
 * of the data sources of TypeORM, which hand on `RowChange`s (`changes`); `EntityMessages` (`messages`) makes messages of them
 * before the commit. `tables` does the same with what triggers report.
 */
export { DeclaredEvents } from './plan/declared-events.js';
export {
  type EventsWithoutData,
  eventsWithoutData,
  secretColumns,
} from './plan/declaration-warnings.js';
export type {
  MethodErrorOptions,
  MethodEventOptions,
  MethodSuccessOptions,
} from './decorators/method-event.js';
export {
  type MethodEventDecorator,
  WebhookEvent,
  type EntityDecorator,
  Webhooks,
} from './decorators/webhook-event.decorator.js';
export { defineTableEvents, type TableEvents } from './tables/define-table-events.js';
export {
  type ReportedSource,
  ReportedSources,
  ReportedTables,
  type TableColumn,
} from './tables/reported-tables.js';
