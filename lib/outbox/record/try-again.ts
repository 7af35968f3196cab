import type { AttemptOutcome, RetryPolicy } from '../../delivery/index.js';
import type { FormatRules, RetrySettings } from '../../message/index.js';
import { type DeliveryState, MAX_THROTTLED, NOT_DUE } from '../delivery-states.js';
import { fail } from './fail.js';

/** The rules for continuing a delivery, besides its state and outcome. */
export interface DeliveryRules {
  readonly policy: RetryPolicy;
  /** The settings of the message's event. */
  readonly settings: RetrySettings | undefined;
  /** The rules of the subscriber's format. Default: none. */
  readonly format?: FormatRules;
  /**
   * True: the failure says nothing about the delivery, because its host is down. The breaker of the host lets only probes through,
   * or did so when the attempt began.
   */
  readonly isHostDown?: boolean;
}

/** Milliseconds until a delivery may be the probe of a host that is down once more: less than the interval of probes. */
const PROBE_AGAIN = 1000;

/**
 * Lets a delivery whose attempt has failed wait for the next one, or ends it where the policy has no other. An attempt that
 * was answered 429, or made while the host was down, does not count: {@link MAX_THROTTLED} times at most.
 */
export function tryAgain(
  state: DeliveryState,
  outcome: AttemptOutcome,
  { policy, settings, isHostDown = false }: DeliveryRules,
  now: number,
  random: number,
): DeliveryState {
  const isFree = (outcome.status === 429 || isHostDown) && state.throttled < MAX_THROTTLED;
  const attempts = state.attempts + (isFree ? 0 : 1);
  const throttled = state.throttled + (isFree ? 1 : 0);
  const ask = (attempt: number) => policy.nextAttempt({ attempt, outcome, now, random, settings });
  const nextAt = isFree ? latestAllowed(ask, attempts, throttled) : ask(attempts);
  // A policy may answer NaN, for example, which would become a row that is never due and never finished.
  if (nextAt === null || !(Number.isFinite(nextAt) && nextAt < NOT_DUE)) {
    return fail(state, 'exhausted', attempts);
  }
  // The columns hold whole milliseconds.
  const isProbe = isFree && isHostDown && outcome.retryAfter === null;
  const dueAt = isProbe ? now + PROBE_AGAIN : Math.max(now, Math.ceil(nextAt));
  return { status: 'pending', attempts, throttled, nextAt: dueAt, reason: null };
}

/**
 * A delivery that was answered 429 waits as long as if each of these answers had counted, so that the delays grow. But it does not
 * end because of answers that do not count.
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
