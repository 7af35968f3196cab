import { NOT_DUE } from '../delivery-states.js';
import {
  type BackfilledDelivery,
  insertBackfilled,
  selectBackfilled,
} from '../tables/deliveries.js';
import type { OutboxStore } from '../store/outbox-store.js';

/**
 * Adds deliveries of finished messages that a subscriber has missed; deliveries that exist are left out. An ordered one waits for
 * its turn, which is given at the end of the operation.
 *
 * @returns how many were added
 */
export async function backfill(
  store: OutboxStore,
  deliveries: readonly BackfilledDelivery[],
): Promise<number> {
  if (deliveries.length === 0) return 0;
  const added = deliveries.map((one) => (one.order === null ? one : { ...one, dueAt: NOT_DUE }));
  const results = await store.database.execute([
    insertBackfilled(store, added),
    selectBackfilled(store, added),
  ]);
  return results[1]!.rows.length;
}
