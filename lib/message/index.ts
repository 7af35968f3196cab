export {
  type Envelope,
  MAX_CHANGED_LENGTH,
  type Trigger,
  type EnvelopeFunction,
  envelopeName,
  type EnvelopeOption,
  type EnvelopeName,
  WireFormat,
} from './envelope.js';
export { BodySettings, type Codec, type ShapeOptions } from './body-settings.js';
export { Codecs } from './codecs.js';
export { BodyShapes } from './shapes/body-shapes.js';
export { CHAT_TEMPLATES } from './shapes/chat-templates.js';
export { dataPathsOf, MAX_TEMPLATE_LENGTH } from './shapes/template.js';
export { type MessageDraft, MessageFactory } from './message.factory.js';
export {
  type FormatInput,
  type FormatRules,
  type FormattedRequest,
  WebhookFormat,
} from './webhook-format.js';
export {
  type EncodedRequest,
  MAX_FORMAT_LENGTH,
  type OfferedBodies,
  STANDARD_FORMAT,
  WebhookFormats,
} from './webhook-formats.js';
export { checkMessageId, type Audience, Message, type MessageFields } from './message.js';
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
  MAX_RETRIES,
  MAX_RETRY_DELAY,
  type RetrySettings,
} from './message-settings.js';
export {
  keyHeader,
  ORDER_SETTINGS,
  type OrderBy,
  type OrderKey,
  orderSetting,
  type OrderSetting,
} from './order-key.js';
export {
  type RecipientRules,
  type RecipientsOption,
  type Digest,
  type EndpointAuth,
  hasEnded,
  type OAuth2Auth,
  type RateLimit,
  type Recipient,
  type Secret,
  type StaticSubscriber,
  hostOf,
  NO_HOST,
  withoutQuery,
} from './recipient.js';
export { isSubject, MAX_SUBJECT_LENGTH, SUBJECT_RULE } from './subject.js';
export type { SubscriberCallback, SubscriberSource } from './subscriber-source.js';
