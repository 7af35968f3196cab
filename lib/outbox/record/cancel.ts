import { cancelById } from '../tables/deliveries.js';
import type { OutboxStore } from '../store/outbox-store.js';

/** Ends a delivery that waits, or that holds its key. @returns false when it does neither, or when a worker holds it */
export async function cancel(store: OutboxStore, id: string, now: number): Promise<boolean> {
  const { affected } = await store.database.run(cancelById(store, id, now));
  return affected === 1;
}
