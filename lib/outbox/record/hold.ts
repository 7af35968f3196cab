import type { FailureReason } from '../../delivery/index.js';
import { type DeliveryState, NOT_DUE } from '../delivery-states.js';
import type { DeliveryJob } from '../store/delivery-job.js';

/** Reasons for which a delivery may hold its key. With other reasons the subscriber is gone, or somebody cancelled the delivery. */
export const HOLDING: ReadonlySet<FailureReason | null> = new Set(['exhausted', 'refused']);

/**
 * Lets a delivery that has failed for good hold its key, if it is ordered and its subscriber has `onExhausted: 'hold'`: later
 * deliveries of the key wait until the hold ends.
 *
 * @param state of a delivery that has just failed; any other stays as it is
 */
export function hold(
  { keyHash, recipient }: Pick<DeliveryJob, 'keyHash' | 'recipient'>,
  state: DeliveryState,
  now: number,
): DeliveryState {
  const holds = keyHash !== null && recipient.onExhausted === 'hold' && HOLDING.has(state.reason);
  if (!holds) return state;
  const holdFor = recipient.holdFor ?? null;
  return { ...state, nextAt: holdFor === null ? NOT_DUE : now + holdFor };
}
