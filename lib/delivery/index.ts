export type { AttemptBounds } from './attempt-result.js';
export { type NextStep, emitAttempt } from './events/attempt-events.js';
export type { AnswerHeaderOptions } from './attempt/answer-headers.js';
export { AttemptError } from './attempt/attempt.error.js';
export { type Attempt, type AttemptErrorCode, OWN_ERRORS } from './attempt/attempt.js';
export { attemptRecordOf, type AttemptRecord } from './attempt/attempt-record.js';
export { Deliverer } from './deliverer.js';
export { DeliverySettings } from './delivery-settings.js';
export { DeliveryLog, type LoggedAttempt, type ReadKept } from './log/delivery-log.js';
export {
  type DeliveryStatus,
  FAILURE_REASONS,
  type FailureReason,
} from './attempt/delivery-status.js';
export {
  type OwnerAttempt,
  type OwnerErrorCode,
  type OwnerFailureReason,
  ownerReason,
  ownerView,
} from './attempt/owner-view.js';
export {
  PublicRecipientPolicy,
  type PublicRecipientPolicyOptions,
} from './recipient-policy/public-recipient-policy.js';
export { RecipientPolicies } from './recipient-policy/event-recipient-policies.js';
export { RecipientPolicy } from './recipient-policy/recipient-policy.js';
export { recipientRules } from './recipient-policy/development-recipients.js';
export { checkResolvedAddresses } from './recipient-policy/resolved-addresses.js';
export type { TlsOptions } from './http/tls-settings.js';
export { UndiciHttpClient, type UndiciHttpClientOptions } from './http/undici-http-client.js';
export {
  WebhookHttpClient,
  type WebhookRequest,
  type WebhookResponse,
} from './http/webhook-http-client.js';
export { type AttemptOutcome, RetryPolicy, type RetryQuestion } from './retry/retry-policy.js';
export { type KeptAttempts, StandardDeliveryLog } from './log/standard-delivery-log.js';
export {
  STANDARD_SCHEDULE,
  StandardRetryPolicy,
  type StandardRetryPolicyOptions,
} from './retry/standard-retry-policy.js';
export { parseRetryAfter } from './retry/retry-after.js';
export type {
  AttemptFacts,
  DeliveryFacts,
  SubscriberFacts,
  WebhookEventMap,
  WebhookEventName,
} from './events/webhook-event-map.js';
export { WebhookEvents } from './events/webhook-events.js';
export type { AddressLookup } from './recipient-policy/system-lookup.js';
