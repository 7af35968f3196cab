export { type WaitOptions } from './arrivals.js';
export { MovableClock } from './movable-clock.js';
export { ReceivedWebhook } from './received-webhook.js';
export { RecordingStrategy, type SentMessage } from './recording.strategy.js';
export { WaitTimeoutError } from './wait-timeout.error.js';
export { LOOPBACK_RECIPIENTS, type ScriptedAnswer, WebhookReceiver } from './webhook-receiver.js';
