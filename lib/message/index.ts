export { type Codec, Codecs } from './codecs.js';
export {
  type EnvelopeFunction,
  type MessageDraft,
  MessageFactory,
  type MessageFactoryOptions,
} from './message.factory.js';
export {
  type Audience,
  type Envelope,
  Message,
  type MessageFields,
  type MessageSettings,
} from './message.js';
export type { Digest, Recipient, Secret } from './recipient.js';
export {
  checkRetrySettings,
  MAX_RETRIES,
  MAX_RETRY_DELAY,
  type RetrySettings,
} from './retry-settings.js';
