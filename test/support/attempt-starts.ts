import type { RateLimit } from '../../lib/message/index.js';
import { keyOf } from '../../lib/outbox/tables/keys.js';
import type { OutboxApp } from './apps/outbox-app.js';
import { STORED_ATTEMPTS } from './stored-attempts.js';

/** Reads when the attempts at a subscriber began, oldest first. */
export async function attemptStarts(
  rig: OutboxApp,
  subscriber: string,
): Promise<readonly number[]> {
  const rows = await rig.rows(
    `SELECT stored_attempts.started_at FROM ${STORED_ATTEMPTS} JOIN thorn_deliveries d ON d.id = stored_attempts.delivery_id
      WHERE d.subscriber_id = '${keyOf('sub_', subscriber)}' ORDER BY stored_attempts.started_at`,
  );
  return rows.map(({ started_at: at }) => Number(at));
}

/** Returns the largest number of these times that lie within any `per` milliseconds. */
export function maxWithin(times: readonly number[], per: number): number {
  const sorted = [...times].sort((one, other) => one - other);
  let most = 0;
  for (let from = 0, to = 0; to < sorted.length; to++) {
    while (sorted[to]! - sorted[from]! >= per) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

/** Returns the used part of the rate, in the steady state: from two times `per` after the first attempt. */
export function rateUsage(times: readonly number[], { max, per }: RateLimit): number {
  return ((times.length - max) * per) / max / (times.at(-1)! - times[0]! - per);
}
