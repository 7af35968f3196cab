import { isObject } from '../../common/objects.js';
import {
  InvalidInputError,
  RecipientRefusedError,
  type RefusalCode,
  type RefusalData,
} from '../../errors/index.js';
import type { Digest } from '../../message/recipient.js';
import { checkPattern } from '../matching/pattern.js';
import { checkEnd } from '../model/end-check.js';
import { checkHold, checkHoldFor, checkOnExhausted, checkOrdered } from '../model/order-check.js';
import { checkRateLimit } from '../model/rate-limit-check.js';
import { checkFilter } from '../matching/subscriber-filter.js';
import type { SecretRotation } from './secret-rotation.js';
import type { SubscriberRules } from './subscriber-rules.js';
import type { NewSubscriber, SubscriberUpdate } from '../model/subscriber.js';

/** The maximum number of patterns of one subscriber. */
export const MAX_PATTERNS = 50;
/** The maximum length of a URL, in characters. */
export const MAX_URL_LENGTH = 2048;
/** The maximum length of an owner, in characters. */
export const MAX_OWNER_LENGTH = 255;
/** The maximum length of a key, in characters. */
export const MAX_KEY_LENGTH = 255;
/** The maximum length of a description, in characters. */
export const MAX_DESCRIPTION_LENGTH = 1000;
/** The maximum number of metadata entries. */
export const MAX_METADATA_ENTRIES = 20;
/** The maximum length of a metadata name, in characters. */
export const MAX_METADATA_KEY_LENGTH = 64;
/** The maximum length of a metadata value, in characters. */
export const MAX_METADATA_VALUE_LENGTH = 512;

/** The maximum length of a text that subscribers are searched for, in characters. */
export const MAX_SEARCH_LENGTH = 200;
/** The maximum number of subscribers on one page. */
const MAX_PAGE_LIMIT = 1000;

const DIGESTS: readonly Digest[] = ['sha1', 'sha256', 'sha512'];
// NUL and unpaired surrogates cannot be stored by every database; the other control characters have no use in a label.
const UNSTORABLE = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\p{Surrogate}/u;

type Fields = Omit<NewSubscriber, 'url' | 'events'> & SubscriberUpdate;
type Check<Value> = (value: unknown, rules: SubscriberRules, now: number) => Value;

const CHECKS: { readonly [Field in keyof Required<Fields>]: Check<NonNullable<Fields>[Field]> } = {
  url: checkedUrl,
  events: checkedEvents,
  exclude: checkedExclude,
  filter: checkFilter,
  rateLimit: checkRateLimit,
  ordered: checkOrdered,
  onExhausted: checkOnExhausted,
  holdFor: checkHoldFor,
  owner: (value) => (value === null ? null : checkedText(value, 'owner', 1, MAX_OWNER_LENGTH)),
  contentType: (value, rules) => oneOf(value, 'contentType', rules.contentTypes),
  digest: (value) => oneOf(value, 'digest', DIGESTS),
  secret: checkedSecret,
  enabled: checkedEnabled,
  expiresAt: (value, _, now) => checkEnd(value, now),
  key: (value) => (value === null ? null : checkedText(value, 'key', 1, MAX_KEY_LENGTH)),
  format: (value, { formats }) => formats.check(value),
  description: (value) =>
    value === null ? null : checkedText(value, 'description', 0, MAX_DESCRIPTION_LENGTH),
  metadata: checkedMetadata,
};

const NEW_FIELDS = Object.keys(CHECKS) as (keyof NewSubscriber)[];
const CREATED_WITH = new Set<string>(['owner', 'key', 'format']);
const UPDATE_FIELDS = NEW_FIELDS.filter((field) => !CREATED_WITH.has(field));

/**
 * Checks the input for a new subscriber, including types, because callers may be untyped.
 *
 * @param now milliseconds since the Unix epoch
 * @returns a copy with only the given fields; an undefined field counts as omitted
 * @throws {@link InvalidInputError} naming every missing, unknown or invalid field
 */
