import type { Clock } from '../../common/time.js';
import { selectFailedSoonDue } from '../tables/deliveries.js';
import type { OutboxStore } from '../store/outbox-store.js';

const FORWARD_AT_ONCE = 500;

/**
 * Makes deliveries due that failed a short time ago because their host was down, whichever process they failed in: it is well
 * again. The attempt that failed then does not count.
 *
 * @param begunBy the latest start of such an attempt
 */
export async function bringForward(
  stores: readonly OutboxStore[],
  host: string,
  begunBy: number,
  clock: Clock,
): Promise<void> {
  const update =
    'due_at = ?, attempts = attempts - 1, throttled = throttled + 1 WHERE lease IS NULL AND due_at > ?';
  for (const store of stores) {
    const now = clock.now();
    const next = () =>
      store.deliveryLeases.change(
        selectFailedSoonDue(store, host, now, begunBy, FORWARD_AT_ONCE),
        update,
        [now, now],
      );
    while ((await next()).length === FORWARD_AT_ONCE);
  }
}
