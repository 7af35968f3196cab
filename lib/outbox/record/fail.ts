import type { FailureReason } from '../../delivery/index.js';
import type { DeliveryState } from '../delivery-states.js';

/** Ends a delivery for good: it gets no further attempt. @param attempts the attempts that count, the last one included */
export function fail(
  { throttled }: DeliveryState,
  reason: FailureReason,
  attempts: number,
): DeliveryState {
  return { status: 'failed', attempts, throttled, nextAt: null, reason };
}
