import type { Deliveries, ReplaySummary } from '../../outbox/index.js';
import type { OwnerScope } from '../../subscriber/index.js';
import { type BackfillDto, rangeOf, type RecoverDto } from './deliveries.dto.js';
import { withinTimeBudget } from '../http/time-budget.js';
import { orNotFound } from '../problems/errors.js';

/** @throws a 404 when there is no such subscriber within `scope` */
export async function replay(
  deliveries: Deliveries,
  work: 'retryFailed' | 'backfill',
  subscriberId: string,
  body: BackfillDto | RecoverDto,
  scope: OwnerScope,
): Promise<ReplaySummary> {
  const { dryRun = false, after = null } = body;
  const range = rangeOf(body);
  return orNotFound(
    await withinTimeBudget((signal) =>
      deliveries[work]({ ...range, subscriberId, dryRun, after, signal }, scope),
    ),
  );
}
