import { InvalidInputError } from '../../errors/index.js';
import type { Digest } from '../../message/index.js';
import { HmacKey, checkSecret, hookHmacKey } from '../../signing/secrets.js';
import {
  orderOf,
  equalsInConstantTime,
  headerOf,
  type MessageIdentity,
  type SignatureClaim,
  signaturesOf,
  textOf,
  WebhookScheme,
} from './webhook-scheme.js';
import type { SignedRequest } from './signed-request.js';

const DIGESTS: readonly Digest[] = ['sha1', 'sha256', 'sha512'];

/**
 * Thorn: `Hook-HMAC`, the base64 HMAC of the body, keyed with the whole text of the secret.
 *
 * Only the body is signed: without a timestamp the tolerance has no effect, and `Hook-Delivery`, the id, could be
 * replaced on the way. Prefer `standard` wherever the sender offers both. The event is the body's `event`, else
 * `Hook-Event`.
 */
export class ThornScheme extends WebhookScheme<HmacKey> {
  /** @param digest the subscription's `hmac_digest`. Default `sha256`. */
  constructor(private readonly digest: Digest = 'sha256') {
    super();
    if (!DIGESTS.includes(digest)) {
      throw new InvalidInputError('digest', `must be one of ${DIGESTS.join(', ')}`);
    }
  }

  override key(secret: string): HmacKey {
    checkSecret(secret);
    return new HmacKey(this.digest, hookHmacKey(secret));
  }

  override read(request: SignedRequest): SignatureClaim {
    const signature = headerOf(request, 'hook-hmac');
    return { timestamp: null, signatures: signaturesOf('hook-hmac', [signature]) };
  }

  override isSigned({ body }: SignedRequest, claim: SignatureClaim, key: HmacKey): boolean {
    const expected = key.sign('', body);
    return claim.signatures.some((signature) => equalsInConstantTime(signature, expected));
  }

  override identify(request: SignedRequest, payload: unknown): MessageIdentity {
    const { headers } = request;
    return {
      id: headers['hook-delivery'] ?? null,
      event: textOf(payload, 'event') ?? headers['hook-event'] ?? null,
      order: orderOf(request, payload),
    };
  }
}
