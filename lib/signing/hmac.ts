import { createHmac } from 'node:crypto';
import type { Digest } from '../message/recipient.js';

/** HMAC with one key. */
export class HmacKey {
  constructor(
    private readonly digest: Digest,
    private readonly key: Buffer,
  ) {}

  /**
   * Signs `prefix` and `body`, one after the other; returns base64.
   *
   * @param prefix Latin-1, as Node reads headers
   */
  sign(prefix: string, body: Buffer): string {
    return createHmac(this.digest, this.key).update(prefix, 'latin1').update(body).digest('base64');
  }
}
