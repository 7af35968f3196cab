import type { Digest } from '../../message/recipient.js';
import { MAX_FORMAT_LENGTH, STANDARD_FORMAT } from '../../message/index.js';
import type { JsonValue, UncheckedFilter } from '../../event/index.js';
import {
  EXHAUSTED_ACTIONS,
  MAX_DESCRIPTION_LENGTH,
  MAX_FILTER_LENGTH,
  MAX_HOLD_FOR,
  MAX_KEY_LENGTH,
  MAX_METADATA_ENTRIES,
  MAX_METADATA_KEY_LENGTH,
  MAX_METADATA_VALUE_LENGTH,
  MAX_PATTERN_LENGTH,
  MAX_PATTERNS,
  MAX_RATE,
  MAX_RATE_PER,
  MAX_URL_LENGTH,
  MIN_RATE_PER,
  type Subscriber,
  SUBSCRIBER_STATES,
  subscriberState,
} from '../../subscriber/index.js';
import { ALIASES } from '../http/body-fields.js';
import {
  all,
  type Fields,
  flag,
  integer,
  list,
  map,
  nullable,
  oneOf,
  type Schema,
  text,
  time,
  type ValueOf,
} from '../schema/schema.js';

const DIGESTS = ['sha1', 'sha256', 'sha512'] as const satisfies readonly Digest[];
const digest = { ...oneOf(DIGESTS), description: 'The digest of the header Hook-HMAC' };
const pattern = { ...text, maxLength: MAX_PATTERN_LENGTH };
const patterns = {
  ...list({ ...pattern, example: 'article.*' }),
  maxItems: MAX_PATTERNS,
};
const filter: Schema<JsonValue> = {
  type: 'object',
  description: `A condition on the data of messages, up to ${MAX_FILTER_LENGTH} characters of JSON; null: all messages`,
  additionalProperties: true,
};

export const SECRET = {
  ...text,
  minLength: 16,
  maxLength: 512,
  description:
    'whsec_ and the base64 of 24 to 64 bytes, an ed25519 key (whsk_…), or a text; default: a random one',
};

/** The fields that a caller may set at the creation alone, and that answers show. */
const CREATED_WITH = {
  format: {
    ...text,
    maxLength: MAX_FORMAT_LENGTH,
    example: STANDARD_FORMAT,
    description:
      'The form of the requests: standard, or a format that the application has registered; given once, at the creation',
  },
  key: nullable({
    ...text,
    minLength: 1,
    maxLength: MAX_KEY_LENGTH,
    description:
      'Your own name for the subscriber: a POST with one that you used already changes that subscriber',
  }),
};

/** The fields that a caller may set, and that answers show: the service of subscribers looks at them. */
export const CHANGEABLE = {
  url: {
    ...text,
    format: 'uri',
    maxLength: MAX_URL_LENGTH,
    description: 'Where deliveries go, as the recipient policy of the application allows',
  },
  events: {
    ...patterns,
    minItems: 1,
    uniqueItems: true,
    description: 'Patterns, each once and able to match a known event',
  },
  exclude: { ...patterns, description: 'Events to leave out, although events matches them' },
  filter: nullable(filter),
  rateLimit: nullable({
    ...all({
      max: { ...integer, minimum: 1, maximum: MAX_RATE },
      per: { ...integer, minimum: MIN_RATE_PER, maximum: MAX_RATE_PER },
    }),
    description: 'At most max attempts in any per milliseconds; the rest waits. Null: no limit',
    additionalProperties: false,
  }),
  ordered: { ...flag, description: 'Messages of the same key go one after another' },
  onExhausted: {
    ...oneOf(EXHAUSTED_ACTIONS),
    description: 'After a delivery that failed for good, the next message of its key goes or waits',
  },
  holdFor: nullable({
    ...integer,
    minimum: 1,
    maximum: MAX_HOLD_FOR,
    description: 'With hold: milliseconds after which the key goes on by itself; null: never',
  }),
  contentType: {
    ...text,
    maxLength: 255,
    example: 'application/json',
    description: 'The media type that deliveries are encoded as',
  },
  digest,
  enabled: { ...flag, description: 'False: deliveries pause' },
  expiresAt: nullable({
    ...time,
    description: 'A time in the future, from which nothing is sent; null: no end',
  }),
  description: nullable({ ...text, maxLength: MAX_DESCRIPTION_LENGTH }),
  metadata: {
    ...map({ ...text, maxLength: MAX_METADATA_VALUE_LENGTH }),
    propertyNames: { minLength: 1, maxLength: MAX_METADATA_KEY_LENGTH },
    maxProperties: MAX_METADATA_ENTRIES,
    description: `Texts of your own, by names of up to ${MAX_METADATA_KEY_LENGTH} characters`,
  },
};

