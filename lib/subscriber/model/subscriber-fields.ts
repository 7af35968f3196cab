import { isPlainObject } from '../../common/objects.js';
import {
  all,
  integer,
  list,
  map,
  nullable,
  text as textSchema,
  time,
  type Schema,
} from '../../common/json-schema.js';
import type { JsonValue } from '../../event/index.js';
import { InvalidInputError, type RefusalData } from '../../errors/index.js';
import {
  MAX_CHANGED_LENGTH,
  MAX_FORMAT_LENGTH,
  MAX_TEMPLATE_LENGTH,
  STANDARD_FORMAT,
} from '../../message/index.js';
import type { Digest, RateLimit } from '../../message/recipient.js';
import { checkPattern, MAX_PATTERN_LENGTH } from '../matching/pattern.js';
import { checkFilter, MAX_FILTER_LENGTH } from '../matching/subscriber-filter.js';
import {
  AUTH_SCHEMA,
  authFromJson,
  checkAuth,
  checkEndpointHeaders,
  HEADERS_SCHEMA,
  headersFromJson,
  mergedAuth,
  mergedHeaders,
  SHOWN_AUTH_SCHEMA,
  shownAuth,
} from './credentials.js';
import {
  asJson,
  checkedBy,
  checkText,
  choice,
  described,
  type FieldRules,
  flag,
  futureTime,
  type GivenField,
  inColumn,
  isMapOfTexts,
  isTexts,
  isWhole,
  names,
  optional,
  parseJson,
  refusedUrl,
  sealed,
  type SubscriberField,
  text,
  wholeNumber,
} from './field-kinds.js';
import type { Subscriber, SubscriberUpdate } from './subscriber.js';

/** The maximum number of patterns of one subscriber. */
const MAX_PATTERNS = 50;
/** The maximum length of a URL, in characters. */
export const MAX_URL_LENGTH = 2048;
/** The maximum length of an owner, in characters. */
export const MAX_OWNER_LENGTH = 255;
/** The maximum number of attempts of a {@link RateLimit}. */
export const MAX_RATE = 1_000_000;
/** The maximum length of a name in `metadata`, in characters. */
export const MAX_METADATA_KEY_LENGTH = 64;

/** The maximum number of names in `changed`, and of paths in `fields`. */
const MAX_NAMES = 50;
/** The maximum length of a path in `fields`, in characters. */
const MAX_PATH_LENGTH = 256;
const MAX_KEY_LENGTH = 255;
const MAX_DESCRIPTION_LENGTH = 1000;
const MAX_METADATA_ENTRIES = 20;
const MAX_METADATA_VALUE_LENGTH = 512;
/** The shortest and the longest time of a {@link RateLimit}, in milliseconds. */
const RATE_PER = { min: 1000, max: 3_600_000 };
/** The shortest and the longest time that a request may take, in milliseconds. */
const TIMEOUT = { min: 1000, max: 30_000 };
/** The longest time for which a failed delivery holds its key: two weeks, in milliseconds. */
const MAX_HOLD_FOR = 1_209_600_000;

const DIGESTS: readonly Digest[] = ['sha1', 'sha256', 'sha512'];
const EXHAUSTED_ACTIONS = ['skip', 'hold'] as const;

const pattern: Schema<string> = { ...textSchema, maxLength: MAX_PATTERN_LENGTH };
const patterns: Schema<readonly string[]> = {
  ...list({ ...pattern, example: 'article.*' }),
  maxItems: MAX_PATTERNS,
};

/**
 * The fields of a subscriber that its owner may change. Each is described here once: its schema and its text for the OpenAPI
 * document, its check, its default and its columns. Requests, answers, static subscribers and rows are made of this list.
 */
