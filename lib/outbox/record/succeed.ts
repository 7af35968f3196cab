import type { DeliveryState } from '../delivery-states.js';

/** Ends a delivery whose attempt was answered 2xx. */
export function succeed(state: DeliveryState): DeliveryState {
  const { attempts, throttled } = state;
  return { status: 'succeeded', attempts: attempts + 1, throttled, nextAt: null, reason: null };
}
