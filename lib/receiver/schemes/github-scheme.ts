import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { decodeJson } from './decode-body.js';
import type { SignedRequest } from './signed-request.js';
import { vendorKey } from './vendor-key.js';
import {
  equalsInConstantTime,
  headerOf,
  type MessageIdentity,
  type SignatureClaim,
  signaturesOf,
  textOf,
  WebhookScheme,
} from './webhook-scheme.js';

/**
 * GitHub: `X-Hub-Signature-256: sha256=…`, the hexadecimal HMAC-SHA256 of the body. Id and event are the headers
 * `X-GitHub-Delivery` and `X-GitHub-Event`. Only the body is signed: without a timestamp the tolerance has no effect,
 * and both headers could be replaced on the way. Of a body in the form content type, `payload` is read.
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
