import { selectRateLimited } from '../tables/deliveries.js';
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
  const update = 'due_at = ?, permit_at = ? WHERE lease IS NULL';
  let changed: number;
  do {
    const waiting = selectRateLimited(store, subscriberId, now, EXPEDITED_AT_ONCE);
    changed = (await store.deliveryLeases.change(waiting, update, [now, now])).length;
  } while (changed === EXPEDITED_AT_ONCE && !isStopped());
}
