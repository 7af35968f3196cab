export { BulkWriteError } from './criteria/bulk-write.error.js';
export { WriteUnclearError } from './criteria/write-unclear.error.js';
export { CapturedDataSources } from './captured-data-sources.js';
export { CapturedEntityMessageSource } from './captured-entity-message-source.js';
export { DeclaredEvents } from './plan/declared-events.js';
export { type EventsWithoutData, eventsWithoutData } from './plan/events-without-data.js';
export { secretColumns } from './plan/secret-columns.js';
export { EntityCapture } from './hooks/entity-capture.js';
export type { EntityCaptureOptions } from './hooks/entity-capture-options.js';
export { ReportReconciler } from './feed/report-reconciler.js';
export { ChangeFeed } from './feed/change-feed.js';
export { ChangeTable } from './feed/change-table.js';
export { FeedLoop } from './feed/feed-loop.js';
export { CapturedTransactions } from './captured-transactions.js';
export { assertEntitiesKnown, unknownEntities } from './entities/entity-check.js';
export type {
  MethodErrorOptions,
  MethodEventOptions,
  MethodSuccessOptions,
} from './decorators/method-event.js';
export { type MethodEventDecorator, WebhookEvent } from './decorators/webhook-event.decorator.js';
export { type EntityDecorator, Webhooks } from './decorators/webhooks.decorator.js';
