import { hash } from 'node:crypto';
import type { Digest } from '../message/recipient.js';

const BLOCK_BYTES: Readonly<Record<Digest, number>> = { sha1: 64, sha256: 64, sha512: 128 };
const DIGEST_BYTES: Readonly<Record<Digest, number>> = { sha1: 20, sha256: 32, sha512: 64 };
const INNER = 0x36363636;
const OUTER = 0x5c5c5c5c;

// Shared by all keys, because signing is synchronous. Longer messages get a buffer of their own.
const scratch = Buffer.allocUnsafeSlow(16_384);
const outerScratch = Buffer.allocUnsafeSlow(BLOCK_BYTES.sha512 + DIGEST_BYTES.sha512);
const outerWords = wordsOf(outerScratch);
const outers: Readonly<Record<Digest, Buffer>> = {
  sha1: outerScratch.subarray(0, BLOCK_BYTES.sha1 + DIGEST_BYTES.sha1),
  sha256: outerScratch.subarray(0, BLOCK_BYTES.sha256 + DIGEST_BYTES.sha256),
  sha512: outerScratch,
};

/** What stands behind the pad in the scratch buffer. */
interface Filling {
  readonly block: number;
  readonly prefix: string;
  readonly body: Buffer;
  /** The pad and what stands behind it. */
  readonly message: Buffer;
  readonly words: Int32Array;
}

let filling: Filling | null = null;

/**
 * HMAC (RFC 2104) with one key, out of Node's one-shot hash. It needs no context: that takes about a third less time than
 * `createHmac`.
 *
 * With many keys most of the rest is memory that the processor has to wait for. So a key holds its bytes alone, and what
 * is signed for one recipient after another is copied once.
 */
export class HmacKey {
  readonly #key: Int32Array;

  constructor(
    private readonly digest: Digest,
    key: Buffer,
  ) {
    const block = BLOCK_BYTES[digest];
    const padded = Buffer.alloc(block);
    if (key.length > block) padded.write(hash(digest, key, 'hex'), 'hex');
    else key.copy(padded);
    // A copy, because V8 keeps a small array that has no buffer of its own in one place.
    this.#key = wordsOf(padded).slice();
  }

  /**
   * Signs `prefix` and `body`, one after the other; returns base64.
   *
   * @param prefix ASCII
   * @param body not changed as long as it is signed with this prefix
   */
  sign(prefix: string, body: Buffer): string {
    const { digest } = this;
    const block = BLOCK_BYTES[digest];
    const { message, words } = filled(block, prefix, body);
    const key = this.#key;
    for (let at = 0; at < key.length; at++) {
      words[at] = key[at]! ^ INNER;
      outerWords[at] = key[at]! ^ OUTER;
    }
    const outer = outers[digest];
    outer.write(hash(digest, message, 'binary'), block, 'latin1');
    return hash(digest, outer, 'base64');
  }
}

/** A buffer with room for a pad of `block` bytes, then `prefix` and `body`. */
function filled(block: number, prefix: string, body: Buffer): Filling {
  if (filling?.body === body && filling.prefix === prefix && filling.block === block) {
    return filling;
  }
  const start = block + prefix.length;
  const length = start + body.length;
  const isShort = length <= scratch.length;
  const message = isShort ? scratch.subarray(0, length) : Buffer.allocUnsafeSlow(length);
  message.write(prefix, block, 'latin1');
  message.set(body, start);
  const made = { block, prefix, body, message, words: wordsOf(message) };
  if (isShort) filling = made;
  return made;
}

function wordsOf({ buffer, byteOffset, length }: Buffer): Int32Array {
  return new Int32Array(buffer, byteOffset, length >> 2);
}
