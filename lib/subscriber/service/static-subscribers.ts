import { createHmac } from 'node:crypto';
import { InvalidInputError, RecipientRefusedError } from '../../errors/index.js';
import type { Recipient, StaticSubscriber, SubscriberSource } from '../../message/index.js';
import { checkCredentials } from '../model/credentials.js';
import { type FieldRules, type SubscriberField, wholeCheck } from '../model/field-kinds.js';
import {
  checkHold,
  checkShape,
  FIELD_LIST,
  SUBSCRIBER_FIELDS,
} from '../model/subscriber-fields.js';
import type { Subscriber } from '../model/subscriber.js';

/** The checks of every static subscriber before its use. */
export type StaticSubscriberRules = Omit<FieldRules, 'checkPatternKnown'>;

const MAX_DEPTH = 16;

/**
 * Resolves a source to recipients, each URL and secret once, in the order found.
 *
 * @param onFault called with the error of a part of the source; when the callback returns, this part is left out.
 *   Default: throws the error
 * @throws {@link InvalidInputError} naming `subscribers` when a source yields a value that is not a subscriber, or a
 *   subscriber whose URL is refused
 */
export async function resolveSubscribers(
  source: SubscriberSource,
  event: string,
  owner: string | null,
  rules: StaticSubscriberRules,
  onFault: (fault: unknown) => void = rethrow,
): Promise<readonly Recipient[]> {
  const found = new Map<string, Recipient>();
  await collect(source, 0);
  return [...found.values()];

  async function collect(part: SubscriberSource, depth: number): Promise<void> {
    try {
      if (depth > MAX_DEPTH) throw tooDeep();
      if (part === null || part === undefined) return;
      if (typeof part === 'function') await collect(await part(event, owner), depth + 1);
      else if (isIterable(part)) for await (const item of part) await collect(item, depth + 1);
      else add(toRecipient(part, rules));
    } catch (fault) {
      onFault(fault);
    }
  }

  function add(recipient: Recipient): void {
    if (!found.has(recipient.id)) found.set(recipient.id, recipient);
  }
}

/**
 * Reads the URLs and objects of a source, in lists as well.
 *
 * @param onOther called for a function or a generator, which yields its subscribers only when there is a message
 * @throws {@link InvalidInputError} as {@link resolveSubscribers}
 */
export function constantSubscribers(
  source: SubscriberSource,
  rules: StaticSubscriberRules,
  onOther: () => void = () => undefined,
  depth = 0,
): readonly Recipient[] {
  if (depth > MAX_DEPTH) throw tooDeep();
  if (source === null || source === undefined) return [];
  if (Array.isArray(source)) {
    const parts = source as readonly SubscriberSource[];
    return parts.flatMap((part) => constantSubscribers(part, rules, onOther, depth + 1));
  }
  if (typeof source !== 'function' && !isIterable(source)) return [toRecipient(source, rules)];
  onOther();
  return [];
}

function isIterable(
  part: NonNullable<SubscriberSource>,
): part is Iterable<SubscriberSource> | AsyncIterable<SubscriberSource> {
  return typeof part === 'object' && (Symbol.asyncIterator in part || Symbol.iterator in part);
}

function rethrow(fault: unknown): never {
  throw fault;
}

type StaticField = {
  [Name in keyof typeof SUBSCRIBER_FIELDS]: (typeof SUBSCRIBER_FIELDS)[Name] extends {
    readonly isStatic: true;
  }
    ? Name
    : never;
}[keyof typeof SUBSCRIBER_FIELDS];

const STATIC_FIELDS = FIELD_LIST.filter(([, { isStatic }]) => isStatic) as readonly (readonly [
  StaticField,
  SubscriberField,
])[];
const KNOWN_KEYS = new Set(['url', 'secret', 'format', ...STATIC_FIELDS.map(([name]) => name)]);

