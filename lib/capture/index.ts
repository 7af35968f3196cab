export { DeclaredEvents } from './plan/declared-events.js';
export { type EventsWithoutData, eventsWithoutData } from './plan/events-without-data.js';
export { secretColumns } from './plan/secret-columns.js';
export type {
  MethodErrorOptions,
  MethodEventOptions,
  MethodSuccessOptions,
} from './decorators/method-event.js';
export { type MethodEventDecorator, WebhookEvent } from './decorators/webhook-event.decorator.js';
export { type EntityDecorator, Webhooks } from './decorators/webhooks.decorator.js';
