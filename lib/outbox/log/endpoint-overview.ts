import {
  isActive,
  type OwnerScope,
  type Subscriber,
  type SubscriberRepository,
} from '../../subscriber/index.js';
import { hasEnded } from '../../message/recipient.js';
import type { AttemptCount } from '../tables/delivery-log.js';
import { idFrom } from '../tables/keys.js';
import { answerOf, type AttemptHistory } from './attempt-figures.js';

/** The attempts at an endpoint in the hours of a history. */
export interface EndpointAttempts {
  readonly attempts: number;
  readonly failed: number;
  /** The start of the latest attempt that failed, in milliseconds since the Unix epoch; null without one. */
  readonly failedAt: number | null;
}

/** The endpoints of an owner that need attention first, and the attempts of 24 hours. */
export interface EndpointOverview {
  /** All endpoints. */
  readonly endpoints: number;
  /** Up to 10: endpoints that fail, endpoints with failed attempts, endpoints that get nothing, and others. */
  readonly items: readonly {
    readonly subscriber: Subscriber;
    /** Null where the application keeps no delivery log. */
    readonly lastDay: EndpointAttempts | null;
  }[];
  /** Null where the application keeps no delivery log. */
  readonly figures: AttemptHistory | null;
}

const MOST_ITEMS = 10;
/** Endpoints among which those are sought that get nothing. */
const LOOKED_AT = 100;
/** Of an endpoint that was sent nothing. */
export const NO_ATTEMPTS: EndpointAttempts = { attempts: 0, failed: 0, failedAt: null };

/**
 * Chooses the endpoints to look at.
 *
 * @param failing ids of failing endpoints, the longest failing first
 * @param attempts those of each endpoint that has had some; null where nobody knows
 */
export async function endpointOverview(
  subscribers: SubscriberRepository,
  scope: OwnerScope,
  failing: readonly string[],
  attempts: ReadonlyMap<string, EndpointAttempts> | null,
  now: number,
): Promise<Omit<EndpointOverview, 'figures'>> {
  // Databases return them in any order.
  const ids = (await subscribers.findIds(scope)).toSorted();
  const troubled = [...(attempts ?? [])]
    .filter(([, { failed }]) => failed > 0)
    .sort(([, one], [, other]) => other.failed - one.failed)
    .map(([id]) => id);
  const first = [
    ...new Set([...failing.slice(0, MOST_ITEMS), ...troubled.slice(0, 2 * MOST_ITEMS)]),
  ];
  const others = ids.filter((id) => !first.includes(id)).slice(0, LOOKED_AT);
  const found = await subscribers.findAll([...first, ...others], scope);
  const order = new Map([...first, ...others].map((id, index) => [id, index]));
  const rank = (one: Subscriber) => {
    const index = order.get(one.id)!;
    const isIdle = !isActive(one) || hasEnded(one, now);
    return index < first.length || isIdle ? index : index + LOOKED_AT;
  };
  const shown = [...found].sort((one, other) => rank(one) - rank(other)).slice(0, MOST_ITEMS);
  return {
    endpoints: ids.length,
    items: shown.map((subscriber) => ({
      subscriber,
      lastDay: attempts && (attempts.get(subscriber.id) ?? NO_ATTEMPTS),
    })),
  };
}

/** Counts the attempts at each endpoint. @param rows of {@link countAttempts}, by subscriber */
export function attemptsBySubscriber(
  rows: readonly AttemptCount[],
): ReadonlyMap<string, EndpointAttempts> {
  const found = new Map<string, EndpointAttempts>();
  for (const row of rows) {
    const id = idFrom('sub_', row.subscriber_id, row.given_subscriber_id);
    const { attempts, failed, failedAt } = found.get(id) ?? NO_ATTEMPTS;
    const amount = Number(row.amount);
    const hasFailed = answerOf(row) !== '2xx';
    found.set(id, {
      attempts: attempts + amount,
      failed: hasFailed ? failed + amount : failed,
      failedAt: hasFailed ? Math.max(failedAt ?? 0, Number(row.latest)) : failedAt,
    });
  }
  return found;
}