const CHANGES: Fields = { ...CHANGEABLE, secret: SECRET };
const REQUEST: Fields = { ...CHANGES, ...CREATED_WITH };

export const NEW_SUBSCRIBER_FIELDS = Object.keys(REQUEST);
export const FIXED_FIELDS = Object.keys(CREATED_WITH);
export const SUBSCRIBER_FIELDS = Object.keys(CHANGES);
/** A receiver may change what it gets, and not where that goes. */
export const SUBSCRIPTION_FIELDS = ['enabled', 'events', 'exclude', 'filter'];
export const PREVIEW_FIELDS = ['filter', 'events', 'exclude'];

/** The schemas of some fields of a request, and of the other names that it may use for them. */
export function requestFields(names: readonly string[]): Fields {
  const aliases = Object.entries(ALIASES).filter(([, name]) => names.includes(name));
  return Object.fromEntries([
    ...names.map((name) => [name, REQUEST[name]!] as const),
    ...aliases.map(([alias, name]) => [alias, aliasSchema(alias, name)] as const),
  ]);
}

function aliasSchema(alias: string, name: string): Schema {
  return alias === 'event'
    ? { ...pattern, description: 'One pattern; the same as events with it alone' }
    : { ...REQUEST[name], description: `The same as ${name}` };
}

/** A subscriber as its owner sees it: every field is named here, so that no other can slip out. */
export const SUBSCRIBER = {
  id: { ...text, description: 'Every webhook names it in Hook-Subscription' },
  self: { ...text, description: 'URL of the subscriber itself' },
  ...CHANGEABLE,
  ...CREATED_WITH,
  state: {
    ...oneOf(SUBSCRIBER_STATES),
    description:
      'Failing: every attempt since failingSince has failed. Unverified: the endpoint has not answered its challenge. Expired: its expiresAt has passed',
  },
  failingSince: nullable({
    ...time,
    description:
      'The first failed attempt since the latest success; null: it does not fail, or the application keeps no delivery log',
  }),
  rotationEndsAt: nullable({
    ...time,
    description: 'When the secrets from before the latest rotation sign no more',
  }),
  createdAt: time,
  updatedAt: time,
};

/** The secret of an answer: creations and rotations alone show it. */
export const SHOWN_SECRET = { ...text, description: 'Shown this once' };
export const WARNINGS = {
  ...list(
    all({
      field: oneOf(['filter']),
      code: oneOf(['unchecked-paths']),
      reason: text,
      data: all({ paths: list(text) }),
    }),
  ),
  description: 'What cannot be checked: fields of the filter on events without a schema',
};

const VIEW = all(SUBSCRIBER);

export type SubscriberView = Omit<ValueOf<typeof VIEW>, 'digest'> & {
  /** Undefined where `Hook-HMAC` is not sent. */
  readonly digest: Digest | undefined;
};
export type ChangedSubscriberView = SubscriberView & {
  readonly warnings: readonly UncheckedFilter[];
};
export type SecretSubscriberView = SubscriberView & { readonly secret: string };
export type CreatedSubscriberView = ChangedSubscriberView & SecretSubscriberView;
/** What an answer shows beside the stored fields. Times are milliseconds since the Unix epoch. */
interface AnswerFacts {
  readonly failingSince: number | null;
  readonly now: number;
  /** True where `Hook-HMAC` is sent. */
  readonly hasDigest: boolean;
}

export function subscriberView(
  subscriber: Subscriber,
  self: string,
  { failingSince, now, hasDigest }: AnswerFacts,
): SubscriberView {
  const ends = subscriber.secrets.flatMap(({ expiresAt }) => expiresAt ?? []);
  return {
    id: subscriber.id,
    self,
    key: subscriber.key,
    url: subscriber.url,
    events: subscriber.events,
    exclude: subscriber.exclude,
    filter: subscriber.filter,
    rateLimit: subscriber.rateLimit,
    ordered: subscriber.ordered,
    onExhausted: subscriber.onExhausted,
    holdFor: subscriber.holdFor,
    contentType: subscriber.contentType,
    format: subscriber.format ?? STANDARD_FORMAT,
    digest: hasDigest ? subscriber.digest : undefined,
    enabled: subscriber.enabled,
    expiresAt: subscriber.expiresAt?.toISOString() ?? null,
    state: subscriberState(subscriber, failingSince, now),
    failingSince: failingSince === null ? null : new Date(failingSince).toISOString(),
    description: subscriber.description,
    metadata: subscriber.metadata,
    rotationEndsAt: ends.length === 0 ? null : new Date(Math.max(...ends)).toISOString(),
    createdAt: subscriber.createdAt.toISOString(),
    updatedAt: subscriber.updatedAt.toISOString(),
  };
}

/** The secret that signs deliveries: `whsec_` and base64, or the text that the caller gave. */
export function secretOf({ secrets }: Subscriber): string {
  return secrets[0]!.value;
}
