/**
 * Receiving and verifying webhooks.
 *
 * @module nestjs-thorn/receiver
 */
export { CreateThornReceivedMessages1767312060000 } from './processing/received-table.js';
export {
  type MessageOrder,
  equalsInConstantTime,
  headerOf,
  type MessageIdentity,
  type SignatureClaim,
  signaturesOf,
  textOf,
  timestampOf,
  WebhookScheme,
} from './schemes/webhook-scheme.js';
export { GithubScheme, StripeScheme } from './schemes/vendor-schemes.js';
export { InMemoryReceivedMessages } from './processing/in-memory-received-messages.js';
export {
  type ClaimKind,
  type ClaimResult,
  type ClaimTimes,
  type MessageClaim,
  ReceivedMessages,
} from './processing/received-messages.js';
export { ThornReceiverModule } from './receiver.module.js';
export type {
  DeduplicationOptions,
  InOrderOptions,
  ReceiverOptions,
  ThornReceiverModuleExtras,
  ThornReceiverModuleOptions,
} from './receiver-options.js';
export { type RedisCommand, RedisReceivedMessages } from './processing/redis-received-messages.js';
export type { SchemeName } from './schemes/scheme-by-name.js';
export {
  type HeadersSource,
  type SignedRequest,
  type RejectionReason,
  WebhookRejectedError,
} from './schemes/signed-request.js';
export type { SqlClientDefinition } from '../database/sql-client.js';
export { StandardScheme } from './schemes/standard-scheme.js';
export { ThornScheme } from './schemes/thorn-scheme.js';
export {
  OtherDatabaseError,
  TransactionEndedError,
  TransactionRequiredError,
} from '../database/errors.js';
export type { VerifiedWebhook } from './routes/webhook-verifier.js';
export {
  verifyWebhook,
  type VerifyWebhookInput,
  type VerifierOptions,
} from './routes/webhook-verifier.js';
export { Webhook, WebhookReceiver } from './routes/webhook-receiver.decorator.js';
export {
  type ReceivedMessageFacts,
  type WebhookReceiverEventMap,
  WebhookReceiverEvents,
} from './routes/webhook-receiver-events.js';
export { WebhookReceivers } from './routes/webhook-receivers.js';
export { InvalidInputError, ThornConfigurationError, ThornError } from '../errors/index.js';
export { Clock } from '../common/index.js';
