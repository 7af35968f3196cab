import type { DeliveryStats } from './delivery-record.js';
import type { Shard } from './shard.js';

/** How much there is to do, over all data sources. */
export async function statsOf(shards: readonly Shard[], now: number): Promise<DeliveryStats> {
  const rows = await Promise.all(shards.map(({ log }) => log.stats(now)));
  const total = (name: string) => rows.reduce((count, row) => count + Number(row[name]), 0);
  const times = rows
    .flatMap((row) => [row['oldest_delivery'], row['oldest_message']])
    .filter((time) => time !== null)
    .map(Number);
  const oldestDue = times.length === 0 ? null : Math.min(...times);
  return {
    pending: total('pending'),
    due: total('due'),
    leased: total('leased'),
    rateLimited: total('rate_limited'),
    failed: total('failed'),
    pendingMessages: total('pending_messages'),
    dueMessages: total('due_messages'),
    oldestDue,
    lag: oldestDue === null ? 0 : now - oldestDue,
  };
}