export const SUBSCRIBER_FIELDS = {
  url: {
    schema: {
      ...textSchema,
      format: 'uri',
      maxLength: MAX_URL_LENGTH,
      description: 'Where deliveries go, as the recipient policy of the application allows',
    },
    check: checkUrl,
    ...inColumn<string>('url'),
  },
  events: {
    schema: {
      ...patterns,
      minItems: 1,
      uniqueItems: true,
      description: 'Patterns, each once and able to match a known event',
    },
    check: checkEvents,
    ...asJson('events', isTexts),
  },
  exclude: {
    schema: { ...patterns, description: 'Events to leave out, although events matches them' },
    check: checkExclude,
    default: [],
    ...asJson('exclude', isTexts),
  },
  filter: {
    schema: nullable<JsonValue>({
      type: 'object',
      description: `A condition on the data of messages, up to ${MAX_FILTER_LENGTH} characters of JSON; null: all messages`,
      additionalProperties: true,
    }),
    check: checkFilter,
    default: null,
    column: 'filter',
    toColumns: (filter) => ({ filter: filter === null ? null : JSON.stringify(filter) }),
    fromRow: ({ filter }) =>
      filter === null ? null : unlessRefused(() => checkFilter(parseJson(filter))),
  },
  changed: {
    ...optional(
      described(
        'Only messages in which one of these fields has changed; null: all messages',
        names('changed', { max: MAX_NAMES, maxLength: MAX_CHANGED_LENGTH }),
      ),
    ),
    default: null,
    isStatic: true,
  },
  fields: {
    ...optional(
      described(
        'Dotted paths of data, the only ones that bodies have; a path leads through lists. Null: all of it',
        names('fields', { max: MAX_NAMES, maxLength: MAX_PATH_LENGTH }),
      ),
    ),
    default: null,
    isStatic: true,
  },
  thin: {
    ...described(
      'Bodies have no data but ref, the URL at which it can be fetched',
      checkedBy(flag('thin'), (thin, name, { formats }) => formats.shapes.checkThin(thin, name)),
    ),
    default: false,
    isStatic: true,
  },
  template: {
    ...optional(
      described(
        'JSON with paths in double braces, such as data.title, which stand for values of the body. It is sent in place of the body. Null: none',
        checkedBy(text('template', MAX_TEMPLATE_LENGTH), (template, name, { formats }) =>
          formats.shapes.checkTemplate(template, name),
        ),
      ),
    ),
    default: null,
    isStatic: true,
  },
  rateLimit: {
    schema: nullable<RateLimit>({
      ...all({
        max: { ...integer, minimum: 1, maximum: MAX_RATE },
        per: { ...integer, minimum: RATE_PER.min, maximum: RATE_PER.max },
      }),
      description: 'At most max attempts in any per milliseconds; the rest waits. Null: no limit',
      additionalProperties: false,
    }),
    check: checkRateLimit,
    default: null,
    isStatic: true,
    column: 'rate_max',
    toColumns: (limit) => ({ rate_max: limit?.max ?? null, rate_per: limit?.per ?? null }),
    fromRow: ({ rate_max: max, rate_per: per }) =>
      max === null && per === null ? null : unlessRefused(() => checkRateLimit({ max, per })),
  },
  ordered: {
    ...described('Messages of the same key go one after another', flag('ordered')),
    default: false,
    isStatic: true,
  },
  onExhausted: {
    ...described(
      'After a delivery that failed for good, the next message of its key goes or waits',
      choice('on_exhausted', EXHAUSTED_ACTIONS),
    ),
    default: 'skip',
    isStatic: true,
  },
  holdFor: {
    ...optional(
      described(
        'With hold: milliseconds after which the key goes on by itself; null: never',
        wholeNumber('hold_for', {
          ...{ min: 1, max: MAX_HOLD_FOR },
          words: 'null, or milliseconds: a whole number',
        }),
      ),
    ),
    default: null,
    isStatic: true,
  },
  contentType: {
    schema: {
      ...textSchema,
      maxLength: 255,
      example: 'application/json',
      description: 'The media type that deliveries are encoded as',
    },
    check: (value, name, { contentTypes }) => {
      if (contentTypes.includes(value as string)) return value as string;
      throw new InvalidInputError(name, `must be one of ${contentTypes.join(', ')}`);
    },
    default: 'application/json',
    isStatic: true,
    ...inColumn<string>('content_type'),
  },
  digest: {
    ...described('The digest of the header Hook-HMAC', choice('digest', DIGESTS)),
    default: 'sha256',
    isStatic: true,
  },
  enabled: { ...described('False: deliveries pause', flag('enabled')), default: true },
  expiresAt: {
    ...futureTime('expires_at'),
    schema: nullable({
      ...time,
      description: 'A time in the future, from which nothing is sent; null: no end',
    }),
    default: null,
    // The change clears `expired_at`, so that the event `subscriber-expired` is sent again at the new end.
    toColumns: (end) => ({ expires_at: end?.getTime() ?? null, expired_at: null }),
  },
  headers: {
    ...sealed('headers'),
    schema: HEADERS_SCHEMA,
    check: checkEndpointHeaders,
    merged: mergedHeaders,
    default: {},
    isStatic: true,
    fromRow: ({ headers }) => headersFromJson(headers),
    toJson: (headers) => Object.keys(headers),
    shown: { ...list(textSchema), description: 'The names of the headers that requests carry' },
  },
  auth: {
    ...sealed('auth'),
    schema: AUTH_SCHEMA,
    check: checkAuth,
    merged: mergedAuth,
    default: null,
    isStatic: true,
    fromRow: ({ auth }) => authFromJson(auth),
    toJson: shownAuth,
    shown: SHOWN_AUTH_SCHEMA,
  },
  timeout: {
    ...optional(
      described(
        'Milliseconds that a request may take; null: those of the event, else those of the application',
        wholeNumber('timeout', { ...TIMEOUT, words: 'null, or milliseconds: a whole number' }),
      ),
    ),
    default: null,
    isStatic: true,
  },
  description: { ...optional(text('description', MAX_DESCRIPTION_LENGTH)), default: null },
  metadata: {
    schema: {
      ...map({ ...textSchema, maxLength: MAX_METADATA_VALUE_LENGTH }),
      propertyNames: { minLength: 1, maxLength: MAX_METADATA_KEY_LENGTH },
      maxProperties: MAX_METADATA_ENTRIES,
      description: `Texts of your own, by names of up to ${MAX_METADATA_KEY_LENGTH} characters`,
    },
    check: checkMetadata,
    default: {},
    ...asJson('metadata', isMapOfTexts),
  },
} as const satisfies {
  readonly [Name in ChangeableField]: SubscriberField<
    Subscriber[Name],
    unknown,
    NonNullable<SubscriberUpdate[Name]> | Extract<SubscriberUpdate[Name], null>
  >;
};

