/**
 * The module, decorators and services of an application that sends webhooks.
 *
 * @module nestjs-thorn
 */
// The module
export { ThornModule } from './thorn.module.js';
export type { ThornModuleExtras, ThornModuleOptions } from './module/options/module-options.js';

// Declaring events
export { BulkWriteError, WriteUnclearError, TransactionTimeoutError } from './typeorm/errors.js';
export type { MethodEventOptions } from './capture/decorators/method-event.js';
export { defineTableEvents, type TableEvents } from './capture/tables/define-table-events.js';
export { WebhookEvent, Webhooks } from './capture/decorators/webhook-event.decorator.js';
export {
  type BulkSettings,
  type BulkWrites,
  type Condition,
  conditionFromJson,
  conditionToJson,
  type DataClass,
  dataType,
  defineEvents,
  type EntityChange,
  type EntityChanges,
  type EntityEventOptions,
  type EntityEventSettings,
  type EntityTrigger,
  EventCatalogue,
  type EventDefinition,
  type EventDefinitions,
  type JsonValue,
  Q,
  type RelationTrigger,
  type ReportedValues,
  type RequestData,
  type SubjectValue,
  type TableEventOptions,
  type TableEventSettings,
  type TableOptions,
  type UncheckedPaths,
} from './event/index.js';

export { TransactionEndedError } from './database/errors.js';
export type { SerializeTransactions } from './database/sqlite-handle.js';

// Sending
export {
  type BufferOptions,
  CursorExpiredError,
  disabled,
  type EntityManagerLike,
  type EntityType,
  type HistoryEvent,
  type HistoryPage,
  type HistoryQuery,
  inline,
  type InlineOptions,
  type MessageBuffer,
  type RowCondition,
  type RowCriteria,
  type SendForOptions,
  type SendForSummary,
  type SendOptions,
  type SendResult,
  type TableRow,
  WebhookDispatcher,
  type SubscriberNotice,
} from './dispatch/index.js';
export { CHAT_TEMPLATES } from './message/index.js';
export type {
  Digest,
  EndpointAuth,
  Envelope,
  EnvelopeFunction,
  EnvelopeOption,
  MessageSettings,
  OAuth2Auth,
  RateLimit,
  RecipientRules,
  RecipientsOption,
  RetrySettings,
  Secret,
  ShapeOptions,
  StaticSubscriber,
  SubscriberCallback,
  SubscriberSource,
  Trigger,
} from './message/index.js';

// Durable delivery and its log
export {
  type CancelResult,
  Deliveries,
  type DeliveryDay,
  type DeliveryDetails,
  type DeliveryFigures,
  type DeliveryHistory,
  type DeliveryHistoryOptions,
  type DeliveryPage,
  type DeliveryQuery,
  type DeliveryRecord,
  type DeliveryStats,
  type EndpointRules,
  type LongWorkOptions,
  Maintenance,
  outbox,
  OutboxLockedError,
  type OutboxOptions,
  type PruneOptions,
  type PruneSummary,
  type ReplayOptions,
  type ReplaySummary,
  type ResealOptions,
  type ResealSummary,
  type RetryResult,
} from './outbox/index.js';

// Subscribers
export {
  type ChangeTerms,
  type CreationTerms,
  type FailureFigures,
  type HealthRules,
  type EndpointAuthChange,
  type NewSubscriber,
  type OwnerScope,
  type SecretRotation,
  type Subscriber,
  type SubscriberChange,
  type SubscriberChangeKind,
  type SubscriberChangePage,
  type StoredSubscriber,
  type SubscriberQuery,
  Subscribers,
  type SubscriberUpdate,
  SubscribersUnavailableError,
  TableLockedError,
  type Verification,
} from './subscriber/index.js';

// Delivering and signing
export {
  type Attempt,
  type DeliveryStatus,
  type FailureReason,
  type KeptAttempts,
  type OwnerAttempt,
  type OwnerErrorCode,
  type OwnerFailureReason,
  ownerReason,
  ownerView,
  type TlsOptions,
  type WebhookEventMap,
  type WebhookEventName,
  WebhookEvents,
} from './delivery/index.js';
export {
  type EncryptionKey,
  type EncryptionOptions,
  generateSecret,
  generateSigningKeyPair,
  type SigningKeyPair,
  type SigningOptions,
  type UnsubscribeOptions,
} from './signing/index.js';

// The REST API
export {
  type ApiLimits,
  type ApiDecorators,
  type ApiOwner,
  type ApiRequest,
  describeThornApi,
  type OperatorApiOptions,
  type OpenApiDocument,
  type ThornApiOptions,
} from './api/index.js';

export { Clock } from './common/index.js';
export {
  InvalidInputError,
  RecipientRefusedError,
  ThornConfigurationError,
  ThornError,
} from './errors/index.js';
