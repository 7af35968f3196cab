import { createHmac, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { newId } from '../common/index.js';
import { InvalidInputError } from '../errors/index.js';
import type { Digest } from '../message/index.js';

// Written against the specifications and not with the library's own signers: receivers are tested with it.

/** A webhook to sign, and the way to sign it. */
export interface SignWebhookInput {
  /** A text or bytes, sent as they are; anything else becomes JSON. */
  readonly body: unknown;
  /** Each adds a signature where the scheme allows several (`standard`, `stripe`); `whsk_…` signs by ed25519. */
  readonly secrets: readonly string[];
  /** Default `standard`. */
  readonly scheme?: 'standard' | 'thorn' | 'stripe' | 'github';
  /** Sent where the scheme has it; Stripe's is part of the body. Default: a new one. */
  readonly id?: string;
  /** Name of the event, for `thorn` and `github`, which send it in a header. */
  readonly event?: string;
  /** Time of the signature, in milliseconds since the Unix epoch. Default: the machine's time. */
  readonly time?: number;
  /** The digest of `Hook-HMAC`. Default `sha256`. */
  readonly digest?: Digest;
  /** Default `application/json`. */
  readonly contentType?: string;
}

/** A request with a valid signature. */
export interface SignedWebhook {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * Signs a webhook as its sender would, for tests of your own receivers.
 *
 * @example
 * ```ts
 * const { headers, body } = signWebhook({ body: { type: 'order.paid' }, secrets: [secret] });
 * await fetch(`${url}/webhooks/store`, { method: 'POST', headers, body });
 * ```
 */
export function signWebhook(input: SignWebhookInput): SignedWebhook {
  const {
    scheme = 'standard',
    secrets,
    time = Date.now(),
    contentType = 'application/json',
  } = input;
  if (secrets.length === 0) {
    throw new InvalidInputError('secrets', 'must be a list of at least one secret');
  }
  if (scheme === 'standard' && input.id?.includes('.')) {
    throw new InvalidInputError('id', 'must not contain a dot, which Standard Webhooks forbids');
  }
  const facts: Facts = {
    body: bytesOf(input.body),
    secrets,
    id: input.id ?? newId('msg_', time),
    seconds: Math.floor(time / 1000),
    event: input.event,
    digest: input.digest ?? 'sha256',
  };
  return {
    headers: { 'content-type': contentType, ...HEADERS[scheme](facts) },
    body: facts.body,
  };
}

interface Facts {
  readonly body: Buffer;
  readonly secrets: readonly string[];
  readonly id: string;
  readonly seconds: number;
  readonly event: string | undefined;
  readonly digest: Digest;
}

const HEADERS: Readonly<
  Record<NonNullable<SignWebhookInput['scheme']>, (facts: Facts) => Record<string, string>>
> = {
  standard({ id, seconds, body, secrets }) {
    const content = Buffer.concat([Buffer.from(`${id}.${seconds}.`), body]);
    return {
      'webhook-id': id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': secrets.map((secret) => standardSignature(secret, content)).join(' '),
    };
  },
  thorn({ id, body, secrets, digest, event }) {
    return {
      'hook-delivery': id,
      'hook-hmac': createHmac(digest, secrets[0]!).update(body).digest('base64'),
      ...(event !== undefined && { 'hook-event': event }),
    };
  },
  stripe({ seconds, body, secrets }) {
    const signatures = secrets.map(
      (secret) =>
        `v1=${createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex')}`,
    );
    return { 'stripe-signature': [`t=${seconds}`, ...signatures].join(',') };
  },
  github({ id, body, secrets, event }) {
    return {
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${createHmac('sha256', secrets[0]!).update(body).digest('hex')}`,
      ...(event !== undefined && { 'x-github-event': event }),
    };
  },
};

function standardSignature(secret: string, content: Buffer): string {
  if (secret.startsWith('whsk_')) {
    return `v1a,${sign(null, content, privateKey(secret)).toString('base64')}`;
  }
  const key = secret.startsWith('whsec_')
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : secret;
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
}

/** The base64 of the seed and the public key, 32 bytes each. */
function privateKey(secret: string): KeyObject {
  const bytes = Buffer.from(secret.slice('whsk_'.length), 'base64');
  if (bytes.length !== 64) {
    throw new InvalidInputError('secrets', 'hold a whsk_ that is not the base64 of 64 bytes');
  }
  const [d, x] = [bytes.subarray(0, 32), bytes.subarray(32)].map((part) =>
    part.toString('base64url'),
  );
  return createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d: d!, x: x! }, format: 'jwk' });
}

function bytesOf(body: unknown): Buffer {
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
