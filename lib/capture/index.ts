export { BulkWriteError } from './bulk-write.error.js';
export type { BulkWrites } from './bulk-writes.js';
export { CapturedEntityEvents } from './captured-entity-events.js';
export { DeclaredEvents } from './declared-events.js';
export { EntityCapture, type EntityCaptureOptions } from './entity-capture.js';
export { FrameTransactions } from './frame-transactions.js';
export { assertEntitiesKnown, unknownEntities } from './known-entities.js';
export type {
  MethodErrorOptions,
  MethodEventOptions,
  MethodSuccessOptions,
} from './method-event.js';
export { type MethodEventDecorator, WebhookEvent } from './webhook-event.decorator.js';
export { type EntityDecorator, Webhooks } from './webhooks.decorator.js';
