import {
  hash,
  randomBytes,
  timingSafeEqual,
  createHmac,
  createSecretKey,
  type KeyObject,
} from 'node:crypto';
import { InvalidInputError } from '../errors/index.js';
import { Ed25519Key, PRIVATE_KEY_PREFIX, PUBLIC_KEY_PREFIX } from './ed25519-key.js';
import type { Digest } from '../message/recipient.js';

const PREFIX = 'whsec_';
const GENERATED_BYTES = 32;
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;
const MIN_CHARACTERS = 16;
const MAX_CHARACTERS = 512;
// The lengths of base64 texts of 24 and 32 bytes, which the libraries generate.
const USUAL_LENGTHS = new Set([32, 43, 44]);
// Control, format and unassigned characters and halves of surrogate pairs: what cannot be seen cannot be copied safely.
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;
// Characters copied along with a secret, such as quotes, would make the text itself the key: no signature would ever fit.
const ANY_PREFIX = /wh(?:sec|sk|pk)_/i;

/**
 * Makes a new signing secret in the form of Standard Webhooks: `whsec_` and the base64 of 32 bytes from the system's
 * cryptographic generator.
 */
export function generateSecret(): string {
  return PREFIX + randomBytes(GENERATED_BYTES).toString('base64');
}

/**
 * Checks a secret that a caller brings along: `whsec_` and the base64 of 24 to 64 bytes, with or without its padding,
 * `whsk_` and the base64 of an ed25519 key (its seed, then its public key), or any other printable text of 16 to 512
 * characters without blanks around it and without one of these prefixes inside.
 *
 * @throws {@link InvalidInputError} for the field `secret`; the error does not hold the secret
 */
export function checkSecret(secret: unknown): asserts secret is string {
  if (typeof secret !== 'string') throw new InvalidInputError('secret', notAString(secret));
  if (secret.startsWith(PREFIX)) {
    if (!isEncodedKey(secret.slice(PREFIX.length))) {
      throw new InvalidInputError(
        'secret',
        `must be ${PREFIX} followed by the base64 of ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes`,
      );
    }
    return;
  }
  if (secret.startsWith(PRIVATE_KEY_PREFIX)) {
    if (Ed25519Key.parse(secret) !== null) return;
    throw new InvalidInputError(
      'secret',
      `must be ${PRIVATE_KEY_PREFIX} followed by the base64 of a 32-byte seed and the public key that belongs to it`,
    );
  }
  if (secret.startsWith(PUBLIC_KEY_PREFIX)) {
    throw new InvalidInputError(
      'secret',
      `is a public key, which cannot sign: give the private one, ${PRIVATE_KEY_PREFIX}…`,
    );
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
  if (secret.trim() !== secret) {
    throw new InvalidInputError('secret', 'must be a text without blanks around it');
  }
  if (ANY_PREFIX.test(secret)) {
    throw new InvalidInputError(
      'secret',
      `must have its prefix at its beginning and in lower case; give ${PREFIX}… alone, without quotes or a name before it`,
    );
  }
}

/**
 * Describes a value that should be a secret and is not a string. Undefined usually means that an environment variable
 * is not set.
 */
export function notAString(value: unknown): string {
  return value === undefined
    ? 'is undefined; check that the environment variable that holds it is set'
    : 'must be a string';
}

/**
 * Tells whether a text without `whsec_` is probably the base64 of a key: then the prefix was lost in copying.
 * Hexadecimal texts and words are base64 as well, and do not count.
 */
export function looksLikeUnprefixedKey(secret: string): boolean {
  if (!isEncodedKey(secret) || /^[0-9a-f]+$/i.test(secret)) return false;
  return /[+/=]/.test(secret) || USUAL_LENGTHS.has(secret.length);
}

function isEncodedKey(encoded: string): boolean {
  const key = Buffer.from(encoded, 'base64');
  if (key.length < MIN_KEY_BYTES || key.length > MAX_KEY_BYTES) return false;
  const canonical = key.toString('base64');
  return encoded === canonical || encoded === canonical.replace(/=+$/, '');
}

/** Compares two secrets in a time that does not depend on where they differ. */
export function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'));
}

/** Tells whether a body is a JSON object with this secret under a name. */
export function isEchoed(body: string, name: string, secret: string): boolean {
  try {
    const { [name]: echoed } = (JSON.parse(body) ?? {}) as Readonly<Record<string, unknown>>;
    return typeof echoed === 'string' && isSameSecret(echoed, secret);
  } catch {
    return false;
  }
}

/**
 * The key of a `v1` signature: the bytes that a `whsec_` secret encodes, or the UTF-8 bytes of any other text (the
 * `raw` format of the reference libraries).
 */
export function standardKey(secret: string): Buffer {
  return secret.startsWith(PREFIX)
    ? Buffer.from(secret.slice(PREFIX.length), 'base64')
    : Buffer.from(secret);
}

/** The key of a `Hook-HMAC`, the header of Thorn for Django: the UTF-8 bytes of the whole secret, its prefix included. */
export function hookHmacKey(secret: string): Buffer {
  return Buffer.from(secret);
}

/** An HMAC (RFC 2104) with one key, in base64. */
export class HmacKey {
  readonly #key: KeyObject;

  constructor(
    private readonly digest: Digest,
    key: Buffer,
  ) {
    this.#key = createSecretKey(key);
  }

  /** Signs `prefix` and `body`, one after the other. */
  sign(prefix: string, body: Buffer): string {
    return createHmac(this.digest, this.#key).update(prefix).update(body).digest('base64');
  }
}
