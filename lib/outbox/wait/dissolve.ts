import type { Clock } from '../../common/time.js';
import { dissolveById, selectBlockedOf } from '../tables/deliveries.js';
import type { OutboxStore } from '../store/outbox-store.js';

const DISSOLVED_AT_ONCE = 500;

/** Makes the deliveries of a subscriber due that wait for their turn, in no order: the subscriber is no longer ordered. */
export async function dissolve(
  store: OutboxStore,
  subscriberId: string,
  clock: Clock,
): Promise<void> {
  let changed: number;
  do {
    const blocked = selectBlockedOf(store, subscriberId, DISSOLVED_AT_ONCE);
    const update = (ids: readonly string[]) => dissolveById(store, ids, clock.now());
    changed = (await store.deliveryLeases.change(blocked, update)).length;
  } while (changed === DISSOLVED_AT_ONCE);
}
