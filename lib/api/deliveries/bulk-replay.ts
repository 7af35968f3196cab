import type { ReplayOptions, ReplaySummary } from '../../outbox/index.js';
import { orNotFound } from '../problems/problem.js';
import { type BackfillDto, rangeOf, type RecoverDto } from './deliveries.dto.js';

/**
 * Ends the work of a request after a second, between two batches. The answer then has the place from which the next
 * request goes on.
 */
export function stepSignal(): AbortSignal {
  return AbortSignal.timeout(1000);
}

/** @throws a 404 when `work` finds no subscriber with this id */
export async function replay(
  subscriberId: string,
  body: BackfillDto | RecoverDto,
  work: (options: ReplayOptions) => Promise<ReplaySummary | null>,
): Promise<ReplaySummary> {
  const { dryRun = false, after = null } = body;
  const range = rangeOf(body);
  return orNotFound(await work({ ...range, subscriberId, dryRun, after, signal: stepSignal() }));
}