type ChangeableField = Exclude<keyof SubscriberUpdate, 'secret'>;
type Fields = typeof SUBSCRIBER_FIELDS;
/** The name of a field of {@link SUBSCRIBER_FIELDS}. */
export type FieldName = keyof Fields;
type NameOfDefault = {
  [Name in FieldName]: Fields[Name] extends { readonly default: unknown } ? Name : never;
}[FieldName];

/** {@link SUBSCRIBER_FIELDS} for code that treats all fields alike. */
export const FIELD_LIST = Object.entries(SUBSCRIBER_FIELDS) as unknown as readonly (readonly [
  FieldName,
  SubscriberField,
])[];

/** The values of the fields that the caller leaves out when it creates a subscriber. */
export const DEFAULT_FIELDS = Object.fromEntries(
  FIELD_LIST.flatMap(([name, field]) => ('default' in field ? [[name, field.default]] : [])),
) as Pick<Subscriber, NameOfDefault>;

/** The schemas of the fields, by their names. */
export const FIELD_SCHEMAS = Object.fromEntries(
  FIELD_LIST.map(([name, { schema }]) => [name, schema]),
) as { readonly [Name in FieldName]: Fields[Name]['schema'] };

/** The schemas of the fields in answers, by their names. */
export const SHOWN_SCHEMAS = Object.fromEntries(
  FIELD_LIST.map(([name, { schema, shown = schema }]) => [name, shown]),
) as {
  readonly [Name in FieldName]: Fields[Name] extends { readonly shown: infer Shown }
    ? Shown
    : Fields[Name]['schema'];
};

