import type { Digest } from '../../message/recipient.js';
import { STANDARD_FORMAT } from '../../message/index.js';
import type { UncheckedPaths } from '../../event/index.js';
import {
  CREATION_FIELDS,
  FIELD_LIST,
  FIELD_SCHEMAS,
  type FieldName,
  MAX_PATTERN_LENGTH,
  SECRET_FIELD,
  SHOWN_SCHEMAS,
  type Subscriber,
  SUBSCRIBER_STATES,
  subscriberState,
} from '../../subscriber/index.js';
import { ALIASES } from '../http/body-fields.js';
import { isoOf } from '../http/iso-time.js';
import {
  all,
  type Fields,
  list,
  nullable,
  oneOf,
  type Schema,
  text,
  time,
  type ValueOf,
} from '../../common/json-schema.js';

/**
 * The fields that a caller may set only when it creates a subscriber, and that answers show. The owner is not among
 * them, because the scope of the caller sets it.
 */
const CREATED_WITH = { format: CREATION_FIELDS.format.schema, key: CREATION_FIELDS.key.schema };

const CHANGES: Fields = { ...FIELD_SCHEMAS, secret: SECRET_FIELD.schema };
const REQUEST: Fields = { ...CHANGES, ...CREATED_WITH };

export const NEW_SUBSCRIBER_FIELDS = Object.keys(REQUEST);
export const FIXED_FIELDS = Object.keys(CREATED_WITH);
export const CHANGED_FIELDS = Object.keys(CHANGES);
/** A receiver may change the events that it gets, but not the URL. */
export const SUBSCRIPTION_FIELDS = ['enabled', 'events', 'exclude', 'filter', 'changed'];
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
    ? {
        ...text,
        maxLength: MAX_PATTERN_LENGTH,
        description: 'One pattern; the same as events with it alone',
      }
    : { ...REQUEST[name], description: `The same as ${name}` };
}

/** A subscriber as its owner sees it. */
export const SUBSCRIBER = {
  id: { ...text, description: 'Every webhook names it in Hook-Subscription' },
  self: { ...text, description: 'URL of the subscriber itself' },
  ...SHOWN_SCHEMAS,
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
  disablesAt: nullable({
    ...time,
    description:
      'When it is disabled unless a request succeeds before; in the past while too few messages have failed; null until half of the way there, or when the application disables none',
  }),
  rotationEndsAt: nullable({
    ...time,
    description: 'When the secrets from before the latest rotation sign no more',
  }),
  createdAt: time,
  updatedAt: time,
};

/** The secret in an answer. Only the answers to a creation and to a rotation have it. */
export const SHOWN_SECRET = { ...text, description: 'Shown this once' };
export const WARNINGS = {
  ...list(
    all({
      field: oneOf(['filter', 'fields', 'template']),
      code: oneOf(['unchecked-paths']),
      reason: text,
      data: all({ paths: list(text) }),
    }),
  ),
  description:
    'Paths of filter, fields and template that cannot be checked, since events have no schema',
};

const VIEW = all(SUBSCRIBER);

export type SubscriberView = Omit<ValueOf<typeof VIEW>, 'digest'> & {
  /** The digest of `Hook-HMAC`; undefined when this header is not sent. */
  readonly digest: Digest | undefined;
};
export type ChangedSubscriberView = SubscriberView & {
  readonly warnings: readonly UncheckedPaths[];
};
export type SecretSubscriberView = SubscriberView & { readonly secret: string };
export type CreatedSubscriberView = ChangedSubscriberView & SecretSubscriberView;
/** The facts that an answer shows beside the stored fields. Times are milliseconds since the Unix epoch. */
interface AnswerFacts {
  readonly failingSince: number | null;
  readonly disablesAt: number | null;
  readonly now: number;
  /** True when the header `Hook-HMAC` is sent. */
  readonly hasDigest: boolean;
}

export function subscriberView(
  subscriber: Subscriber,
  self: string,
  { failingSince, disablesAt, now, hasDigest }: AnswerFacts,
): SubscriberView {
  const ends = subscriber.secrets.flatMap(({ expiresAt }) => expiresAt ?? []);
  return {
    id: subscriber.id,
    self,
    key: subscriber.key,
    ...shownFields(subscriber),
    format: subscriber.format ?? STANDARD_FORMAT,
    digest: hasDigest ? subscriber.digest : undefined,
    state: subscriberState(subscriber, failingSince, now),
    failingSince: isoOf(failingSince),
    disablesAt: isoOf(disablesAt),
    rotationEndsAt: isoOf(ends.length === 0 ? null : Math.max(...ends)),
    createdAt: subscriber.createdAt.toISOString(),
    updatedAt: subscriber.updatedAt.toISOString(),
  };
}

/** The fields that its owner may change, as answers show them. */
function shownFields(subscriber: Subscriber): Pick<ValueOf<typeof VIEW>, FieldName> {
  return Object.fromEntries(
    FIELD_LIST.map(([name, { toJson }]) => {
      const value = subscriber[name];
      return [name, toJson === undefined ? value : toJson(value)];
    }),
  ) as Pick<ValueOf<typeof VIEW>, FieldName>;
}

/** The secret that signs deliveries: `whsec_` and base64, or the text that the caller gave. */
export function secretOf({ secrets }: Subscriber): string {
  return secrets[0]!.value;
}
