import type { Clock } from '../../common/time.js';
import { bringForwardById, selectRetriesSoonDue } from '../tables/deliveries.js';
import type { OutboxStore } from '../store/outbox-store.js';

const FORWARD_AT_ONCE = 500;

/**
 * Makes the retries of a host due that is well again: their attempts failed because it was down, in whichever process. Such an
 * attempt does not count. `AttemptRunner.recovered` calls this twice with the same `begunBy`, as attempts of other processes
 * may still fail for some seconds.
 *
 * @param begunBy the latest start of such an attempt; later failures are not due to the time when the host was down
 */
export async function bringForward(
  store: OutboxStore,
  host: string,
  begunBy: number,
  clock: Clock,
): Promise<void> {
  // One time for all rounds: the rows that a round has changed are due now, so the next does not find them.
  const now = clock.now();
  const next = () =>
    store.deliveryLeases.change(
      selectRetriesSoonDue(store, host, now, begunBy, FORWARD_AT_ONCE),
      (ids) => bringForwardById(store, ids, now),
    );
  while ((await next()).length === FORWARD_AT_ONCE);
}
