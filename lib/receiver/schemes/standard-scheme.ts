import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { InvalidInputError } from '../../errors/index.js';
import {
  HmacKey,
  checkSecret,
  looksLikeUnprefixedKey,
  standardKey,
} from '../../signing/secrets.js';
import {
  orderOf,
  equalsInConstantTime,
  headerOf,
  type MessageIdentity,
  type SignatureClaim,
  signaturesOf,
  textOf,
  timestampOf,
  WebhookScheme,
} from './webhook-scheme.js';
import { type SignedRequest, WebhookRejectedError } from './signed-request.js';

const PUBLIC_PREFIX = 'whpk_';
const PRIVATE_PREFIX = 'whsk_';
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
// A dot would let the id, the time and the body of a signed content be divided elsewhere. Characters beyond Latin-1 are
// signed as one byte, so that two ids would have one signature.
const SIGNED_ID = /^[\x20-\x2d\x2f-\x7e]+$/;

type StandardKey = HmacKey | KeyObject;

/**
 * Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature` over `id.timestamp.body`, or the same
 * headers by the names of Svix, `svix-id` and so on. The header may hold several signatures, `v1` (HMAC-SHA256) and
 * `v1a` (ed25519); one valid signature is enough.
 *
 * Secrets: `whsec_` and base64, any other text of at least 16 characters (its bytes are the key), or `whpk_` and the
 * base64 of an ed25519 public key. The event is the body's `type` or `event`, which the signature covers.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export class StandardScheme extends WebhookScheme<StandardKey> {
  override key(secret: string): StandardKey {
    if (secret.startsWith(PUBLIC_PREFIX)) return publicKey(secret.slice(PUBLIC_PREFIX.length));
    if (secret.startsWith(PRIVATE_PREFIX)) {
      throw new InvalidInputError(
        'secret',
        `is a private key, which signs; to verify, give the public key, ${PUBLIC_PREFIX}…`,
      );
    }
    checkSecret(secret);
    return new HmacKey('sha256', standardKey(secret));
  }

  override warning(secret: string): string | null {
    return looksLikeUnprefixedKey(secret)
      ? 'looks like base64 without its prefix: its characters themselves are the key. If the sender shows it as ' +
          'whsec_…, put whsec_ in front; without it, every signature is wrong'
      : null;
  }

  override read(request: SignedRequest): SignatureClaim {
    const names = headerNames(request);
    const id = headerOf(request, names.id);
    if (!SIGNED_ID.test(id)) {
      throw new WebhookRejectedError(
        'malformed-header',
        `the header ${names.id} must not contain a dot or a character outside of printable ASCII`,
      );
    }
    const timestamp = headerOf(request, names.timestamp);
    const signatures = headerOf(request, names.signature).split(' ');
    return {
      timestamp: timestampOf(names.timestamp, timestamp),
      signatures: signaturesOf(
        names.signature,
        signatures.filter((signature) => /^v1a?,/.test(signature)),
      ),
    };
  }

  override isSigned(request: SignedRequest, claim: SignatureClaim, key: StandardKey): boolean {
    const { headers, body } = request;
    const names = headerNames(request);
    const prefix = `${headers[names.id]}.${headers[names.timestamp]}.`;
    if (key instanceof HmacKey) {
      const expected = `v1,${key.sign(prefix, body)}`;
      return claim.signatures.some((signature) => equalsInConstantTime(signature, expected));
    }
    const candidates = claim.signatures.flatMap(ed25519Bytes);
    if (candidates.length === 0) return false;
    // Latin-1, as Node reads headers: this restores the bytes that came.
    const content = Buffer.concat([Buffer.from(prefix, 'latin1'), body]);
    return candidates.some((signature) => verify(null, content, key, signature));
  }

  override identify(request: SignedRequest, payload: unknown): MessageIdentity {
    return {
      id: request.headers[headerNames(request).id]!,
      event: textOf(payload, 'type') ?? textOf(payload, 'event'),
      order: orderOf(request, payload),
    };
  }
}

const WEBHOOK = {
  id: 'webhook-id',
  timestamp: 'webhook-timestamp',
  signature: 'webhook-signature',
} as const;
const SVIX = { id: 'svix-id', timestamp: 'svix-timestamp', signature: 'svix-signature' } as const;

/** The headers that are read: all of one family, so that no part is signed under another name. */
function headerNames({ headers }: SignedRequest): typeof WEBHOOK | typeof SVIX {
  return headers[WEBHOOK.signature] === undefined && headers[SVIX.signature] !== undefined
    ? SVIX
    : WEBHOOK;
}

function publicKey(encoded: string): KeyObject {
  const bytes = canonicalBase64(encoded, PUBLIC_KEY_BYTES);
  if (bytes === null) {
    throw new InvalidInputError(
      'secret',
      `must be ${PUBLIC_PREFIX} followed by the base64 of ${PUBLIC_KEY_BYTES} bytes`,
    );
  }
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') };
  return createPublicKey({ key: jwk, format: 'jwk' });
}

function ed25519Bytes(signature: string): Buffer[] {
  if (!signature.startsWith('v1a,')) return [];
  const bytes = canonicalBase64(signature.slice('v1a,'.length), SIGNATURE_BYTES);
  return bytes === null ? [] : [bytes];
}

/** Decodes base64 in its canonical form: several spellings decode to the same bytes. */
function canonicalBase64(encoded: string, length: number): Buffer | null {
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.length === length && bytes.toString('base64') === encoded ? bytes : null;
}
