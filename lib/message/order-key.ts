import { createHash } from 'node:crypto';
import { InvalidInputError } from '../errors/index.js';

/** A key: messages of the same key have an order. Numbers count as their text. */
export type OrderKey = string | number | bigint;

/** Names the key of an event's messages, or says how to find it. */
export interface OrderSetting<Key> {
  readonly key: Key;
  /** True: receivers and the database get a hash of the key. Default false. */
  readonly private?: boolean;
}

/** The names of the properties of an {@link OrderSetting}. */
export const ORDER_SETTINGS = ['key', 'private'] as const;

/** A key, or how to find it; as an object when more is to be said. */
export type OrderBy<Key> = Key | OrderSetting<Key>;

const MAX_KEY = 255;
const HASH_CHARACTERS = 22;
// Characters that are encoded: everything but printable ASCII, blanks, and `%` itself.
const NOT_PLAIN = /[^\x21-\x24\x26-\x7e]+/g;

/** Brings both forms of the setting into one. */
export function orderSetting<Key>(orderBy: OrderBy<Key>): OrderSetting<Key> {
  return isSetting(orderBy) ? orderBy : { key: orderBy };
}

/**
 * Returns the text of a key.
 *
 * @throws {@link InvalidInputError} for `orderBy`
 */
export function keyTextOf({ key, private: isPrivate = false }: OrderSetting<unknown>): string {
  if (key === undefined || key === null) {
    throw new InvalidInputError(
      'orderBy',
      'is declared, but this message has no key. Fill the value, or leave orderBy out',
    );
  }
  if (!isText(key)) {
    throw new InvalidInputError('orderBy', 'must be a text, a finite number or a bigint');
  }
  const text = String(key);
  if (text === '' || text.length > MAX_KEY) {
    const length = text.length === 0 ? 'empty' : `${text.length} characters`;
    throw new InvalidInputError('orderBy', `must be 1 to ${MAX_KEY} characters, not ${length}`);
  }
  // Half of a character has no bytes to send or to hash.
  if (/\p{Surrogate}/u.test(text)) {
    throw new InvalidInputError('orderBy', 'must be well-formed Unicode');
  }
  if (text.includes('\0')) {
    // PostgreSQL stores no text with it, and would say so at the commit.
    throw new InvalidInputError('orderBy', 'must not contain the character U+0000');
  }
  if (typeof isPrivate !== 'boolean') {
    throw new InvalidInputError('orderBy.private', 'must be true or false');
  }
  if (!isPrivate) return text;
  return createHash('sha256').update(text).digest('base64url').slice(0, HASH_CHARACTERS);
}

/** Returns a key as the value of a header. `%` and all characters other than printable ASCII are percent-encoded. */
export function keyHeader(key: string): string {
  return key.replaceAll(NOT_PLAIN, encodeURIComponent);
}

function isText(key: unknown): boolean {
  return typeof key === 'number'
    ? Number.isFinite(key)
    : typeof key === 'string' || typeof key === 'bigint';
}

function isSetting<Key>(orderBy: OrderBy<Key>): orderBy is OrderSetting<Key> {
  return typeof orderBy === 'object' && orderBy !== null && 'key' in orderBy;
}
