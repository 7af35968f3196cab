/**
 * The reason why a delivery ended without success.
 *
 * - `exhausted`: the retry policy allows no further attempt; `inline()` never retries
 * - `gone`: the endpoint answered 410, and the subscriber was disabled
 * - `refused`: the recipient policy does not allow the destination
 * - `disabled`: the subscriber was disabled or removed in the meantime
 * - `expired`: the subscriber's end has passed
 * - `cancelled`: the delivery was cancelled on request
 */
export type FailureReason = 'exhausted' | 'gone' | 'refused' | 'disabled' | 'expired' | 'cancelled';

const ALL: Readonly<Record<FailureReason, true>> = {
  exhausted: true,
  gone: true,
  refused: true,
  disabled: true,
  expired: true,
  cancelled: true,
};

/** All failure reasons. */
export const FAILURE_REASONS = Object.keys(ALL) as readonly FailureReason[];

/** The state of a delivery: waiting for an attempt, or ended. */
export type DeliveryStatus = 'pending' | 'succeeded' | 'failed';
