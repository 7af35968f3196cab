import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

// Written against the specifications and not with the library's own signers: a check that shares their code would share
// their faults.

/** Tells whether one of the `v1` signatures of Standard Webhooks was made with the secret. */
export function isStandardSigned(
  headers: IncomingHttpHeaders,
  body: Buffer,
  secret: string,
): boolean {
  const [id, timestamp, signatures] = [
    headers['webhook-id'],
    headers['webhook-timestamp'],
    headers['webhook-signature'],
  ].map((header) => (typeof header === 'string' ? header : ''));
  if (!id || !signatures || !/^\d+$/.test(timestamp!)) return false;
  const key = secret.startsWith('whsec_')
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : Buffer.from(secret);
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  return signatures
    .split(' ')
    .some((signature) => signature.startsWith('v1,') && isEqual(signature.slice(3), expected));
}

/** Tells whether `Hook-HMAC` was made with the secret; its length gives the digest away. */
export function isThornSigned(headers: IncomingHttpHeaders, body: Buffer, secret: string): boolean {
  const header = headers['hook-hmac'];
  if (typeof header !== 'string') return false;
  const digest = { 20: 'sha1', 32: 'sha256', 64: 'sha512' }[Buffer.from(header, 'base64').length];
  if (digest === undefined) return false;
  return isEqual(header, createHmac(digest, secret).update(body).digest());
}

/** Compares in constant time, and the exact text: several spellings of base64 decode to the same bytes. */
function isEqual(given: string, expected: Buffer): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected.toString('base64'))];
  return left.length === right.length && timingSafeEqual(left, right);
}
