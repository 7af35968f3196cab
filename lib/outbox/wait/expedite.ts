import { expediteById, selectRateLimited } from '../tables/deliveries.js';
import type { OutboxStore } from '../store/outbox-store.js';

const EXPEDITED_AT_ONCE = 500;

/**
 * Makes the deliveries of a subscriber due that wait for its rate limit, because the limit has changed: they get other
 * permits.
 *
 * @param isStopped asked between two sets
 */
export async function expedite(
  store: OutboxStore,
  subscriberId: string,
  now: number,
  isStopped: () => boolean,
): Promise<void> {
  let changed: number;
  do {
    const waiting = selectRateLimited(store, subscriberId, now, EXPEDITED_AT_ONCE);
    const update = (ids: readonly string[]) => expediteById(store, ids, now);
    changed = (await store.deliveryLeases.change(waiting, update)).length;
  } while (changed === EXPEDITED_AT_ONCE && !isStopped());
}
