import { BoundedCache } from '../common/bounded-cache.js';
import type { Digest, Secret } from '../message/recipient.js';
import { HmacKey } from './hmac.js';
import { standardKey, thornKey } from './secrets.js';
import { type SigningInput, WebhookSigner } from './webhook-signer.js';

const CACHED_SECRETS = 20_000;

/**
 * Signs for two kinds of receivers at once.
 *
 * - Standard Webhooks: `webhook-id`, `webhook-timestamp` (seconds, of this attempt) and `webhook-signature`, one
 *   `v1,<base64>` for each live secret, newest first, separated by a blank. HMAC-SHA256 over `id.timestamp.body`.
 * - Thorn: `Hook-HMAC`, the base64 HMAC of the body alone, with the recipient's digest and its newest live secret.
 *
 * A recipient without a live secret gets `webhook-id` and `webhook-timestamp` alone.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export class StandardWebhookSigner extends WebhookSigner {
  readonly #keys = new BoundedCache<string, Keys>(CACHED_SECRETS);

  override sign({ id, time, body, recipient }: SigningInput): Record<string, string> {
    const timestamp = String(Math.floor(time / 1000));
    const prefix = `${id}.${timestamp}.`;
    const headers: Record<string, string> = { 'webhook-id': id, 'webhook-timestamp': timestamp };
    let signatures = '';
    for (const secret of recipient.secrets) {
      if (!isLive(secret, time)) continue;
      const keys = this.#keysOf(secret.value);
      const signature = keys.standard.sign(prefix, body);
      if (signatures === '') {
        signatures = `v1,${signature}`;
        headers['Hook-HMAC'] = keys.thorn(recipient.digest).sign('', body);
      } else {
        signatures += ` v1,${signature}`;
      }
    }
    if (signatures !== '') headers['webhook-signature'] = signatures;
    return headers;
  }

  #keysOf(secret: string): Keys {
    let keys = this.#keys.get(secret);
    if (keys === undefined) {
      keys = new Keys(secret);
      this.#keys.set(secret, keys);
    }
    return keys;
  }
}

/** The keys that one secret stands for, each made when it is first needed. */
class Keys {
  readonly standard: HmacKey;
  readonly #secret: string;
  readonly #thorn = new Map<Digest, HmacKey>();

  constructor(secret: string) {
    this.#secret = secret;
    this.standard = new HmacKey('sha256', standardKey(secret));
  }

  thorn(digest: Digest): HmacKey {
    let key = this.#thorn.get(digest);
    if (key === undefined) {
      key = new HmacKey(digest, thornKey(this.#secret));
      this.#thorn.set(digest, key);
    }
    return key;
  }
}

function isLive(secret: Secret, time: number): boolean {
  return secret.expiresAt === null || secret.expiresAt > time;
}
