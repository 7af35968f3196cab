// The module
export { ThornModule } from './thorn.module.js';
export type { ThornModuleExtras, ThornModuleOptions } from './thorn.module-options.js';

// Declaring events
export {
  type BulkWrites,
  BulkWriteError,
  type EntityDecorator,
  type MethodErrorOptions,
  type MethodEventDecorator,
  type MethodEventOptions,
  type MethodSuccessOptions,
  WebhookEvent,
  Webhooks,
} from './capture/index.js';
export {
  compileCondition,
  type Condition,
  type ConditionBuilder,
  conditionFromJson,
  conditionToJson,
  type DataClass,
  dataType,
  defineEvents,
  type EntityChange,
  type EntityEventOptions,
  type EntityEventSettings,
  type EntityTrigger,
  EventCatalogue,
  type EventDefinition,
  type EventDefinitions,
  type JsonValue,
  Q,
  type RelationTrigger,
  type RequestData,
} from './event/index.js';

// Sending
export {
  type BufferOptions,
  disabled,
  type DispatchSetting,
  DispatchStrategy,
  FanOut,
  inline,
  type InlineOptions,
  type MessageBuffer,
  type Release,
  type RowCriteria,
  type SendForOptions,
  type SendForSummary,
  type SendOptions,
  type SendResult,
  type StrategyDefinition,
  WebhookDispatcher,
} from './dispatch/index.js';
export {
  type Audience,
  type Codec,
  type Digest,
  type Envelope,
  type EnvelopeFunction,
  Message,
  type MessageFields,
  type MessageSettings,
  type Recipient,
  type RecipientRules,
  type RetrySettings,
  type Secret,
  type StaticSubscriber,
  type SubscriberCallback,
  type SubscriberSource,
} from './message/index.js';

// Durable delivery and its log
export {
  type AttemptRecord,
  type BackfillOptions,
  type CancelResult,
  Deliveries,
  type DeliveryDetails,
  type DeliveryPage,
  type DeliveryQuery,
  type DeliveryRecord,
  type DeliveryStats,
  type DeliveryStatus,
  outbox,
  type OutboxOptions,
  type ReplayCounts,
  type ReplayOptions,
  type ReplaySummary,
  type RetryFailedOptions,
  type RetryResult,
  ThornAttempt,
  ThornDelivery,
  ThornHealth,
  ThornMessage,
} from './outbox/index.js';

// Subscribers
export {
  type HealthRules,
  InMemorySubscriberRepository,
  isActive,
  LimitReachedError,
  type MatchCriteria,
  type NewSubscriber,
  type OwnerScope,
  patternMatches,
  type ResealedPage,
  type ResealOptions,
  type ResealSummary,
  type SecretRotation,
  type Subscriber,
  type SubscriberChanges,
  type SubscriberLimits,
  type SubscriberPage,
  SubscriberRepository,
  Subscribers,
  type SubscriberUpdate,
  SubscribersUnavailableError,
  ThornSubscriber,
  TypeOrmSubscriberRepository,
  type UpdateTerms,
} from './subscriber/index.js';
export {
  CreateThornOutbox1767312000000,
  CreateThornSubscribers1767225600000,
  thornEntities,
  thornMigrations,
} from './migrations/index.js';

// Delivering and signing
export {
  type Attempt,
  AttemptError,
  type AttemptErrorCode,
  type AttemptFacts,
  type AttemptOutcome,
  Deliverer,
  type DeliveryFacts,
  type FailureReason,
  type OwnerAttempt,
  type OwnerErrorCode,
  type OwnerFailureReason,
  ownerReason,
  ownerView,
  PublicRecipientPolicy,
  type PublicRecipientPolicyOptions,
  RecipientPolicy,
  RetryPolicy,
  type RetryQuestion,
  STANDARD_SCHEDULE,
  StandardRetryPolicy,
  type StandardRetryPolicyOptions,
  type SubscriberFacts,
  type TlsOptions,
  UndiciHttpClient,
  type UndiciHttpClientOptions,
  type WebhookEventMap,
  type WebhookEventName,
  WebhookEvents,
  WebhookHttpClient,
  type WebhookRequest,
  type WebhookResponse,
} from './delivery/index.js';
export {
  ApplicationKeys,
  type EncryptionKey,
  type EncryptionOptions,
  generateSecret,
  generateSigningKeyPair,
  type JsonWebKeySet,
  type PublicJwk,
  SecretSealer,
  SecretUnreadableError,
  type SigningInput,
  type SigningKeyPair,
  type SigningOptions,
  StandardWebhookSigner,
  WebhookSigner,
} from './signing/index.js';

// The REST API
export type { ApiRequest, ApiUser, ThornApiOptions } from './api/index.js';

export { Clock, SystemClock } from './common/index.js';
export {
  InvalidInputError,
  RecipientRefusedError,
  ThornConfigurationError,
  ThornError,
} from './errors/index.js';
