/**
 * Tools for the tests of applications and of replaced classes.
 *
 * @module nestjs-thorn/testing
 */
export { type WaitOptions, WaitTimeoutError } from './arrival-waiter.js';
export { MovableClock } from './movable-clock.js';
export { ReceivedWebhook } from './received-webhook.js';
export { RecordingStrategy, type SentMessage } from './recording.strategy.js';
export { signWebhook, type SignedWebhook, type SignWebhookInput } from './sign-webhook.js';
export { LOOPBACK_RECIPIENTS, type ScriptedAnswer, ScriptedReceiver } from './scripted-receiver.js';

// Suites that any implementation of a pluggable class must pass
export {
  dispatchStrategyConformance,
  type DispatchStrategyFixture,
  type DispatchStrategyUnderTest,
} from './conformance/dispatch-strategy.js';
export {
  sqlClientConformance,
  type SqlClientFixture,
  type SqlClientUnderTest,
} from './conformance/sql-client.js';
export type { SubscriberStorage } from './conformance/subscriber-repository/subscribers.js';
export {
  subscriberRepositoryConformance,
  type SubscriberRepositoryUnderTest,
} from './conformance/subscriber-repository/subscriber-repository.js';
export type { Expectation, TestRunner } from './conformance/test-runner.js';
export {
  webhookFormatConformance,
  type WebhookFormatUnderTest,
} from './conformance/webhook-format.js';
export {
  webhookHttpClientConformance,
  type WebhookHttpClientUnderTest,
} from './conformance/webhook-http-client.js';
export {
  webhookSignerConformance,
  type WebhookSignerUnderTest,
} from './conformance/webhook-signer.js';
