import type { Deliveries, ReplaySummary } from '../../outbox/index.js';
import type { OwnerScope } from '../../subscriber/index.js';
import { orNotFound } from '../problems/errors.js';

/** Ends the work of one request between two batches, after a second: the answer says where to go on. */
export function stepSignal(): AbortSignal {
  return AbortSignal.timeout(1000);
}

interface BulkBody {
  readonly since: Date;
  readonly until?: Date;
  readonly dryRun: boolean;
  readonly after?: string;
}

/** @throws a 404 when there is no such subscriber within `scope` */
export async function replay(
  deliveries: Deliveries,
  work: 'retryFailed' | 'backfill',
  subscriberId: string,
  body: unknown,
  scope: OwnerScope,
): Promise<ReplaySummary> {
  const { after = null, ...range } = body as BulkBody;
  return orNotFound(
    await deliveries[work]({ ...range, subscriberId, after, signal: stepSignal() }, scope),
  );
}
