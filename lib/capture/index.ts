/**
 * Turns changes of rows into messages. `lib/typeorm/sources/typeorm-sources.ts` creates the captures of TypeORM's data
 * sources. A capture passes `RowChange`s (`changes`) to `EntityMessages` (`messages`), which makes their messages
 * before the commit. `tables` does the same with the changes that triggers report.
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
