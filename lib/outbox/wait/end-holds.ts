import { endHoldById } from '../tables/deliveries.js';
import type { OutboxStore } from '../store/outbox-store.js';

/** Makes failed deliveries due that hold their key: a worker claims and skips them, and the next one gets its turn. */
export async function endHolds(
  store: OutboxStore,
  ids: readonly string[],
  now: number,
): Promise<void> {
  if (ids.length > 0) await store.database.run(endHoldById(store, ids, now));
}
