export {
  type NextStep,
  emitAttempt,
  type AttemptFacts,
  type DeliveryFacts,
  type SubscriberFacts,
  type WebhookEventMap,
  type WebhookEventName,
  WebhookEvents,
} from './webhook-events.js';
export type { AnswerHeaderOptions } from './attempt/answer-headers.js';
export {
  AttemptError,
  type Attempt,
  type AttemptBounds,
  type AttemptErrorCode,
  OWN_ERRORS,
  attemptRecordOf,
  type AttemptRecord,
  type DeliveryStatus,
  FAILURE_REASONS,
  type FailureReason,
  type OwnerAttempt,
  type OwnerErrorCode,
  type OwnerFailureReason,
  ownerReason,
  ownerView,
} from './attempt/attempt.js';
export { Deliverer, DeliverySettings } from './deliverer.js';
export {
  DeliveryLog,
  type LoggedAttempt,
  type ReadKept,
  type KeptAttempts,
  StandardDeliveryLog,
} from './delivery-log.js';
export {
  PublicRecipientPolicy,
  type PublicRecipientPolicyOptions,
} from './recipient-policy/public-recipient-policy.js';
export { RecipientPolicies } from './recipient-policy/event-recipient-policies.js';
export { RecipientPolicy } from './recipient-policy/recipient-policy.js';
export { recipientRules } from './recipient-policy/recipient-rules.js';
export { checkResolvedAddresses } from './recipient-policy/resolved-addresses.js';
export type { TlsOptions } from './http/tls-settings.js';
export { UndiciHttpClient, type UndiciHttpClientOptions } from './http/undici-http-client.js';
export {
  WebhookHttpClient,
  type WebhookRequest,
  type WebhookResponse,
} from './http/webhook-http-client.js';
export {
  type AttemptOutcome,
  RetryPolicy,
  type RetryQuestion,
  STANDARD_SCHEDULE,
  StandardRetryPolicy,
  type StandardRetryPolicyOptions,
  parseRetryAfter,
} from './retry-policy.js';
export type { AddressLookup } from './recipient-policy/system-lookup.js';
