import { hash } from 'node:crypto';
import type { Digest } from '../message/recipient.js';

const BLOCK_BYTES: Readonly<Record<Digest, number>> = { sha1: 64, sha256: 64, sha512: 128 };
const DIGEST_BYTES: Readonly<Record<Digest, number>> = { sha1: 20, sha256: 32, sha512: 64 };
const INNER = 0x36;
const OUTER = 0x5c;

// One buffer for all keys: signing is synchronous. Larger messages get a buffer of their own.
const scratch = Buffer.allocUnsafeSlow(16_384);

/**
 * HMAC (RFC 2104) with one key, out of Node's one-shot hash. The pads are made once per key, and a one-shot hash needs
 * no context: that takes about a third less time than `createHmac`.
 */
export class HmacKey {
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  constructor(
    private readonly digest: Digest,
    key: Buffer,
  ) {
    const block = BLOCK_BYTES[digest];
    const padded = Buffer.alloc(block);
    if (key.length > block) padded.write(hash(digest, key, 'hex'), 'hex');
    else key.copy(padded);
    this.#inner = padded.map((byte) => byte ^ INNER) as Buffer;
    this.#outer = Buffer.alloc(block + DIGEST_BYTES[digest]);
    this.#outer.set(padded.map((byte) => byte ^ OUTER));
  }

  /**
   * Signs `prefix` and `body`, one after the other; returns base64.
   *
   * @param prefix ASCII
   */
  sign(prefix: string, body: Buffer): string {
    const start = this.#inner.length + prefix.length;
    const length = start + body.length;
    const message = length <= scratch.length ? scratch : Buffer.allocUnsafe(length);
    message.set(this.#inner);
    message.write(prefix, this.#inner.length, 'latin1');
    message.set(body, start);
    const digest = hash(this.digest, message.subarray(0, length), 'binary');
    this.#outer.write(digest, BLOCK_BYTES[this.digest], 'binary');
    return hash(this.digest, this.#outer, 'base64');
  }
}
