export { CreateThornReceivedMessages1767312060000 } from './create-received-messages.js';
export { DatabaseReceivedMessages } from './database-received-messages.js';
export { GithubScheme } from './github-scheme.js';
export { InMemoryReceivedMessages } from './in-memory-received-messages.js';
export {
  type ClaimResult,
  type ClaimTimes,
  type MessageClaim,
  ReceivedMessages,
} from './received-messages.js';
export { purgeReceivedMessages } from './received-table.js';
export { ThornReceiverModule } from './receiver.module.js';
export type {
  DeduplicationOptions,
  ReceiverOptions,
  ThornReceiverModuleExtras,
  ThornReceiverModuleOptions,
} from './receiver-options.js';
export { type RedisCommand, RedisReceivedMessages } from './redis-received-messages.js';
export type { SchemeName } from './schemes.js';
export type { HeadersSource, SignedRequest } from './signed-request.js';
export type { SqlManager, TransactionManager } from './sql-manager.js';
export { StandardScheme } from './standard-scheme.js';
export { StripeScheme } from './stripe-scheme.js';
export { ThornScheme } from './thorn-scheme.js';
export { TransactionRequiredError } from './transaction-required.error.js';
export type { VerifiedWebhook } from './verified-webhook.js';
export { verifyWebhook, type VerifyWebhookInput } from './verify-webhook.js';
export { Webhook } from './webhook.decorator.js';
export { WebhookReceiver } from './webhook-receiver.decorator.js';
export {
  type ReceivedMessageFacts,
  type WebhookReceiverEventMap,
  WebhookReceiverEvents,
} from './webhook-receiver-events.js';
export { WebhookReceivers } from './webhook-receivers.js';
export { type RejectionReason, WebhookRejectedError } from './webhook-rejected.error.js';
export {
  equalsInConstantTime,
  headerOf,
  type MessageIdentity,
  type SignatureClaim,
  signaturesOf,
  textOf,
  timestampOf,
  WebhookScheme,
} from './webhook-scheme.js';
export type { VerifierOptions } from './webhook-verifier.js';
export { InvalidInputError, ThornConfigurationError, ThornError } from '../errors/index.js';
export { Clock } from '../common/index.js';
