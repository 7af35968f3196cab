import { randomBytes } from 'node:crypto';
import { InvalidInputError } from '../errors/index.js';

const PREFIX = 'whsec_';
const GENERATED_BYTES = 32;
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;
const MIN_CHARACTERS = 16;
const MAX_CHARACTERS = 512;
// Control, format and unassigned characters and halves of surrogate pairs: what cannot be seen cannot be copied safely.
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

/**
 * A new signing secret in the form of Standard Webhooks: `whsec_` and the base64 of 32 bytes from the system's
 * cryptographic generator.
 */
export function generateSecret(): string {
  return PREFIX + randomBytes(GENERATED_BYTES).toString('base64');
}

/**
 * Checks a secret that a caller brings along: `whsec_` and the canonical base64 of 24 to 64 bytes, or any printable
 * text of 16 to 512 characters.
 *
 * @throws {@link InvalidInputError} for the field `secret`; the error does not hold the secret
 */
export function checkSecret(secret: unknown): asserts secret is string {
  if (typeof secret !== 'string') throw new InvalidInputError('secret', 'must be a string');
  if (secret.startsWith(PREFIX)) {
    const encoded = secret.slice(PREFIX.length);
    const key = Buffer.from(encoded, 'base64');
    if (
      key.length < MIN_KEY_BYTES ||
      key.length > MAX_KEY_BYTES ||
      key.toString('base64') !== encoded
    ) {
      throw new InvalidInputError(
        'secret',
        `must be ${PREFIX} followed by the base64 of ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes`,
      );
    }
    return;
  }
  const characters = secret.length > 2 * MAX_CHARACTERS ? Infinity : [...secret].length;
  if (characters < MIN_CHARACTERS || characters > MAX_CHARACTERS) {
    throw new InvalidInputError(
      'secret',
      `must be ${MIN_CHARACTERS} to ${MAX_CHARACTERS} characters long`,
    );
  }
  if (UNPRINTABLE.test(secret)) {
    throw new InvalidInputError('secret', 'must consist of printable characters');
  }
}

/**
 * The bytes that key a `v1` signature: what a `whsec_` secret encodes, or the UTF-8 bytes of any other text (the `raw`
 * format of the reference libraries).
 */
export function standardKey(secret: string): Buffer {
  return secret.startsWith(PREFIX)
    ? Buffer.from(secret.slice(PREFIX.length), 'base64')
    : Buffer.from(secret);
}

/** The bytes that key a `Hook-HMAC`, as in Thorn: the UTF-8 bytes of the whole text, prefix included. */
export function thornKey(secret: string): Buffer {
  return Buffer.from(secret);
}
