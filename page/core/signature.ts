import { bodyDifference } from './body-difference.js';
import { computedBy } from './computed-signature.js';
import type { Finding, SeenFacts, SentFacts, SignedFrame } from './findings.js';
import { bytesOf, hmac, keyOf, textOfBase64, verifyEd25519 } from './signing.js';

const SIGNED = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;
/** Receivers allow five minutes, as Standard Webhooks says. */
const TOLERANCE = 5 * 60_000;
const NOTICEABLE = 60_000;

/** Compares the facts that the receiver saw with the request that was sent, and with the secret. Nothing leaves the browser. */
export async function findDifferences(sent: SentFacts, seen: SeenFacts): Promise<Finding[]> {
  const findings: Finding[] = [];
  const add = (tone: Finding['tone'], say: Finding['say']) => findings.push({ tone, say });
  const given = parseHeaders(seen.headers);
  if (given.size > 0) {
    for (const name of SIGNED) {
      if (!given.has(name)) add('bad', (texts) => texts.headerMissing(name));
    }
    if ((given.get('webhook-id') ?? sent.id) !== sent.id)
      add('bad', (texts) => texts['webhook-id']);
    if (findings.length === 0) add('good', (texts) => texts.headersComplete);
  }
  if (seen.body !== '' && sent.body !== null) findings.push(bodyDifference(sent.body, seen.body));
  const [id, time, signatures] = SIGNED.map((name) => given.get(name));
  const body = sent.body ?? (seen.body === '' ? null : bytesOf(seen.body));
  if (seen.secret.trim() === '') {
    // Signatures can be compared only with a secret.
  } else if (id === undefined || time === undefined || signatures === undefined || body === null) {
    add('off', (texts) => texts.notEnough);
  } else {
    const frame = { id, time, body, signatures };
    findings.push(await secretFinding(frame, seen.secret, sent.body !== null));
    if (seen.computed.trim() !== '') {
      const cause = await computedBy(frame, seen);
      add(cause === 'right' ? 'good' : 'bad', (texts) => texts.computed[cause]);
    }
  }
  const { clockError } = sent;
  if (clockError !== null && Math.abs(clockError) >= NOTICEABLE) {
    const isRefused = Math.abs(clockError) >= TOLERANCE;
    const minutes = Math.round(clockError / 60_000);
    add(isRefused ? 'bad' : 'wait', (texts) => texts.clockOff(minutes, isRefused));
  }
  return findings;
}

async function secretFinding(
  frame: SignedFrame,
  secret: string,
  isBodyKnown: boolean,
): Promise<Finding> {
  const bad = (say: Finding['say']): Finding => ({ tone: 'bad', say });
  if (secret.trim().startsWith('whsk_')) return bad((texts) => texts.privateKey);
  const ofKind = (kind: string) =>
    frame.signatures
      .split(' ')
      .filter((one) => one.startsWith(`${kind},`))
      .map((one) => one.slice(kind.length + 1));
  const signed = [bytesOf(`${frame.id}.${frame.time}.`), frame.body] as const;
  if (secret.trim().startsWith('whpk_')) {
    const isRight = await verifyEd25519(secret.trim().slice(5), signed, ofKind('v1a'));
    return isRight ? { tone: 'good', say: (texts) => texts.secretRight } : bad(wrong);
  }
  const signatures = ofKind('v1');
  const placeOf = async (text: string) => {
    const key = keyOf(text);
    return key === null ? -1 : signatures.indexOf(textOfBase64(await hmac(key, signed)));
  };
  const place = await placeOf(secret);
  if (place === 0) return { tone: 'good', say: (texts) => texts.secretRight };
  if (place > 0) return { tone: 'wait', say: (texts) => texts.secretOld };
  const bare = secret
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2')
    .trim();
  if (bare !== secret && (await placeOf(bare)) >= 0) return bad((texts) => texts.secretBlanks);
  if ((await placeOf(`whsec_${bare}`)) >= 0) return bad((texts) => texts.secretPrefix);
  return bad(isBodyKnown ? wrong : (texts) => texts.secretOrBody);
}

const wrong: Finding['say'] = (texts) => texts.secretWrong;

/** Reads headers from lines, from JSON, or from variables such as `HTTP_WEBHOOK_ID`. */
export function parseHeaders(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, name, value] of text.matchAll(
    /^[\s{"'<>]*([\w-]+)["']?\s*[:=]\s*["'[]*(.*?)["'\],}]*\s*$/gm,
  )) {
    found.set(
      name!
        .toLowerCase()
        .replaceAll('_', '-')
        .replace(/^http-/, ''),
      value!,
    );
  }
  return found;
}
