import { hostOf } from '../../message/index.js';
import {
  type OwnerScope,
  type Subscriber,
  type SubscriberRepository,
  subscriberState,
} from '../../subscriber/index.js';
import { EVERY_HOST } from '../wait/host-queue.js';
import type { OutboxStrategy } from '../strategy/outbox.strategy.js';

/** Why nothing is sent to an endpoint for now. */
export interface EndpointPause {
  /**
   * `operator`: the host was paused by the operator API. `retry-after`: the host has answered 429, 502, 503 or 504.
   * `breaker`: the latest requests to the host failed.
   */
  readonly reason: 'operator' | 'retry-after' | 'breaker';
  /** When the host is tried again, in milliseconds since the Unix epoch; null while an operator's pause lasts. */
  readonly until: number | null;
}

/** Whether an endpoint fails. Times are milliseconds since the Unix epoch. */
export interface EndpointState {
  readonly subscriberId: string;
  /** The start of the first failed attempt since the latest success; null while the endpoint does not fail. */
  readonly failingSince: number | null;
  /** Messages that have failed since then. */
  readonly failingMessages: number;
  /** As far as the asked process knows; null while the endpoint is sent to. */
  readonly pause: EndpointPause | null;
}

/** The endpoints of an owner that need a look. */
export interface EndpointStates {
  /** All endpoints. */
  readonly endpoints: number;
  /** Enabled endpoints whose attempts have only failed of late. */
  readonly failing: number;
  readonly disabled: number;
  /** The failing ones, the longest first; up to 100. */
  readonly items: readonly EndpointState[];
}

/** Subscribers that one statement looks up. */
const AT_ONCE = 1000;
const MOST_ITEMS = 100;

/** The states of subscribers, in the order of their ids. */
export async function endpointStates(
  outbox: OutboxStrategy,
  subscribers: readonly Subscriber[],
  now: number,
): Promise<readonly EndpointState[]> {
  const stored = await outbox.store.health.read(subscribers.map(({ id }) => id));
  const pauseOf = await pausesOf(outbox, now);
  return subscribers.map((subscriber) => ({
    subscriberId: subscriber.id,
    failingSince: stored.get(subscriber.id)?.health.failingSince ?? null,
    failingMessages: stored.get(subscriber.id)?.health.failingMessages ?? 0,
    pause: pauseOf(subscriber),
  }));
}

/** Finds the failing ones among the subscribers of a scope. */
export async function failingStates(
  outbox: OutboxStrategy,
  subscribers: SubscriberRepository,
  scope: OwnerScope,
  now: number,
): Promise<Omit<EndpointStates, 'disabled'>> {
  const ids = await subscribers.findIds(scope);
  const failing: EndpointState[] = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const found = [...(await outbox.store.health.read(ids.slice(at, at + AT_ONCE))).keys()];
    if (found.length === 0) continue;
    const wanted = (await subscribers.findAll(found, scope)).filter(
      (one) => subscriberState(one, now, now) === 'failing',
    );
    failing.push(...(await endpointStates(outbox, wanted, now)));
  }
  const items = failing
    .filter(({ failingSince }) => failingSince !== null)
    .sort((one, other) => one.failingSince! - other.failingSince!);
  return { endpoints: ids.length, failing: items.length, items: items.slice(0, MOST_ITEMS) };
}

/** What this process knows of pauses, and the operator's. */
export async function pausesOf(
  outbox: OutboxStrategy,
  now: number,
): Promise<(subscriber: Subscriber) => EndpointPause | null> {
  const paused = await outbox.pausedHosts();
  const known = new Map(outbox.endpoints().map((one) => [one.host, one]));
  return (subscriber) => {
    const host = hostOf(subscriber);
    if (paused.has(host) || paused.has(EVERY_HOST)) return { reason: 'operator', until: null };
    const { mode = 'flowing', until = null } = known.get(host) ?? {};
    if (mode === 'flowing' || until === null || until <= now) return null;
    return { reason: mode === 'broken' ? 'breaker' : 'retry-after', until };
  };
}
