export { type AttemptSequel, tellAttempt } from './attempt-events.js';
export { AttemptError } from './attempt.error.js';
export { type Attempt, type AttemptErrorCode } from './attempt.js';
export { attemptRecordOf, type AttemptRecord } from './attempt-record.js';
export { Deliverer, type DelivererOptions } from './deliverer.js';
export { DeliveryLog, type LoggedAttempt, type ReadKept } from './delivery-log.js';
export type { DeliveryStatus } from './delivery-status.js';
export { egressProxyOf } from './egress-proxy.js';
export { type AddressLookup, type ConnectorOptions } from './guarded-connector.js';
export {
  type OwnerAttempt,
  type OwnerErrorCode,
  type OwnerFailureReason,
  ownerReason,
  ownerView,
} from './owner-view.js';
export {
  PublicRecipientPolicy,
  type PublicRecipientPolicyOptions,
} from './public-recipient-policy.js';
export { RecipientPolicies } from './recipient-policies.js';
export { RecipientPolicy } from './recipient-policy.js';
export { checkRecipientRules } from './recipient-rule-checks.js';
export { checkResolved } from './resolved-recipient.js';
export type { TlsOptions } from './tls-settings.js';
export { UndiciHttpClient, type UndiciHttpClientOptions } from './undici-http-client.js';
export {
  WebhookHttpClient,
  type WebhookRequest,
  type WebhookResponse,
} from './webhook-http-client.js';
export { FAILURE_REASONS, type FailureReason } from './failure-reason.js';
export { type AttemptOutcome, RetryPolicy, type RetryQuestion } from './retry-policy.js';
export { type KeptAttempts, StandardDeliveryLog } from './standard-delivery-log.js';
export {
  STANDARD_SCHEDULE,
  StandardRetryPolicy,
  type StandardRetryPolicyOptions,
} from './standard-retry-policy.js';
export { parseRetryAfter } from './retry-after.js';
export type {
  AttemptFacts,
  DeliveryFacts,
  SubscriberFacts,
  WebhookEventMap,
  WebhookEventName,
} from './webhook-event-map.js';
export { WebhookEvents } from './webhook-events.js';
