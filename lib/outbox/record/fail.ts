import type { FailureReason } from '../../delivery/index.js';
import type { DeliveryState } from '../delivery-states.js';

/** Ends a delivery that nothing is left to be tried of. @param attempts those that count, with this one if it does */
export function fail(
  { throttled }: DeliveryState,
  reason: FailureReason,
  attempts: number,
): DeliveryState {
  return { status: 'failed', attempts, throttled, nextAt: null, reason };
}
