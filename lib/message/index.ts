export { BodySettings } from './body-settings.js';
export { type Codec, Codecs } from './encoding/codecs.js';
export {
  type Envelope,
  type EnvelopeFunction,
  envelopeName,
  type EnvelopeOption,
} from './envelope.js';
export { type MessageDraft, MessageFactory } from './message.factory.js';
export {
  type FormatInput,
  type FormatRules,
  type FormattedRequest,
  WebhookFormat,
} from './format/webhook-format.js';
export {
  type EncodedRequest,
  MAX_FORMAT_LENGTH,
  STANDARD_FORMAT,
  WebhookFormats,
} from './format/webhook-formats.js';
export { checkMessageId } from './message-id.js';
export { type Audience, Message, type MessageFields } from './message.js';
export {
  MessageTracing,
  NoTracing,
  type TracedAttempt,
  type TracedResult,
  type TraceOrigin,
} from './message-tracing.js';
export {
  checkMessageSettings,
  MESSAGE_SETTINGS,
  messageSettings,
  type MessageSettings,
} from './message-settings.js';
export {
  keyHeader,
  ORDER_SETTINGS,
  type OrderBy,
  type OrderKey,
  orderSetting,
  type OrderSetting,
} from './order-key.js';
export type { RecipientRules, RecipientsOption } from './recipient-rules.js';
export { type Digest, hasEnded, type RateLimit, type Recipient, type Secret } from './recipient.js';
export { MAX_RETRIES, MAX_RETRY_DELAY, type RetrySettings } from './retry-settings.js';
export type {
  StaticSubscriber,
  SubscriberCallback,
  SubscriberSource,
} from './subscriber-source.js';
export { hostOf, NO_HOST, withoutQuery } from './recipient-host.js';
export { type EnvelopeName, WireFormat } from './wire-format.js';
