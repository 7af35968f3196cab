import { createPublicKey, type KeyObject } from 'node:crypto';

/** The key of a `whpk_` text, for Node's `crypto.verify`. */
export function publicKeyOf(text: string): KeyObject {
  const bytes = Buffer.from(text.replace(/^whpk_/, ''), 'base64');
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') };
  return createPublicKey({ key: jwk, format: 'jwk' });
}
