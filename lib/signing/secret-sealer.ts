import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { OptionChecks } from '../common/option-checks.js';
import { notAString } from './secrets.js';
import { ThornError } from '../errors/index.js';

/** A key that seals secrets at rest. */
export interface EncryptionKey {
  /** Name of the key, stored beside every text that the key has sealed: 1 to 32 letters, digits, `_` and `-`. */
  readonly id: string;
  /** 32 random bytes, or their base64. `openssl rand -base64 32` prints such a key. */
  readonly key: string | Uint8Array;
}

/** Options for sealing the secrets of subscribers before they are stored. */
export interface EncryptionOptions {
  /** The first key seals, every key opens. */
  readonly keys: readonly EncryptionKey[];
}

const CHECK = new OptionChecks('', 'encryption.');
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID = /^[\w-]{1,32}$/;
const MARK = 'sealed.v1.';
const SEALED = /^sealed\.v1\.([\w-]{1,32})\.([\w-]+)$/;

/**
 * Seals texts with AES-256-GCM: `sealed.v1.<key id>.<base64url of nonce, ciphertext and tag>`. The id of the
 * row is authenticated with the text, so that it opens nowhere else. Without keys, texts stay as they are.
 *
 * A repository of your own can inject this class to seal the secrets that it stores.
 *
 * @see https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf a key may seal 2^32 texts
 */
export class SecretSealer {
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #first: string | null;

  /**
   * @param options default: nothing is sealed, and nothing that is sealed opens
   * @throws `ThornConfigurationError` when a key is malformed; the error does not hold it
   */
  constructor(options?: EncryptionOptions) {
    this.#keys = options === undefined ? new Map() : keysOf(options);
    [this.#first = null] = this.#keys.keys();
  }

  /** True: there is a key to seal with. */
  get seals(): boolean {
    return this.#first !== null;
  }

  /**
   * @param rowId id of the row that holds the text; opening it needs the same id
   * @returns the sealed text, or without keys the text itself
   */
  seal(text: string, rowId: string): string {
    if (this.#first === null) return text;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#keys.get(this.#first)!, nonce, {
      authTagLength: TAG_BYTES,
    });
    cipher.setAAD(Buffer.from(rowId));
    const sealed = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
    return `${MARK}${this.#first}.${Buffer.concat(sealed).toString('base64url')}`;
  }

  /**
   * @param stored a result of {@link seal}, or a text from before there were keys, which is returned as it is
   * @throws {@link SecretUnreadableError} when its key is unknown, or it was altered or moved
   */
  open(stored: string, rowId: string): string {
    if (!stored.startsWith(MARK)) return stored;
    const [, keyId, encoded] = SEALED.exec(stored) ?? [];
    if (keyId === undefined) throw new SecretUnreadableError('altered', null, rowId);
    const key = this.#keys.get(keyId);
    if (key === undefined) throw new SecretUnreadableError('unknown-key', keyId, rowId);
    try {
      return opened(Buffer.from(encoded!, 'base64url'), key, rowId);
    } catch {
      // OpenSSL's own error says nothing more, and must not lead to the decrypted text.
      throw new SecretUnreadableError('altered', keyId, rowId);
    }
  }

  /** Tells whether a stored text need not be sealed again: the first key sealed it, or there are no keys. */
  isCurrent(stored: string): boolean {
    return this.#first === null || stored.startsWith(`${MARK}${this.#first}.`);
  }
}

function opened(bytes: Buffer, key: KeyObject, rowId: string): string {
  const tag = bytes.subarray(-TAG_BYTES);
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(rowId));
  decipher.setAuthTag(tag);
  const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
  return Buffer.concat([text, decipher.final()]).toString('utf8');
}

function keysOf(options: unknown): Map<string, KeyObject> {
  const { keys } = (options ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length === 0) {
    throw CHECK.error('keys', 'must be a list of at least one { id, key }');
  }
  const found = new Map<string, KeyObject>();
  for (const given of keys as unknown[]) {
    const { id, key } = (given ?? {}) as { id?: unknown; key?: unknown };
    if (typeof id !== 'string' || !KEY_ID.test(id)) {
      throw CHECK.error('keys', 'must have ids of 1 to 32 letters, digits, "_" and "-"');
    }
    CHECK.assert('keys', !found.has(id), `names "${id}" twice`);
    const bytes = bytesOf(key);
    if (bytes === null) {
      throw CHECK.error(
        'keys',
        key === undefined
          ? `has a key "${id}" that ${notAString(key)}`
          : `must hold 32 bytes or their base64, but "${id}" does not. Make a key with: openssl rand -base64 32`,
      );
    }
    found.set(id, createSecretKey(bytes));
  }
  return found;
}

function bytesOf(key: unknown): Uint8Array | null {
  if (key instanceof Uint8Array) return key.length === KEY_BYTES ? key : null;
  if (typeof key !== 'string') return null;
  const bytes = Buffer.from(key, 'base64');
  return bytes.length === KEY_BYTES && bytes.toString('base64') === key ? bytes : null;
}

/**
 * Thrown when stored secrets cannot be opened: the key that sealed them is not among `encryption.keys`, or the stored
 * text was altered.
 */
export class SecretUnreadableError extends ThornError {
  readonly code = 'THORN_SECRET_UNREADABLE';

  /**
   * @param reason `unknown-key`, or `altered` when the text was changed or moved here from elsewhere
   * @param keyId id of the key that sealed, as the stored text names it
   * @param rowId id of the subscriber or the message that has the secrets
   */
  constructor(
    readonly reason: 'unknown-key' | 'altered',
    readonly keyId: string | null,
    readonly rowId: string,
  ) {
    super(
      `The secrets of ${rowId} cannot be opened: ${EXPLANATIONS[reason](keyId)}. Or give it a new secret.`,
      { reason, keyId, rowId },
    );
  }
}

const EXPLANATIONS = {
  'unknown-key': (keyId: string | null) =>
    `they were sealed with the key "${keyId}", which encryption.keys does not name. Add that key`,
  altered: () =>
    'the stored text was altered, belongs to another row, or was sealed with a key of the same id and other bytes. Restore it',
} as const;
