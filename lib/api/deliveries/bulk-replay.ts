import type { Deliveries, ReplaySummary } from '../../outbox/index.js';
import type { OwnerScope } from '../../subscriber/index.js';
import { withinTimeBudget } from '../http/time-budget.js';
import type { BulkBody } from './delivery-bodies.js';

/**
 * Retries failed deliveries for a while.
 *
 * @returns null when there is no such subscriber within `scope`
 */
export function recover(
  deliveries: Deliveries,
  subscriberId: string,
  body: BulkBody,
  scope: OwnerScope,
): Promise<ReplaySummary | null> {
  return withinTimeBudget((signal) =>
    deliveries.retryFailed({ ...body, subscriberId, signal }, scope),
  );
}

/**
 * Sends missed messages for a while.
 *
 * @returns null when there is no such subscriber within `scope`
 */
export function backfill(
  deliveries: Deliveries,
  subscriberId: string,
  body: BulkBody,
  scope: OwnerScope,
): Promise<ReplaySummary | null> {
  return withinTimeBudget((signal) =>
    deliveries.backfill({ ...body, subscriberId, signal }, scope),
  );
}