export function checkNewSubscriber(
  input: unknown,
  rules: SubscriberRules,
  now: number,
): NewSubscriber {
  const checkTogether = (given: Partial<Fields>) => {
    checkHold(given);
    const { url, format = null, contentType } = given;
    if (url !== undefined) rules.formats.checkHost({ url, format });
    if (contentType !== undefined) rules.formats.checkContentType({ contentType, format });
  };
  const required = ['url', 'events'] as const;
  return checkFields(input, NEW_FIELDS, rules, now, checkTogether, required) as NewSubscriber;
}

/** Checks as {@link checkNewSubscriber} does the fields that may be changed. */
export function checkSubscriberUpdate(
  input: unknown,
  rules: SubscriberRules,
  now: number,
): SubscriberUpdate {
  // Fields that are left out keep their stored values, which are known only later.
  return checkFields(input, UPDATE_FIELDS, rules, now, (changes) => {
    if (changes.onExhausted !== undefined) checkHold(changes);
  });
}

/**
 * Checks all but the overlap's value.
 *
 * @throws {@link InvalidInputError} naming the field that is unknown or refused
 */
export function checkSecretRotation(input: unknown, rules: SubscriberRules): SecretRotation {
  if (!isObject(input)) throw new InvalidInputError('rotation', 'must be an object');
  const unknown = Object.keys(input).find((key) => key !== 'overlap' && key !== 'secret');
  if (unknown !== undefined) {
    throw new InvalidInputError(
      unknown.slice(0, MAX_METADATA_KEY_LENGTH),
      'is not a field of a rotation; those are overlap, secret',
    );
  }
  const { secret } = input;
  if (secret !== undefined) checkedSecret(secret, rules);
  return input;
}

function checkFields(
  input: unknown,
  known: readonly (keyof Fields)[],
  rules: SubscriberRules,
  now: number,
  checkTogether: (checked: Partial<Fields>) => void,
  required: readonly (keyof Fields)[] = [],
): Partial<Fields> {
  if (!isObject(input)) throw new InvalidInputError('subscriber', 'must be an object');
  const unknown = Object.keys(input).filter((key) => !known.some((field) => field === key));
  const checked: { -readonly [Field in keyof Fields]?: unknown } = {};
  const check = (field: keyof Fields) => {
    if (input[field] !== undefined) checked[field] = CHECKS[field](input[field], rules, now);
    else if (required.includes(field))
      throw new InvalidInputError(field, 'must be given', { reason: 'required' });
  };
  InvalidInputError.throwAll([
    ...unknown.map((key) => () => refuseUnknown(key, known)),
    ...known.map((field) => () => check(field)),
    () => checkTogether(checked as Partial<Fields>),
  ]);
  return checked as Partial<Fields>;
}

function refuseUnknown(key: string, known: readonly string[]): never {
  throw new InvalidInputError(
    key.slice(0, MAX_METADATA_KEY_LENGTH),
    `is not a field that can be set; those are ${known.join(', ')}`,
    { reason: 'unknown-field' },
  );
}

/** @throws {@link InvalidInputError} for `url` when its name resolves to an address that is refused */
export async function checkAddresses(url: string, rules: SubscriberRules): Promise<void> {
  try {
    await rules.checkAddresses?.(url);
  } catch (error) {
    throw refusedUrl(error);
  }
}

function checkedUrl(value: unknown, rules: SubscriberRules): string {
  const url = checkedText(value, 'url', 1, MAX_URL_LENGTH);
  try {
    rules.checkUrl(url);
  } catch (error) {
    throw refusedUrl(error);
  }
  return url;
}

function refusedUrl(error: unknown): unknown {
  if (!(error instanceof RecipientRefusedError)) return error;
  const { port, allowed, max, protocols } = error.data;
  return new InvalidInputError('url', `is refused: ${error.explanation}`, {
    // The policy of an application has its own words.
    reason: error.reason as RefusalCode,
    // Owners are not told the addresses that a name was looked up to.
    ...(error.reason === 'port' && { port, allowed }),
    ...(error.reason === 'too-long' && { max }),
    ...(error.reason === 'protocol' && { protocols }),
  });
}

