import type { Deliveries, ReplaySummary } from '../../outbox/index.js';
import type { OwnerScope } from '../../subscriber/index.js';
import { type BackfillDto, rangeOf, type RecoverDto } from './deliveries.dto.js';
import { withinTimeBudget } from '../http/time-budget.js';

/**
 * Retries failed deliveries for a while.
 *
 * @returns null when there is no such subscriber within `scope`
 */
export function recover(
  deliveries: Deliveries,
  subscriberId: string,
  body: RecoverDto,
  scope: OwnerScope,
): Promise<ReplaySummary | null> {
  const { dryRun = false, after = null } = body;
  const range = rangeOf(body);
  return withinTimeBudget((signal) =>
    deliveries.retryFailed({ ...range, subscriberId, dryRun, after, signal }, scope),
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
  body: BackfillDto,
  scope: OwnerScope,
): Promise<ReplaySummary | null> {
  const { dryRun = false, after = null } = body;
  const range = rangeOf(body);
  return withinTimeBudget((signal) =>
    deliveries.backfill({ ...range, subscriberId, dryRun, after, signal }, scope),
  );
}