/** The fields that a caller may give only when it creates a subscriber. */
export const CREATION_FIELDS = {
  owner: {
    schema: nullable<string>({ ...textSchema, minLength: 1, maxLength: MAX_OWNER_LENGTH }),
    check: (value, name) => (value === null ? null : checkText(value, name, 1, MAX_OWNER_LENGTH)),
  },
  format: {
    schema: {
      ...textSchema,
      maxLength: MAX_FORMAT_LENGTH,
      example: STANDARD_FORMAT,
      description:
        'The form of the requests: standard, or a format that the application has registered; given once, at the creation',
    },
    check: (value, _, { formats }) => formats.check(value),
  },
  key: {
    schema: nullable<string>({
      ...textSchema,
      minLength: 1,
      maxLength: MAX_KEY_LENGTH,
      description:
        'Your own name for the subscriber: a POST with one that you used already changes that subscriber',
    }),
    check: (value, name) => (value === null ? null : checkText(value, name, 1, MAX_KEY_LENGTH)),
  },
} as const satisfies Readonly<Record<'owner' | 'format' | 'key', GivenField<string | null>>>;

/** The secret that a caller may choose. Answers never show it with the other fields. */
export const SECRET_FIELD = {
  schema: {
    ...textSchema,
    minLength: 16,
    maxLength: 512,
    description:
      'whsec_ and the base64 of 24 to 64 bytes, an ed25519 key (whsk_…), or a text; default: a random one',
  },
  check: (value, name, rules) => {
    if (typeof value !== 'string') throw new InvalidInputError(name, 'must be text');
    rules.checkSecret(value);
    return value;
  },
} as const satisfies GivenField<string>;

// ── Checks of single fields ─────────────────────────────────────────────────────────────────────────────────────────────

/** @throws {@link InvalidInputError} for `url` when the recipient policy refuses the URL */
function checkUrl(value: unknown, name: string, rules: FieldRules): string {
  const url = checkText(value, name, 1, MAX_URL_LENGTH);
  try {
    rules.checkUrl(url);
  } catch (error) {
    throw refusedUrl(error);
  }
  return url;
}

function checkEvents(value: unknown, name: string, rules: FieldRules): readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_PATTERNS) {
    const reason = `must be a list of 1 to ${MAX_PATTERNS} patterns`;
    throw new InvalidInputError(name, reason, tooManyPatterns(value));
  }
  const given = value.map((one: unknown) => {
    checkPattern(one, name);
    rules.checkPatternKnown?.(one);
    return one;
  });
  const repeated = given.find((one, at) => given.indexOf(one) !== at);
  if (repeated === undefined) return given;
  throw new InvalidInputError(name, `must name each pattern once, "${repeated}" is repeated`, {
    reason: 'repeated',
    pattern: repeated,
  });
}

/**
 * The check does not ask whether the events of the patterns are known, because excluding an event that does not exist
 * does no harm.
 */
function checkExclude(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value) || value.length > MAX_PATTERNS) {
    const reason = `must be a list of up to ${MAX_PATTERNS} patterns`;
    throw new InvalidInputError(name, reason, tooManyPatterns(value));
  }
  return value.map((one: unknown) => {
    checkPattern(one, name);
    return one;
  });
}

function tooManyPatterns(value: unknown): RefusalData {
  const isTooLong = Array.isArray(value) && value.length > MAX_PATTERNS;
  return isTooLong ? { reason: 'too-many', max: MAX_PATTERNS } : {};
}

