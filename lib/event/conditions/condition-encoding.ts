import { isPlainObject } from '../../common/objects.js';
import { parseIsoDate } from '../../common/time.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { isDecimal, isDecimalText } from './condition-number.js';

/** The greatest depth of conditions and their values. */
export const MAX_DEPTH = 32;
/** The greatest number of values of one operator. */
export const MAX_VALUES = 10_000;

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/** Thrown by {@link decodeValue} and turned into an error that names the condition's path. */
export class InvalidConditionValue extends Error {}

/** Keys that could reach an object's prototype are refused wherever they stand. */
export function isForbiddenKey(key: string): boolean {
  return FORBIDDEN_KEYS.has(key);
}

/** Tells whether an object is the encoded form of a value, such as `{ "$date": "…" }`. */
export function isEncoded(value: Record<string, unknown>): boolean {
  const keys = Object.keys(value);
  return keys.length === 1 && Object.hasOwn(DECODERS, keys[0]!);
}

/**
 * An operand as it is compared: encoded values decoded, everything copied, so that what the caller does to the
 * condition later changes nothing.
 *
 * @throws {@link InvalidConditionValue} with a sentence part that says what to write instead
 */
export function decodeValue(value: unknown, budget = { left: MAX_VALUES }, depth = 0): unknown {
  if (depth > MAX_DEPTH)
    throw new InvalidConditionValue(`is nested deeper than ${MAX_DEPTH} levels`);
  if (--budget.left < 0) throw new InvalidConditionValue(`holds more than ${MAX_VALUES} values`);
  const decode = (inner: unknown) => decodeValue(inner, budget, depth + 1);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    throw new InvalidConditionValue(`is ${value}, which no value equals and JSON cannot hold`);
  }
  if (value === undefined)
    throw new InvalidConditionValue('is undefined; use null for "no value", or leave it out');
  if (typeof value !== 'object')
    throw new InvalidConditionValue(`is a ${typeof value}; give a plain value`);
  if (Array.isArray(value)) return Array.from(value, decode);
  if (value instanceof Date) return checkDate(new Date(value));
  if (value instanceof Set) return new Set([...value].map(decode));
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [decode(k), decode(v)]));
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (isDecimal(value)) return new ExactDecimal(String(value));
  if (!isPlainObject(value)) {
    throw new InvalidConditionValue(
      `is an instance of ${(value as object).constructor.name}; give a plain value`,
    );
  }
  return isEncoded(value) ? decodeTagged(value) : decodeRecord(value, decode);
}

/** A value as JSON, the inverse of {@link decodeValue}. Plain objects and lists are walked, so conditions as well. */
export function encodeValue(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH * 2)
    throw new InvalidConditionValue(`is nested deeper than ${MAX_DEPTH} levels`);
  const encode = (inner: unknown) => encodeValue(inner, depth + 1);
  if (typeof value === 'bigint') return { $decimal: value.toString() };
  if (Array.isArray(value)) return value.map(encode);
  if (value instanceof Date) return { $date: checkDate(value).toISOString() };
  if (value instanceof Set || value instanceof Map || value instanceof Uint8Array) {
    throw new InvalidConditionValue(
      `has a ${value.constructor.name}, which JSON cannot hold; keep this condition in code`,
    );
  }
  if (isDecimal(value)) return { $decimal: new ExactDecimal(String(value)).toString() };
  if (!isPlainObject(value)) return decodeValue(value);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [checkKey(key), encode(inner)]),
  );
}

/** Decodes every encoded value within a condition, whose fields and operators are left as they are. */
export function decodeTree(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH * 2)
    throw new InvalidConditionValue(`is nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return value.map((inner) => decodeTree(inner, depth + 1));
  if (!isPlainObject(value) || isEncoded(value)) return decodeValue(value);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [checkKey(key), decodeTree(inner, depth + 1)]),
  );
}

/** A decimal number that a condition was given, kept as its text: it is compared by exact value. */
class ExactDecimal {
  constructor(private readonly text: string) {
    if (!isDecimalText(text)) throw new InvalidConditionValue('is not a decimal number');
  }

  toFixed(): string {
    return this.text;
  }

  toString(): string {
    return this.text;
  }
}

const ISO_TEXT = 'a time in ISO 8601 with its zone, such as 2026-01-31T08:00:00Z,';

const DECODERS: Readonly<Record<string, (content: unknown) => unknown>> = {
  $date: (content) => dateOf(text(content, '$date', ISO_TEXT)),
  $decimal: (content) => new ExactDecimal(text(content, '$decimal', 'a decimal number as a text')),
};

function decodeTagged(value: Record<string, unknown>): unknown {
  const [tag, content] = Object.entries(value)[0]!;
  return DECODERS[tag]!(content);
}

function decodeRecord(
  value: Record<string, unknown>,
  decode: (inner: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key.startsWith('$')) {
        throw new InvalidConditionValue(
          `has the unknown encoding ${key}. Valid encodings: ${Object.keys(DECODERS).join(', ')}`,
        );
      }
      return [checkKey(key), decode(inner)];
    }),
  );
}

function checkKey(key: string): string {
  if (isForbiddenKey(key)) throw new InvalidConditionValue(`uses the forbidden name ${key}`);
  return key;
}

function checkDate(date: Date): Date {
  if (Number.isNaN(date.getTime())) throw new InvalidConditionValue('is not a valid date');
  return date;
}

function dateOf(iso: string): Date {
  const date = parseIsoDate(iso);
  if (date !== null) return date;
  // Years before 0 and after 9999 have a sign and six digits, as toISOString() writes them.
  const far = new Date(iso);
  if (!Number.isNaN(far.getTime()) && far.toISOString() === iso) return far;
  throw new InvalidConditionValue(`needs ${ISO_TEXT} in $date`);
}

function text(content: unknown, tag: string, what: string): string {
  if (typeof content !== 'string') throw new InvalidConditionValue(`needs ${what} in ${tag}`);
  return content;
}

/** Runs a function and turns a {@link InvalidConditionValue} into the error for users. */
export function withPath<Result>(
  subject: string,
  data: Record<string, unknown>,
  make: () => Result,
): Result {
  try {
    return make();
  } catch (error) {
    if (error instanceof InvalidConditionValue)
      throw new ThornConfigurationError(
        'THORN_CONDITION_INVALID',
        `${subject} ${error.message}`,
        data,
      );
    throw error;
  }
}
