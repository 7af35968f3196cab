/**
 * Why a delivery ended without success.
 *
 * - `exhausted`: the retry policy allows no further attempt, or with `inline()` there never is one
 * - `gone`: the endpoint answered 410, and its subscriber was disabled
 * - `refused`: the recipient policy does not let webhooks go there
 * - `disabled`: its subscriber was disabled or removed in the meantime
 * - `cancelled`: somebody called it off
 */
export type FailureReason = 'exhausted' | 'gone' | 'refused' | 'disabled' | 'cancelled';

const ALL: Readonly<Record<FailureReason, true>> = {
  exhausted: true,
  gone: true,
  refused: true,
  disabled: true,
  cancelled: true,
};

/** Every reason there is. */
export const FAILURE_REASONS = Object.keys(ALL) as readonly FailureReason[];

/** Where a delivery stands: it waits for an attempt, or it has ended. */
export type DeliveryStatus = 'pending' | 'succeeded' | 'failed';
