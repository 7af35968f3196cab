import type { RateLimit } from '../../lib/message/index.js';
import type { Rig } from './apps/outbox-app.js';

/** When attempts at a subscriber began, in their order. */
export async function startsAt(rig: Rig, subscriber: string): Promise<readonly number[]> {
  const rows = await rig.rows(
    `SELECT a.started_at FROM thorn_attempts a JOIN thorn_deliveries d ON d.id = a.delivery_id
      WHERE d.subscriber_id = '${subscriber}' ORDER BY a.started_at`,
  );
  return rows.map(({ started_at: at }) => Number(at));
}

/** Most of these times that lie within any `per` milliseconds. */
export function mostWithin(times: readonly number[], per: number): number {
  const sorted = [...times].sort((one, other) => one - other);
  let most = 0;
  for (let from = 0, to = 0; to < sorted.length; to++) {
    while (sorted[to]! - sorted[from]! >= per) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

/** The part of the rate that was used, once those that wait have fallen into step: two times `per` after the first. */
export function usedOf(times: readonly number[], { max, per }: RateLimit): number {
  return ((times.length - max) * per) / max / (times.at(-1)! - times[0]! - per);
}
