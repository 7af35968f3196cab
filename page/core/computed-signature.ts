import type { SeenFacts, SignedFrame } from './findings.js';
import { bytesOf, bytesOfBase64, hmac, keyOf, textOfBase64 } from './signing.js';

/**
 * The mistake with which a program gets a wrong signature; `right` when its signature is right, `unknown` when no known
 * mistake gives this signature.
 */
export type Cause = 'right' | 'hex' | 'key' | 'payload' | 'parsed' | 'unknown';

/** Tries the usual mistakes, until one gives the signature that the receiver's program computes. */
export async function computedBy(frame: SignedFrame, seen: SeenFacts): Promise<Cause> {
  const { id, time, body } = frame;
  const wanted = seen.computed.trim().replace(/^v1,/, '');
  const secret = seen.secret.trim();
  const right = keyOf(secret);
  const bare = secret.replace(/^whsec_/, '');
  const keys = [right, bytesOf(secret), bytesOf(bare), bytesOfBase64(bare)];
  const start = bytesOf(`${id}.${time}.`);
  const payloads = [
    ['', [start, body]],
    ['payload', [body]],
    ['payload', [bytesOf(`${time}.`), body]],
    ['payload', [bytesOf(`${id}.`), body]],
    ['payload', [bytesOf(`${time}.${id}.`), body]],
    ['payload', [bytesOf(`${id}${time}`), body]],
    ...[seen.body, ...writtenAnew(body)].map((one) => ['parsed', [start, bytesOf(one)]] as const),
  ] as const;
  for (const [mistake, parts] of payloads) {
    for (const key of keys) {
      if (key === null) continue;
      const made = await hmac(key, parts);
      if (textOfBase64(made).replace(/=+$/, '') === wanted.replace(/=+$/, '')) {
        return mistake !== '' ? mistake : key === right ? 'right' : 'key';
      }
      const hex = Array.from(made, (one) => one.toString(16).padStart(2, '0')).join('');
      if (hex === wanted.toLowerCase()) return 'hex';
    }
  }
  return 'unknown';
}

/** The texts that languages write for parsed JSON: without blanks, indented, and with blanks as Python writes it. */
function writtenAnew(body: Uint8Array): readonly string[] {
  try {
    const data: unknown = JSON.parse(new TextDecoder().decode(body));
    const indented = JSON.stringify(data, null, 1);
    const python = indented.replaceAll(/\n\s*/g, ' ').replaceAll(/([[{]) | ([\]}])/g, '$1$2');
    return [JSON.stringify(data), JSON.stringify(data, null, 2), indented, python];
  } catch {
    return [];
  }
}
