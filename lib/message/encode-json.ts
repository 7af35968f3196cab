import { InvalidInputError } from '../errors/index.js';

/** Deepest nesting of data, within its envelope. */
const MAX_DEPTH = 500;
/** Deeper data is checked for circles. */
const QUICK_DEPTH = 64;

/**
 * Writes a value as JSON: dates as ISO 8601 with milliseconds, bigints and decimals as text, bytes as base64, maps
 * as objects, sets as lists. `toJSON` is honoured; properties that are undefined are left out, and in a list they are
 * null, as `JSON.stringify` has it. Other values that JSON cannot hold, functions, errors and regular expressions among
 * them, are refused, never replaced.
 *
 * @throws {@link InvalidInputError} for `data`, naming the path of the value that cannot be encoded
 */
export function encodeJson(value: unknown): string {
  const plain = isPlainJson(value, 0) ? value : toPlainJson(value, '', '', new Set());
  if (plain === undefined) refuse('', 'nothing', 'give an object');
  return JSON.stringify(plain);
}

/** Tells whether `JSON.stringify` alone makes the right text; that holds for most data, and costs less than a copy. */
function isPlainJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'undefined':
      return depth > 0;
    case 'object':
      return value === null || isPlainJsonObject(value, depth);
    default:
      return false;
  }
}

function isPlainJsonObject(value: object, depth: number): boolean {
  if (depth > QUICK_DEPTH) return false;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      if (!isPlainJson(value[index], depth + 1)) return false;
    }
    return true;
  }
  if ((value as Jsonable).toJSON !== undefined) return isPlainDate(value);
  if (isSpecial(value)) return false;
  // `for … in` needs less memory than a list of the keys. It visits inherited properties too, which does no harm.
  for (const key in value) {
    if (!isPlainJson((value as Record<string, unknown>)[key], depth + 1)) return false;
  }
  return true;
}

interface Jsonable {
  readonly toJSON?: (key: string) => unknown;
}

function isPlainDate(value: object): boolean {
  return (
    value instanceof Date &&
    (value as Jsonable).toJSON === Date.prototype.toJSON &&
    !Number.isNaN(value.getTime())
  );
}

/** Recognises objects that would lose information in `JSON.stringify`. */
function isSpecial(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return false;
  return (
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Promise ||
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer ||
    isDecimal(value) ||
    value instanceof Boolean ||
    value instanceof String ||
    isOpaque(value)
  );
}

/**
 * An object of JavaScript or its platform that keeps its contents where JSON does not look, such as a RegExp or a
 * URLSearchParams: it would become `{}`. An error is one even with properties, which are seldom meant to leave.
 */
function isOpaque(value: object): boolean {
  const tag = tagOf(value);
  return (
    tag === 'Error' ||
    value instanceof Error ||
    (tag !== 'Object' && Object.keys(value).length === 0)
  );
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/** Recognises a number that is an object: of decimal.js, big.js and the like, or boxed. */
function isDecimal(value: object): boolean {
  const { toFixed, toString } = value as { toFixed?: unknown; toString?: unknown };
  // Without a `toString` of its own, its text would be `[object Object]`.
  return typeof toFixed === 'function' && toString !== Object.prototype.toString;
}

type Ancestors = Set<object>;

/** Copies a value into one that `JSON.stringify` writes correctly. */
function toPlainJson(value: unknown, key: string, path: string, ancestors: Ancestors): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return value;
    case 'number':
      if (!Number.isFinite(value)) refuse(path, `${value}`, 'send null or a text instead');
      return value;
    case 'bigint':
      return value.toString();
    case 'object':
      return value === null ? null : objectToPlainJson(value, key, path, ancestors);
    default:
      return refuse(path, `a ${typeof value}`, 'leave it out');
  }
}

function objectToPlainJson(
  value: object,
  key: string,
  path: string,
  ancestors: Ancestors,
): unknown {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  }
  if (value instanceof Date && Number.isNaN(value.getTime())) {
    refuse(path, 'an invalid date', 'send null instead');
  }
  if (ancestors.has(value)) refuse(path, 'a circle', 'send an id instead of the object');
  if (ancestors.size > MAX_DEPTH) {
    refuse(path, `more than ${MAX_DEPTH} levels`, 'send less');
  }
  ancestors.add(value);
  const plain =
    typeof (value as Jsonable).toJSON === 'function'
      ? fromToJson(value, key, path, ancestors)
      : partsToPlainJson(value, path, ancestors);
  ancestors.delete(value);
  return plain;
}

/** Calls `toJSON` as `JSON.stringify` does: once, and not again on its result. */
function fromToJson(value: object, key: string, path: string, ancestors: Ancestors): unknown {
  const result = (value as Required<Jsonable>).toJSON(key);
  if (typeof result !== 'object' || result === null)
    return toPlainJson(result, key, path, ancestors);
  if (result === value || 'toJSON' in result) return partsToPlainJson(result, path, ancestors);
  return toPlainJson(result, key, path, ancestors);
}

function partsToPlainJson(value: object, path: string, ancestors: Ancestors): unknown {
  if (Array.isArray(value) || value instanceof Set) {
    return Array.from(value as Iterable<unknown>, (element, index) =>
      toPlainJson(element, `${index}`, `${path}[${index}]`, ancestors),
    );
  }
  if (isSpecial(value) && !(value instanceof Map)) return specialToPlainJson(value, path);
  // Without a prototype, so that a key `__proto__` is a key like any other.
  const record = Object.create(null) as Record<string, unknown>;
  for (const [key, inner] of value instanceof Map ? value : Object.entries(value)) {
    if (typeof key !== 'string')
      refuse(path, `a map with a ${typeof key} as key`, 'use texts as keys');
    record[key] = toPlainJson(inner, key, join(path, key), ancestors);
  }
  return record;
}

function specialToPlainJson(value: object, path: string): unknown {
  if (value instanceof Promise) return refuse(path, 'a promise', 'await it first');
  if (value instanceof Boolean || value instanceof String) return value.valueOf();
  if (value instanceof Number) return toPlainJson(value.valueOf(), '', path, new Set());
  if (isDecimal(value)) return String(value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return refuse(path, withArticle(tagOf(value)), 'send a Buffer, a text or a list instead');
  }
  return refuse(
    path,
    withArticle(tagOf(value)),
    'send its parts as a text, a list or an object instead',
  );
}

function withArticle(noun: string): string {
  return `${/^[AEIO]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

function join(path: string, key: string): string {
  if (!/^[\w$-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

function refuse(path: string, what: string, instead: string): never {
  // The default envelope has the caller's data at `data`.
  const found = path === 'data' ? `is ${what}` : `holds ${what}${path === '' ? '' : ` at ${path}`}`;
  throw new InvalidInputError('data', `${found}, which JSON cannot hold; ${instead}`, { path });
}
