import type { AttemptOutcome } from '../../delivery/index.js';
import type { DeliveryState } from '../delivery-states.js';
import { fail } from './fail.js';
import { succeed } from './succeed.js';
import { type DeliveryRules, tryAgain } from './try-again.js';

/** The next state of a delivery, and whether the outcome disables its subscriber. */
export interface Advance {
  readonly state: DeliveryState;
  /** True: the endpoint says that it is gone for good (410). */
  readonly disablesSubscriber: boolean;
}

/**
 * Chooses what becomes of a held delivery after an attempt: it succeeds, is tried again, or fails. Pure: the same arguments
 * get the same answer. A finished delivery never moves.
 *
 * @param now when the attempt ended, in milliseconds since the Unix epoch
 * @param random a random number from 0 (included) to 1 (not included)
 */
export function nextState(
  state: DeliveryState,
  outcome: AttemptOutcome,
  rules: DeliveryRules,
  now: number,
  random: number,
): Advance {
  const endsAlone = rules.format?.endsDelivery?.includes(outcome.status ?? 0) === true;
  const disablesSubscriber = outcome.status === 410 && !endsAlone;
  const next = (): DeliveryState => {
    if (state.status !== 'pending') return state;
    if (outcome.outcome === 'succeeded') return succeed(state);
    if (disablesSubscriber) return fail(state, 'gone', state.attempts + 1);
    if (endsAlone || outcome.error?.code === 'too-large') {
      return fail(state, 'exhausted', state.attempts + 1);
    }
    if (outcome.error?.code === 'recipient-refused') {
      return fail(state, 'refused', state.attempts + 1);
    }
    return tryAgain(state, outcome, rules, now, random);
  };
  return { state: next(), disablesSubscriber };
}
