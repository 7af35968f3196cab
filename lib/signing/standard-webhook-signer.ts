import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { BoundedCache } from '../common/bounded-cache.js';
import type { Secret } from '../message/recipient.js';
import { standardKey, thornKey } from './secrets.js';
import { type SigningInput, WebhookSigner } from './webhook-signer.js';

const CACHED_SECRETS = 20_000;

/** The keys that one secret stands for. */
interface Keys {
  readonly standard: KeyObject;
  readonly thorn: KeyObject;
}

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
      const signature = createHmac('sha256', keys.standard)
        .update(prefix)
        .update(body)
        .digest('base64');
      if (signatures === '') {
        signatures = `v1,${signature}`;
        headers['Hook-HMAC'] = createHmac(recipient.digest, keys.thorn)
          .update(body)
          .digest('base64');
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
      keys = {
        standard: createSecretKey(standardKey(secret)),
        thorn: createSecretKey(thornKey(secret)),
      };
      this.#keys.set(secret, keys);
    }
    return keys;
  }
}

function isLive(secret: Secret, time: number): boolean {
  return secret.expiresAt === null || secret.expiresAt > time;
}