function toRecipient(given: unknown, rules: StaticSubscriberRules): Recipient {
  if (typeof given !== 'string' && typeof given !== 'object') {
    throw invalidSubscribers(`must be URLs or objects with a url, not a ${typeof given}`);
  }
  const subscriber = (typeof given === 'string' ? { url: given } : given) as StaticSubscriber;
  const unknown = Object.keys(subscriber).find((key) => !KNOWN_KEYS.has(key));
  if (unknown !== undefined)
    throw invalidSubscribers(
      `must not have the unknown property ${unknown}. Valid properties: ${[...KNOWN_KEYS].join(', ')}`,
    );
  const { url, secret } = subscriber;
  if (typeof url !== 'string') throw invalidSubscribers(`must have a url, ${reasonOf(subscriber)}`);
  const { ordered, onExhausted, holdFor, headers, thin, ...fields } = named(() =>
    staticFields(subscriber, rules),
  );
  checkUrl(url, rules);
  if (secret !== undefined) named(() => rules.checkSecret(secret));
  if (thin) checkThinSecret(secret);
  const format = formatOf({ ...subscriber, contentType: fields.contentType }, rules);
  return {
    id: staticId(url, secret ?? ''),
    url,
    secrets: secret === undefined ? [] : [{ value: secret, expiresAt: null }],
    ...(format !== null && { format }),
    ...withoutNulls(fields),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(thin && { thin }),
    ...(ordered && { ordered, onExhausted, holdFor }),
  };
}

/** The fields of {@link SUBSCRIBER_FIELDS} that the application has declared, or their defaults. */
function staticFields(
  subscriber: StaticSubscriber,
  rules: StaticSubscriberRules,
): Pick<Subscriber, StaticField> {
  const fields = Object.fromEntries(
    STATIC_FIELDS.map(([name, field]) => {
      const value = subscriber[name];
      // Null means that the field is not set, as in a row of a table that has it.
      const isGiven = (value ?? null) !== null;
      return [name, isGiven ? wholeCheck(field)(value, name, rules, 0) : field.default];
    }),
  ) as Pick<Subscriber, StaticField>;
  checkHold(fields);
  checkCredentials(fields);
  checkShape({ ...fields, format: subscriber.format ?? null });
  return fields;
}

/** Only its secret lets the receiver of a static subscriber fetch a body, because there is no owner who could. */
function checkThinSecret(secret: string | undefined): void {
  if (secret !== undefined && !secret.startsWith('whsk_')) return;
  throw invalidSubscribers(
    'have thin, which needs a secret that the receiver has as well, to fetch the body with: give the subscriber a secret ' +
      'that is not an ed25519 key, or leave thin out',
  );
}

/** Drops the fields that are null, since null is their default: the row of the message need not store them. */
function withoutNulls<Fields extends object>(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as Fields;
}

function reasonOf(subscriber: object): string {
  if (!('url' in subscriber)) return "as in { url: 'https://example.com/hooks' }";
  return subscriber.url === undefined
    ? 'and it is undefined. Set what it comes from, such as a variable of the environment, or leave the subscriber out'
    : `which is a text, not ${subscriber.url === null ? 'null' : typeof subscriber.url}`;
}

function formatOf(
  { url, format: given, contentType }: StaticSubscriber & Pick<Subscriber, 'contentType'>,
  { formats }: StaticSubscriberRules,
): string | null {
  return named(() => {
    const format = formats.check(given ?? null);
    formats.checkHost({ format, url });
    formats.checkContentType({ format, contentType });
    return format;
  });
}

/** Names the field of a subscriber that a check refuses. */
export function named<Value>(check: () => Value): Value {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    throw invalidSubscribers(`have ${error.field}, which ${error.reason}`);
  }
}

function checkUrl(url: string, rules: StaticSubscriberRules): void {
  try {
    rules.checkUrl(url);
  } catch (error) {
    if (!(error instanceof RecipientRefusedError)) throw error;
    // Never the URL itself: its query may hold a token.
    const where = URL.canParse(url) ? new URL(url).host : '';
    throw invalidSubscribers(
      `name ${where === '' ? 'a URL' : where}, which is refused: ${error.explanation}`,
      error.data,
    );
  }
}

// The id of a static subscriber is derived from its URL, so that logs and health find the same subscriber after a restart
// and in every process. It is an HMAC with the secret as its key, so the id reveals no more about the secret than a
// signature does.
const STATIC_ID = 'sub_static-';

/** True for the id of a subscriber that is not stored, because the application's options or a message name it. */
export function isStaticId(id: string): boolean {
  return id.startsWith(STATIC_ID);
}

function staticId(url: string, secret: string): string {
  return `${STATIC_ID}${createHmac('sha256', secret).update(`static subscriber ${url}`).digest('hex').slice(0, 32)}`;
}

function tooDeep(): InvalidInputError {
  return invalidSubscribers(`are nested deeper than ${MAX_DEPTH} levels`);
}

function invalidSubscribers(
  reason: string,
  data: Readonly<Record<string, unknown>> = {},
): InvalidInputError {
  return new InvalidInputError('subscribers', reason, data);
}
