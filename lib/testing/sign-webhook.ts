import { createHmac, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { newId } from '../common/index.js';
import { InvalidInputError } from '../errors/index.js';
import type { Digest } from '../message/index.js';
import { vendorKey } from '../receiver/schemes/vendor-schemes.js';
import { checkSecret } from '../signing/secrets.js';

// Written against the specifications and not with the library's own signers: receivers are tested with it.

/** A webhook to sign, and the way to sign it. */
export interface SignWebhookInput {
  /** A text or bytes, sent as they are; anything else becomes JSON. */
  readonly body: unknown;
  /**
   * Each secret adds a signature where the scheme allows several (`standard`, `stripe`). A `whsk_…` key signs with
   * ed25519.
   */
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
 * @throws `InvalidInputError` for what no sender could sign with; the error does not hold the secrets
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
  checkInput(input, scheme);
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

/** Lists every field, so that a field that is added to the type and forgotten here does not compile. */
const FIELDS: Readonly<Record<keyof SignWebhookInput, true>> = {
  body: true,
  secrets: true,
  scheme: true,
  id: true,
  event: true,
  time: true,
  digest: true,
  contentType: true,
};

// Checked here, because wrong input would look like a fault of the receiver under test.
function checkInput(input: SignWebhookInput, scheme: string): void {
  const unknown = Object.keys(input).find((name) => !Object.hasOwn(FIELDS, name));
  if (unknown !== undefined) {
    const valid = Object.keys(FIELDS).join(', ');
    throw new InvalidInputError(unknown, `is not a field of signWebhook(). Valid fields: ${valid}`);
  }
  if (!Object.hasOwn(HEADERS, scheme)) {
    throw new InvalidInputError('scheme', `must be one of ${Object.keys(HEADERS).join(', ')}`);
  }
  const { secrets, time, digest } = input;
  if (!Array.isArray(secrets) || secrets.length === 0) {
    throw new InvalidInputError('secrets', 'must be a list of at least one secret');
  }
  for (const [index, secret] of secrets.entries()) {
    try {
      if (scheme === 'standard' || scheme === 'thorn') checkSecret(secret);
      else vendorKey(secret);
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      throw new InvalidInputError(`secrets[${index}]`, error.reason);
    }
  }
  if (time !== undefined && !Number.isFinite(time)) {
    throw new InvalidInputError('time', 'must be milliseconds since the Unix epoch');
  }
  if (digest !== undefined && scheme !== 'thorn') {
    throw new InvalidInputError('digest', "is a field of the scheme 'thorn' alone");
  }
  if (digest !== undefined && !DIGESTS.includes(digest)) {
    throw new InvalidInputError('digest', `must be one of ${DIGESTS.join(', ')}`);
  }
}

const DIGESTS: readonly Digest[] = ['sha1', 'sha256', 'sha512'];

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

/** One signature of Standard Webhooks over `id.timestamp.body`. */
export function standardSignature(secret: string, content: Buffer): string {
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
  const [d, x] = [bytes.subarray(0, 32), bytes.subarray(32)].map((part) =>
    part.toString('base64url'),
  );
  return createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d: d!, x: x! }, format: 'jwk' });
}

function bytesOf(body: unknown): Buffer {
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