function checkedEvents(value: unknown, rules: SubscriberRules): readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_PATTERNS) {
    const reason = `must be a list of 1 to ${MAX_PATTERNS} patterns`;
    throw new InvalidInputError('events', reason, tooManyPatterns(value));
  }
  const patterns = value.map((pattern: unknown) => {
    checkPattern(pattern);
    rules.checkPatternKnown?.(pattern);
    return pattern;
  });
  const repeated = patterns.find((pattern, at) => patterns.indexOf(pattern) !== at);
  if (repeated !== undefined) {
    throw new InvalidInputError(
      'events',
      `must name each pattern once, "${repeated}" is repeated`,
      {
        reason: 'repeated',
        pattern: repeated,
      },
    );
  }
  return patterns;
}

function tooManyPatterns(value: unknown): RefusalData {
  const isTooLong = Array.isArray(value) && value.length > MAX_PATTERNS;
  return isTooLong ? { reason: 'too-many', max: MAX_PATTERNS } : {};
}

/** An exclude pattern that matches nothing is harmless, so its event need not be known. */
function checkedExclude(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length > MAX_PATTERNS) {
    const reason = `must be a list of up to ${MAX_PATTERNS} patterns`;
    throw new InvalidInputError('exclude', reason, tooManyPatterns(value));
  }
  return value.map((pattern: unknown) => {
    checkPattern(pattern, 'exclude');
    return pattern;
  });
}

/** @throws {@link InvalidInputError} for `limit` */
export function checkPageLimit(limit: unknown, most = MAX_PAGE_LIMIT): void {
  if (Number.isInteger(limit) && Number(limit) >= 1 && Number(limit) <= most) return;
  throw new InvalidInputError('limit', `must be a whole number from 1 to ${most}`);
}

/** @throws {@link InvalidInputError} for `search` */
export function checkSearch(value: unknown): string {
  return checkedText(value, 'search', 1, MAX_SEARCH_LENGTH);
}

function checkedSecret(value: unknown, rules: SubscriberRules): string {
  if (typeof value !== 'string') throw new InvalidInputError('secret', 'must be text');
  rules.checkSecret(value);
  return value;
}

function checkedEnabled(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new InvalidInputError('enabled', 'must be true or false');
  return value;
}

function checkedMetadata(value: unknown): Readonly<Record<string, string>> {
  // A Map or a Date would pass as an object without entries.
  if (!isObject(value) || ![Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    throw new InvalidInputError('metadata', 'must be an object whose values are texts');
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_METADATA_ENTRIES) {
    throw new InvalidInputError('metadata', `must have at most ${MAX_METADATA_ENTRIES} entries`, {
      reason: 'too-many',
      max: MAX_METADATA_ENTRIES,
    });
  }
  for (const [key] of entries) {
    if (key === '__proto__') throw new InvalidInputError('metadata', 'must not name "__proto__"');
    checkedText(key, 'metadata', 1, MAX_METADATA_KEY_LENGTH, 'names');
  }
  return Object.fromEntries(
    entries.map(([key, text]) => [
      key,
      checkedText(text, 'metadata', 0, MAX_METADATA_VALUE_LENGTH, 'values'),
    ]),
  );
}

function checkedText(value: unknown, field: string, min: number, max: number, part = ''): string {
  const must = part === '' ? 'must be' : `must have ${part} that are`;
  if (typeof value !== 'string' || value.length < min || value.length > max) {
    throw new InvalidInputError(
      field,
      `${must} text of ${min} to ${max} characters`,
      typeof value === 'string' ? { reason: 'length', min, max } : {},
    );
  }
  if (UNSTORABLE.test(value)) {
    throw new InvalidInputError(
      field,
      `${must} text without control characters, in valid Unicode`,
      { reason: 'control-characters' },
    );
  }
  return value;
}

function oneOf<Value extends string>(
  value: unknown,
  field: string,
  allowed: readonly Value[],
): Value {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) {
    throw new InvalidInputError(field, `must be one of ${allowed.join(', ')}`);
  }
  return found;
}
