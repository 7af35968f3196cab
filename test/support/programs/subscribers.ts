import { RetryPolicy, type RetryQuestion } from '../../../lib/delivery/index.js';
import { InMemorySubscriberRepository, type Subscriber } from '../../../lib/subscriber/index.js';
import { type OutboxAppOptions, subscriber } from '../apps/outbox-app.js';
import type { CheckedSubscriber } from './message-check.js';
import { PROGRAM_ENTITIES } from './rows.js';

/** The status that ends a delivery for good, by the policy of the programs. */
export const REJECTED = 422;

/** Tries again soon, until a delivery is accepted or rejected. */
class SoonPolicy extends RetryPolicy {
  override nextAttempt({ outcome, now }: RetryQuestion): number | null {
    return outcome.status === REJECTED ? null : now + 20;
  }
}

/** The options of every application that runs programs. */
export function programOptions(): OutboxAppOptions {
  return {
    ...{ entities: PROGRAM_ENTITIES, isLogged: false, lease: 2000 },
    endpoints: { failures: 4, probeInterval: 100, maxPause: 250 },
    retryPolicy: new SoonPolicy(),
  };
}

/** How a subscriber differs from a plain one that is enabled and gets everything. */
export interface SubscriberPlan extends Partial<Pick<Subscriber, 'events' | 'rateLimit'>> {
  readonly order?: 'skip' | 'hold';
  /** `late`: it is enabled in the middle, and gets what it has missed by a backfill. */
  readonly enabled?: 'never' | 'late';
  /** The number of its host. */
  readonly host: number;
}

/** The number of hosts; the last one never fails. */
export const HOSTS = 4;
/** The one whose host rejects some messages for good. */
export const SKIPPING = 'skip';
/** The one whose host rejects some messages until they are tried again by hand. */
export const HOLDING = 'hold';
/** The one that is enabled late. */
export const LATE = 'late';

/** Of some events, all recipients but the ordered ones are at a host that fails. */
export const SUBSCRIBERS: Readonly<Record<string, SubscriberPlan>> = {
  plain: { host: 0 },
  [SKIPPING]: { host: 1, order: 'skip' },
  [HOLDING]: { host: 2, order: 'hold', events: ['item.*', 'shelf.*'] },
  beside: { host: 2, events: ['*.changed', 'item.full'] },
  limited: { host: 3, rateLimit: { max: 50, per: 500 }, events: ['item.*'] },
  steady: { host: 3, events: ['item.*', 'note.*'] },
  never: { host: 3, enabled: 'never' },
  [LATE]: { host: 3, order: 'skip', enabled: 'late' },
};

/** @param hosts their URLs, without a path */
export async function createSubscribers(
  plans: Readonly<Record<string, SubscriberPlan>>,
  hosts: readonly string[],
): Promise<InMemorySubscriberRepository> {
  const subscribers = new InMemorySubscriberRepository();
  for (const [name, { host, order, enabled, ...changes }] of Object.entries(plans)) {
    await subscribers.create(
      subscriber(`${hosts[host]!}/${name}`, {
        ...{ id: `sub_${name}`, ordered: order !== undefined, enabled: enabled === undefined },
        ...(order !== undefined && { onExhausted: order }),
        ...changes,
      }),
    );
  }
  return subscribers;
}

/** What a subscriber has to receive. */
export function checkedSubscriber(
  name: string,
  { order, enabled, events = ['*.*'] }: SubscriberPlan,
): CheckedSubscriber {
  return {
    name,
    order: order ?? 'none',
    hears: (event) => enabled !== 'never' && events.some((pattern) => matches(pattern, event)),
  };
}

function matches(pattern: string, event: string): boolean {
  const [left, right] = [pattern.split('.'), event.split('.')];
  return left.every((segment, at) => segment === '*' || segment === right[at]);
}
