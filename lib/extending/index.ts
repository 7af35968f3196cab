/**
 * The classes to replace: strategies, relays, repositories, HTTP clients, policies, logs and signers.
 *
 * @module nestjs-thorn/extending
 */
export type {
  CommitNews,
  JoinedTransaction,
  Result,
  Row,
  SqlClient,
  SqlExecutor,
  SqlTables,
} from '../database/sql-client.js';
export type { ColumnKind, Columns, Dialect, Statement, Tuple } from '../database/dialect.js';
export type {
  MysqlConnection,
  MysqlPool,
  PgClient,
  PgPool,
  SqlDriver,
} from '../database/sql-driver.js';
export {
  type DispatchSetting,
  DispatchStrategy,
  type EventStore,
  FanOut,
  type HistoryPlace,
  type Release,
  type StoredEvent,
  type StoredEvents,
  type StrategyDefinition,
} from '../dispatch/index.js';
export {
  type Audience,
  type Codec,
  type FormatInput,
  type FormatRules,
  type FormattedRequest,
  Message,
  MessageTracing,
  type Recipient,
  type TracedAttempt,
  type TracedResult,
  type TraceOrigin,
  WebhookFormat,
  WireFormat,
} from '../message/index.js';
export {
  type AnswerClass,
  MessageRelay,
  type RelayDefinition,
  relayedOutbox,
  RelayWorker,
  type Ticket,
} from '../outbox/index.js';
export {
  InMemorySubscriberRepository,
  isActive,
  LimitReachedError,
  type MatchCriteria,
  patternMatches,
  type ResealedPage,
  type SubscriberChanges,
  type SubscriberLimits,
  type SubscriberListQuery,
  type SubscriberPage,
  SubscriberAudit,
  SubscriberRepository,
  type UntoldChange,
  type DatabaseSubscriberOptions,
  DatabaseSubscriberRepository,
  type UpdateTerms,
} from '../subscriber/index.js';
export {
  type AddressLookup,
  type AnswerHeaderOptions,
  AttemptError,
  type AttemptErrorCode,
  type AttemptBounds,
  type AttemptOutcome,
  type AttemptRecord,
  attemptRecordOf,
  Deliverer,
  DeliveryLog,
  type LoggedAttempt,
  PublicRecipientPolicy,
  type PublicRecipientPolicyOptions,
  type ReadKept,
  RecipientPolicy,
  RetryPolicy,
  type RetryQuestion,
  StandardDeliveryLog,
  StandardRetryPolicy,
  type StandardRetryPolicyOptions,
  UndiciHttpClient,
  type UndiciHttpClientOptions,
  WebhookHttpClient,
  type WebhookRequest,
  type WebhookResponse,
} from '../delivery/index.js';
export {
  ApplicationKeys,
  type JsonWebKeySet,
  type PublicJwk,
  SecretSealer,
  SecretUnreadableError,
  type SigningInput,
  StandardWebhookSigner,
  WebhookSigner,
} from '../signing/index.js';
export { SystemClock } from '../common/index.js';
