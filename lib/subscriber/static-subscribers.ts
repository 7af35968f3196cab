import { createHmac } from 'node:crypto';
import { InvalidInputError } from '../errors/index.js';
import type { Recipient, StaticSubscriber, SubscriberSource } from '../message/index.js';

/** What is checked of every static subscriber before it is used. */
export interface StaticSubscriberRules {
  /** Throws when the URL is refused. */
  checkUrl(url: string): unknown;
  /** Throws when the secret is too weak. */
  checkSecret(secret: string): void;
  readonly contentTypes: readonly string[];
}

const MAX_DEPTH = 16;

/**
 * Resolves a source to recipients, each URL and secret once, in the order found.
 *
 * @throws {@link InvalidInputError} naming `subscribers` when a source yields something that is no subscriber
 */
export async function resolveSubscribers(
  source: SubscriberSource,
  event: string,
  sender: string | null,
  rules: StaticSubscriberRules,
): Promise<readonly Recipient[]> {
  const found = new Map<string, Recipient>();
  await collect(source, 0);
  return [...found.values()];

  async function collect(part: SubscriberSource, depth: number): Promise<void> {
    if (depth > MAX_DEPTH) throw refused(`are nested deeper than ${MAX_DEPTH} levels`);
    if (part === null || part === undefined) return;
    if (typeof part === 'string') return add({ url: part });
    if (typeof part === 'function') return collect(await part(event, sender), depth + 1);
    if (typeof part !== 'object')
      throw refused(`must be URLs or objects with a url, not a ${typeof part}`);
    if (Symbol.asyncIterator in part || Symbol.iterator in part) {
      for await (const item of part) await collect(item, depth + 1);
      return;
    }
    add(part);
  }

  function add(subscriber: StaticSubscriber): void {
    const recipient = toRecipient(subscriber, rules);
    if (!found.has(recipient.id)) found.set(recipient.id, recipient);
  }
}

const KNOWN_KEYS = new Set(['url', 'secret', 'contentType', 'digest']);
const DIGESTS: readonly string[] = ['sha1', 'sha256', 'sha512'];

function toRecipient(subscriber: StaticSubscriber, rules: StaticSubscriberRules): Recipient {
  const unknown = Object.keys(subscriber).find((key) => !KNOWN_KEYS.has(key));
  if (unknown !== undefined)
    throw refused(`have no property ${unknown}; known are ${[...KNOWN_KEYS].join(', ')}`);
  const { url, secret, contentType = 'application/json', digest = 'sha256' } = subscriber;
  if (typeof url !== 'string') throw refused('must have a url');
  rules.checkUrl(url);
  if (secret !== undefined) rules.checkSecret(secret);
  if (!rules.contentTypes.includes(contentType)) {
    throw refused(`must ask for one of ${rules.contentTypes.join(', ')}, not ${contentType}`);
  }
  if (!DIGESTS.includes(digest))
    throw refused(`must name one of the digests ${DIGESTS.join(', ')}`);
  return {
    id: staticId(url, secret ?? ''),
    url,
    contentType,
    digest,
    secrets: secret === undefined ? [] : [{ value: secret, expiresAt: null }],
  };
}

// Derived, so that logs and health find the same subscriber again after a restart and in every process. Keyed by the
// secret: the id tells nobody more about it than a signature does.
function staticId(url: string, secret: string): string {
  return `sub_static-${createHmac('sha256', secret).update(`static subscriber ${url}`).digest('hex').slice(0, 32)}`;
}

function refused(reason: string): InvalidInputError {
  return new InvalidInputError('subscribers', reason);
}
