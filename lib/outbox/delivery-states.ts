import type {
  AttemptOutcome,
  DeliveryStatus,
  FailureReason,
  RetryPolicy,
} from '../delivery/index.js';
import type { FormatRules, RetrySettings } from '../message/index.js';

/** The stored state of a delivery between attempts; plain values, one column each. */
export interface DeliveryState {
  /** A `pending` one may be leased to a worker; that is not part of its state. */
  readonly status: DeliveryStatus;
  /** Attempts that count. */
  readonly attempts: number;
  /** Attempts that do not count, answered 429 or made while the host was down; at most {@link MAX_THROTTLED}. */
  readonly throttled: number;
  /**
   * The due time of the next attempt, in milliseconds since the Unix epoch; null once finished. Of a failed delivery that
   * holds its key, the end of that.
   */
  readonly nextAt: number | null;
  /** Set if and only if `status` is `failed`. */
  readonly reason: FailureReason | null;
}

/**
 * The result of an attempt, or another reason for the end. `disabled`: the subscriber was disabled or removed.
 * `expired`: its end has passed. `cancelled`: the delivery was cancelled.
 */
export type DeliveryOutcome = AttemptOutcome | 'disabled' | 'expired' | 'cancelled';

/** The rules for continuing a delivery, besides its state and outcome. */
export interface DeliveryRules {
  readonly policy: RetryPolicy;
  /** The settings of the message's event. */
  readonly settings: RetrySettings | undefined;
  /** The rules of the subscriber's format. Default: none. */
  readonly format?: FormatRules;
  /** True: the failure is one of the host, which takes nothing but probes, or took nothing else when the attempt began. */
  readonly isHostDown?: boolean;
}

/** A delivery's next state, and what the outcome means for others. */
export interface Advance {
  readonly state: DeliveryState;
  /** True: the endpoint says that it is gone for good (410). */
  readonly disablesSubscriber: boolean;
}

/**
 * So many attempts that are answered 429, or made while the host is down, do not count. Every further one counts like any
 * failure, so that a delivery ends whatever its endpoint says.
 */
export const MAX_THROTTLED = 20;

/** Behind all times, and yet a time: the due time of what waits for another delivery, and not for a time. */
export const NOT_DUE = 8_640_000_000_000_000;

/** Milliseconds until a delivery may be the probe of a host that is down once more: less than the interval of probes. */
const PROBE_AGAIN = 1000;

/** A delivery that has just been made: due at once. */
export function newDelivery(now: number): DeliveryState {
  return { status: 'pending', attempts: 0, throttled: 0, nextAt: now, reason: null };
}

/** The state of a delivery that has failed for good and holds its key. @param holdFor milliseconds; null: without an end */
export function withHold(state: DeliveryState, now: number, holdFor: number | null): DeliveryState {
  return { ...state, nextAt: holdFor === null ? NOT_DUE : now + holdFor };
}

/**
 * The life of a delivery: pending → succeeded | pending with another time | failed. Pure: the same arguments get the
 * same answer. A finished delivery never moves.
 *
 * @param now when the attempt ended, in milliseconds since the Unix epoch
 * @param random a random number from 0 (included) to 1 (not included)
 */
export function nextState(
  state: DeliveryState,
  outcome: DeliveryOutcome,
  { policy, settings, format = {}, isHostDown = false }: DeliveryRules,
  now: number,
  random: number,
): Advance {
  const isAttempt = typeof outcome === 'object';
  const endsAlone = isAttempt && format.endsDelivery?.includes(outcome.status ?? 0) === true;
  const disablesSubscriber = isAttempt && outcome.status === 410 && !endsAlone;
  const end = (status: 'succeeded' | 'failed', reason: FailureReason | null, attempts: number) => ({
    state: { status, attempts, throttled: state.throttled, nextAt: null, reason },
    disablesSubscriber,
  });

  if (state.status !== 'pending') return { state, disablesSubscriber };
  if (!isAttempt) return end('failed', outcome, state.attempts);
  if (outcome.outcome === 'succeeded') return end('succeeded', null, state.attempts + 1);
  if (disablesSubscriber) return end('failed', 'gone', state.attempts + 1);
  if (endsAlone || outcome.error?.code === 'too-large') {
    return end('failed', 'exhausted', state.attempts + 1);
  }
  if (outcome.error?.code === 'recipient-refused') {
    return end('failed', 'refused', state.attempts + 1);
  }

  const isFree = (outcome.status === 429 || isHostDown) && state.throttled < MAX_THROTTLED;
  const attempts = state.attempts + (isFree ? 0 : 1);
  const throttled = state.throttled + (isFree ? 1 : 0);
  const ask = (attempt: number) => policy.nextAttempt({ attempt, outcome, now, random, settings });
  const nextAt = isFree ? latestAllowed(ask, attempts, throttled) : ask(attempts);
  // What is no time must not become a row that is never due and never finished, such as a policy's NaN.
  if (nextAt === null || !(Number.isFinite(nextAt) && nextAt < NOT_DUE))
    return end('failed', 'exhausted', attempts);
  // The columns hold whole milliseconds.
  const isProbe = isFree && isHostDown && outcome.retryAfter === null;
  const dueAt = isProbe ? now + PROBE_AGAIN : Math.max(now, Math.ceil(nextAt));
  return {
    state: { status: 'pending', attempts, throttled, nextAt: dueAt, reason: null },
    disablesSubscriber,
  };
}

/**
 * A throttled delivery waits as long as if every 429 had counted, so that the delays grow; but it does not end for the
 * sake of those that do not count.
 */
function latestAllowed(
  ask: (attempt: number) => number | null,
  attempts: number,
  throttled: number,
): number | null {
  const fewest = Math.max(1, attempts);
  for (let attempt = attempts + throttled; attempt > fewest; attempt--) {
    const nextAt = ask(attempt);
    if (nextAt !== null) return nextAt;
  }
  return ask(fewest);
}
