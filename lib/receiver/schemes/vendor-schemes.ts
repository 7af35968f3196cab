import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { SignedRequest } from './signed-request.js';
import {
  equalsInConstantTime,
  headerOf,
  type MessageIdentity,
  type SignatureClaim,
  signaturesOf,
  textOf,
  timestampOf,
  WebhookScheme,
} from './webhook-scheme.js';
import { decodeJson } from './decode-body.js';
import { InvalidInputError } from '../../errors/index.js';

/**
 * Stripe: `Stripe-Signature: t=…,v1=…`, the hexadecimal HMAC-SHA256 of `t.body`, keyed with the whole text of the
 * endpoint's secret, `whsec_` included. Several `v1` are accepted, `v0` never. Id and event are the body's `id` and `type`.
 *
 * @see https://docs.stripe.com/webhooks/signature
 */
export class StripeScheme extends WebhookScheme<KeyObject> {
  override key(secret: string): KeyObject {
    return createSecretKey(vendorKey(secret));
  }

  override read(request: SignedRequest): SignatureClaim {
    const name = 'stripe-signature';
    const parts = headerOf(request, name).split(',');
    return {
      timestamp: timestampOf(name, signedTime(parts)),
      signatures: signaturesOf(name, valuesOf(parts, 'v1')),
    };
  }

  override isSigned(request: SignedRequest, claim: SignatureClaim, key: KeyObject): boolean {
    const time = signedTime(headerOf(request, 'stripe-signature').split(','));
    const expected = createHmac('sha256', key)
      .update(`${time}.`)
      .update(request.body)
      .digest('hex');
    return claim.signatures.some((signature) => equalsInConstantTime(signature, expected));
  }

  override identify(_request: SignedRequest, payload: unknown): MessageIdentity {
    return { id: textOf(payload, 'id'), event: textOf(payload, 'type') };
  }
}

/** Returns the signed time; undefined when the header has several, since either could be the forged one. */
function signedTime(parts: readonly string[]): string | undefined {
  const times = valuesOf(parts, 't');
  return times.length === 1 ? times[0] : undefined;
}

function valuesOf(parts: readonly string[], name: string): string[] {
  return parts
    .filter((part) => part.startsWith(`${name}=`))
    .map((part) => part.slice(name.length + 1));
}

/**
 * GitHub: `X-Hub-Signature-256: sha256=…`, the hexadecimal HMAC-SHA256 of the body. Id and event are the headers
 * `X-GitHub-Delivery` and `X-GitHub-Event`. Only the body is signed: without a timestamp the tolerance has no effect,
 * and both headers could be replaced on the way. When the content type is a form, the payload is the field `payload`.
 *
 * @see https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
export class GithubScheme extends WebhookScheme<KeyObject> {
  override key(secret: string): KeyObject {
    return createSecretKey(vendorKey(secret));
  }

  override read(request: SignedRequest): SignatureClaim {
    const signature = headerOf(request, 'x-hub-signature-256');
    return { timestamp: null, signatures: signaturesOf('x-hub-signature-256', [signature]) };
  }

  override isSigned({ body }: SignedRequest, claim: SignatureClaim, key: KeyObject): boolean {
    const expected = `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
    return claim.signatures.some((signature) => equalsInConstantTime(signature, expected));
  }

  override identify({ headers }: SignedRequest): MessageIdentity {
    return {
      id: headers['x-github-delivery'] ?? null,
      event: headers['x-github-event'] ?? null,
    };
  }

  override payload(request: SignedRequest): unknown {
    const payload = super.payload(request);
    const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
    const json = isForm ? textOf(payload, 'payload') : null;
    return json === null ? payload : decodeJson(json);
  }
}

/** @throws {@link InvalidInputError} for a secret that is empty or has blanks around it */
export function vendorKey(secret: string): Buffer {
  if (secret === '' || secret.trim() !== secret) {
    throw new InvalidInputError('secret', 'must be a text without blanks around it');
  }
  return Buffer.from(secret);
}