/** @throws {@link InvalidInputError} for `rateLimit` unless it is null or an object of `max` and `per` within their limits */
export function checkRateLimit(value: unknown): RateLimit | null {
  if (value === null) return null;
  const given = value as Partial<RateLimit>;
  if (
    typeof value !== 'object' ||
    Object.keys(value).some((key) => key !== 'max' && key !== 'per') ||
    !isWhole(given.max, 1, MAX_RATE) ||
    !isWhole(given.per, RATE_PER.min, RATE_PER.max)
  ) {
    throw new InvalidInputError(
      'rateLimit',
      `must be null, or an object of max, a whole number from 1 to ${MAX_RATE}, and per, milliseconds from ${RATE_PER.min} to ${RATE_PER.max}`,
    );
  }
  return { max: given.max, per: given.per };
}

function checkMetadata(value: unknown, name: string): Readonly<Record<string, string>> {
  // A Map or a Date would pass as an object without entries.
  if (!isPlainObject(value)) {
    throw new InvalidInputError(name, 'must be an object whose values are texts');
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_METADATA_ENTRIES) {
    throw new InvalidInputError(name, `must have at most ${MAX_METADATA_ENTRIES} entries`, {
      reason: 'too-many',
      max: MAX_METADATA_ENTRIES,
    });
  }
  for (const [key] of entries) {
    if (key === '__proto__') throw new InvalidInputError(name, 'must not name "__proto__"');
    checkText(key, name, 1, MAX_METADATA_KEY_LENGTH, 'names');
  }
  return Object.fromEntries(
    entries.map(([key, one]) => [
      key,
      checkText(one, name, 0, MAX_METADATA_VALUE_LENGTH, 'values'),
    ]),
  );
}

/** @returns undefined where the check refuses the value, which only an edit by hand can have written to a row */
export function unlessRefused<Value>(check: () => Value): Value | undefined {
  try {
    return check();
  } catch (error) {
    if (error instanceof InvalidInputError) return undefined;
    throw error;
  }
}

// ── Checks of several fields ────────────────────────────────────────────────────────────────────────────────────────────

/** @throws {@link InvalidInputError} for a `holdFor` that would have no effect */
export function checkHold({
  onExhausted = DEFAULT_FIELDS.onExhausted,
  holdFor = DEFAULT_FIELDS.holdFor,
}: Partial<Pick<Subscriber, 'onExhausted' | 'holdFor'>>): void {
  if (holdFor === null || onExhausted !== 'skip') return;
  throw new InvalidInputError(
    'holdFor',
    'is for onExhausted "hold": set that as well, or leave holdFor out',
  );
}

/** The fields that say what bodies look like. */
export type BodyShape = Partial<
  Pick<Subscriber, 'fields' | 'thin' | 'template' | 'format' | 'contentType'>
>;

/** @throws {@link InvalidInputError} for a field that would have no effect beside another one */
export function checkShape({ fields, thin, template, format, contentType }: BodyShape): void {
  const given = Object.entries({ template, fields, thin }).filter(([, value]) => value);
  const [one, other] = given.map(([name]) => name);
  if (one === undefined) return;
  if (other !== undefined) {
    throw new InvalidInputError(
      one,
      `cannot be used together with ${other}: leave one of them out, or set ${other} to ${other === 'thin' ? 'false' : 'null'}`,
      { reason: 'excluded', by: other },
    );
  }
  if ((format ?? STANDARD_FORMAT) !== STANDARD_FORMAT) {
    throw new InvalidInputError(
      one,
      `is for the standard format: leave it out, since "${format}" makes the bodies`,
      { reason: 'excluded', by: 'format' },
    );
  }
  if (!template || (contentType ?? DEFAULT_FIELDS.contentType) === DEFAULT_FIELDS.contentType)
    return;
  throw new InvalidInputError(
    'template',
    `makes JSON: set contentType to ${DEFAULT_FIELDS.contentType}, or leave the template out`,
    { reason: 'excluded', by: 'contentType' },
  );
}
