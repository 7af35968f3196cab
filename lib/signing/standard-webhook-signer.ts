import { BoundedCache } from '../common/collections.js';
import type { Digest, Secret } from '../message/recipient.js';
import type { WireFormat } from '../message/envelope.js';
import type { ApplicationKeys } from './application-keys.js';
import { Ed25519Key } from './ed25519-key.js';
import { HmacKey, standardKey, hookHmacKey } from './secrets.js';
import { type SigningInput, WebhookSigner } from './webhook-signer.js';

const CACHED_SECRETS = 20_000;

/**
 * Signs as Standard Webhooks says: `webhook-id`, `webhook-timestamp` (seconds, of this attempt) and `webhook-signature`
 * over `id.timestamp.body`: one signature for each live secret, newest first, then one for each key of the application,
 * separated by blanks. `v1,<base64>` is HMAC-SHA256, `v1a,<base64>` is ed25519, which the keys of the application and
 * secrets that begin with `whsk_` make.
 *
 * With `hookHmac` also for receivers of Thorn: `Hook-HMAC`, the base64 HMAC of the body alone, with the recipient's
 * digest and its newest live secret that is not a `whsk_`, since the receivers of those have the public key alone.
 *
 * A recipient without a live secret gets the signatures of the application's keys, if there are any.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export class StandardWebhookSigner extends WebhookSigner {
  readonly #keys = new BoundedCache<string, Keys>(CACHED_SECRETS);
  readonly #shared: SharedSignatures | null;
  readonly #hookHmac: boolean;
  #last: Stamp = { id: '', seconds: Number.NaN, timestamp: '', prefix: '' };

  /**
   * @param applicationKeys sign for every recipient; default none
   * @param format with `hookHmac: true`, requests also carry `Hook-HMAC`; default: they do not
   */
  constructor(
    applicationKeys?: ApplicationKeys,
    { hookHmac = false }: Partial<Pick<WireFormat, 'hookHmac'>> = {},
  ) {
    super();
    this.#hookHmac = hookHmac;
    this.#shared =
      applicationKeys === undefined || applicationKeys.all.length === 0
        ? null
        : new SharedSignatures(applicationKeys.all);
  }

  override sign({ id, time, body, recipient }: SigningInput): Record<string, string> {
    const { timestamp, prefix } = this.#stamp(id, Math.floor(time / 1000));
    let signatures = '';
    let hookHmac = '';
    for (const secret of recipient.secrets) {
      if (!isLive(secret, time)) continue;
      const keys = this.#keysOf(secret.value);
      if (signatures !== '') signatures += ' ';
      signatures += keys.standard(prefix, body);
      if (this.#hookHmac && hookHmac === '') hookHmac = keys.hookHmac(recipient.digest, body);
    }
    if (this.#shared !== null) {
      if (signatures !== '') signatures += ' ';
      signatures += this.#shared.of(prefix, body);
    }
    const headers: Record<string, string> = { 'webhook-id': id, 'webhook-timestamp': timestamp };
    if (hookHmac !== '') headers['Hook-HMAC'] = hookHmac;
    if (signatures !== '') headers['webhook-signature'] = signatures;
    return headers;
  }

  /** Made once for the recipients of a message that are signed for one after another. */
  #stamp(id: string, seconds: number): Stamp {
    if (this.#last.id !== id || this.#last.seconds !== seconds) {
      const timestamp = String(seconds);
      this.#last = { id, seconds, timestamp, prefix: `${id}.${timestamp}.` };
    }
    return this.#last;
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

/** The parts of a signature that a message's recipients share. */
interface Stamp {
  readonly id: string;
  /** Since the Unix epoch. */
  readonly seconds: number;
  readonly timestamp: string;
  readonly prefix: string;
}

/** The keys of one secret, each created when it is first needed. */
class Keys {
  readonly #standard: HmacKey | Ed25519Key;
  #hookHmacs: Map<Digest, HmacKey> | undefined;

  constructor(private readonly secret: string) {
    this.#standard = Ed25519Key.parse(secret) ?? new HmacKey('sha256', standardKey(secret));
  }

  standard(prefix: string, body: Buffer): string {
    const version = this.#standard instanceof HmacKey ? 'v1,' : 'v1a,';
    return version + this.#standard.sign(prefix, body);
  }

  /** Returns the header `Hook-HMAC` of Thorn for Django, or an empty text for an ed25519 key. */
  hookHmac(digest: Digest, body: Buffer): string {
    if (this.#standard instanceof Ed25519Key) return '';
    let key = this.#hookHmacs?.get(digest);
    if (key === undefined) {
      key = new HmacKey(digest, hookHmacKey(this.secret));
      (this.#hookHmacs ??= new Map()).set(digest, key);
    }
    return key.sign('', body);
  }
}

function isLive(secret: Secret, time: number): boolean {
  return secret.expiresAt === null || secret.expiresAt > time;
}

interface Signed {
  readonly prefix: string;
  readonly signatures: string;
}

/**
 * Caches the signatures of the application's keys: one for all recipients that get the same bytes in the same second.
 * A message has one buffer per content type, which its deliveries share; the signatures live as long as the buffer.
 */
class SharedSignatures {
  readonly #signed = new WeakMap<Buffer, Signed>();

  constructor(private readonly keys: readonly Ed25519Key[]) {}

  /**
   * `v1a` signatures, separated by blanks.
   *
   * @param prefix the message's id and the timestamp: with a new second the signatures are made anew
   */
  of(prefix: string, body: Buffer): string {
    const known = this.#signed.get(body);
    if (known?.prefix === prefix) return known.signatures;
    const signatures = this.keys.map((key) => `v1a,${key.sign(prefix, body)}`).join(' ');
    this.#signed.set(body, { prefix, signatures });
    return signatures;
  }
}
