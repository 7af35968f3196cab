import type { Deliveries, ReplaySummary } from '../../outbox/index.js';
import type { OwnerScope } from '../../subscriber/index.js';
import { orNotFound } from '../problems/problem.js';
import { type BackfillDto, rangeOf, type RecoverDto } from './deliveries.dto.js';

/**
 * Ends the work of a request after a second, between two batches. The answer then has the place from which the next
 * request goes on.
 */
export function stepSignal(): AbortSignal {
  return AbortSignal.timeout(1000);
}

/** @throws a 404 when there is no subscriber with this id within `scope` */
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
    await deliveries[work]({ ...range, subscriberId, dryRun, after, signal: stepSignal() }, scope),
  );
}
