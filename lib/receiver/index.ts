/**
 * Receiving and verifying webhooks.
 *
 * @module nestjs-thorn/receiver
 */
export { CreateThornReceivedMessages1767312060000 } from './deduplication/create-received-messages.js';
export { DatabaseReceivedMessages } from './deduplication/database-received-messages.js';
export { CreateThornProcessedSequences1767312060001 } from './order/create-processed-sequences.js';
export { DatabaseProcessedSequences } from './order/database-processed-sequences.js';
export { InMemoryProcessedSequences } from './order/in-memory-processed-sequences.js';
export type { MessageOrder } from './schemes/message-order.js';
export {
  ProcessedSequences,
  type SequenceClaim,
  type SequenceClaimResult,
} from './order/processed-sequences.js';
export { RedisProcessedSequences } from './order/redis-processed-sequences.js';
export { GithubScheme } from './schemes/github-scheme.js';
export { InMemoryReceivedMessages } from './deduplication/in-memory-received-messages.js';
export {
  type ClaimResult,
  type ClaimTimes,
  type MessageClaim,
  ReceivedMessages,
} from './deduplication/received-messages.js';
export { purgeReceivedMessages } from './deduplication/received-table.js';
export { ThornReceiverModule } from './receiver.module.js';
export type {
  DeduplicationOptions,
  InOrderOptions,
  ReceiverOptions,
  ThornReceiverModuleExtras,
  ThornReceiverModuleOptions,
} from './receiver-options.js';
export {
  type RedisCommand,
  RedisReceivedMessages,
} from './deduplication/redis-received-messages.js';
export type { SchemeName } from './schemes/scheme-by-name.js';
export type { HeadersSource, SignedRequest } from './schemes/signed-request.js';
export type { SqlDataSource, SqlManager, SqlRunner } from '../database/typeorm-client.js';
export { StandardScheme } from './schemes/standard-scheme.js';
export { StripeScheme } from './schemes/stripe-scheme.js';
export { ThornScheme } from './schemes/thorn-scheme.js';
export { TransactionRequiredError } from '../database/transaction-required.error.js';
export type { VerifiedWebhook } from './verification/verified-webhook.js';
export { verifyWebhook, type VerifyWebhookInput } from './verification/verify-webhook.js';
export { Webhook } from './routes/webhook.decorator.js';
export { WebhookReceiver } from './routes/webhook-receiver.decorator.js';
export {
  type ReceivedMessageFacts,
  type WebhookReceiverEventMap,
  WebhookReceiverEvents,
} from './routes/webhook-receiver-events.js';
export { WebhookReceivers } from './routes/webhook-receivers.js';
export { type RejectionReason, WebhookRejectedError } from './schemes/webhook-rejected.error.js';
export {
  equalsInConstantTime,
  headerOf,
  type MessageIdentity,
  type SignatureClaim,
  signaturesOf,
  textOf,
  timestampOf,
  WebhookScheme,
} from './schemes/webhook-scheme.js';
export type { VerifierOptions } from './verification/webhook-verifier.js';
export { InvalidInputError, ThornConfigurationError, ThornError } from '../errors/index.js';
export { Clock } from '../common/index.js';
