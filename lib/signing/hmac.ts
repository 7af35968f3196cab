import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Digest } from '../message/recipient.js';

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
