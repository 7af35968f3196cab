import { hasEnded, hostOf, type Message, NO_HOST, type Recipient } from '../../message/index.js';
import { isActive, type Subscriber, type SubscriberRepository } from '../../subscriber/index.js';
import type { Candidate } from '../tables/delivery-record.js';
import type { FanOut } from '../../dispatch/index.js';
import {
  type RecipientFinder,
  RecipientUnknownError,
} from '../../dispatch/recipients/recipient-finder.js';
import type { LoadedMessage } from '../tables/messages.js';
import type { OutboxStore } from '../store/outbox-store.js';

/** The sources of the recipients of deliveries. */
export interface RecipientSources {
  readonly fanOut: FanOut;
  readonly subscribers: SubscriberRepository;
}

/** Stands for a message that is stored but cannot be read now. */
export const UNREADABLE: unique symbol = Symbol('cannot be read now');

/** Reads the message of a row; null when the body was dropped. */
export function readable(
  store: OutboxStore,
  row: LoadedMessage,
): Message | typeof UNREADABLE | null {
  try {
    return store.rows.messageOf(row);
  } catch {
    return UNREADABLE;
  }
}

const BODIES_AT_ONCE = 50;
// Ordered, as it may be: then it overtakes nothing.
const UNKNOWN: CurrentHost = { host: NO_HOST, isOrdered: true };

/** Where a delivery goes now. */
export interface CurrentHost {
  readonly host: string;
  /** True when messages of the same key go there one after another. */
  readonly isOrdered: boolean;
}

/** Finds the current host of each delivery. Deliveries whose subscriber is disabled, removed or has ended are left out. */
export async function findCurrentHosts(
  store: OutboxStore,
  candidates: readonly Candidate[],
  sources: RecipientSources,
  now: number,
): Promise<ReadonlyMap<string, CurrentHost>> {
  const stored = new Map<string, Subscriber | null>();
  for (const id of new Set(candidates.map(({ subscriberId }) => subscriberId))) {
    stored.set(id, await sources.subscribers.findById(id, 'any'));
  }
  const hosts = new Map<string, CurrentHost>();
  const others: Candidate[] = [];
  for (const candidate of candidates) {
    const subscriber = stored.get(candidate.subscriberId)!;
    if (subscriber === null) others.push(candidate);
    else if (isActive(subscriber) && !hasEnded(subscriber, now))
      hosts.set(candidate.id, currentHost(subscriber));
  }
  for (let at = 0; at < others.length; at += BODIES_AT_ONCE) {
    const batch = others.slice(at, at + BODIES_AT_ONCE);
    for (const [id, host] of await staticHosts(store, batch, sources)) hosts.set(id, host);
  }
  return hosts;
}

/** Finds the hosts of subscribers that are not stored: settings or the message itself name these subscribers. */
async function staticHosts(
  store: OutboxStore,
  candidates: readonly Candidate[],
  sources: RecipientSources,
): Promise<readonly (readonly [delivery: string, host: CurrentHost])[]> {
  const rows = await store.messages.load([
    ...new Set(candidates.map(({ messageId }) => messageId)),
  ]);
  const messages = new Map<unknown, Message | typeof UNREADABLE | null>(
    rows.map((row) => [row.id, readable(store, row)]),
  );
  const finder = sources.fanOut.finder();
  const hosts: [string, CurrentHost][] = [];
  for (const { id, messageId, subscriberId } of candidates) {
    const host = await staticHost(messages.get(messageId) ?? null, subscriberId, finder);
    if (host !== null) hosts.push([id, host]);
  }
  return hosts;
}

/**
 * Finds the host of a subscriber that is not stored. While the host is unknown, the worker that claims the delivery postpones it.
 */
async function staticHost(
  message: Message | typeof UNREADABLE | null,
  subscriber: string,
  finder: RecipientFinder,
): Promise<CurrentHost | null> {
  if (message === UNREADABLE) return UNKNOWN;
  if (message === null) return null;
  try {
    const recipient = await finder.find(message, subscriber);
    return recipient === null ? null : currentHost(recipient);
  } catch (error) {
    if (error instanceof RecipientUnknownError) return UNKNOWN;
    throw error;
  }
}

function currentHost(recipient: Recipient): CurrentHost {
  return { host: hostOf(recipient), isOrdered: recipient.ordered === true };
}
