import type { Clock } from '../../common/time.js';
import { timeFromId } from '../../common/id.js';
import { failById, selectWaitingOf } from '../tables/deliveries.js';
import type { OutboxStore } from '../store/outbox-store.js';

/** Which waiting deliveries end, and why. */
export interface WaitingEnd {
  readonly subscriberId: string;
  readonly reason: 'disabled' | 'expired';
  /** Deliveries of messages from then on go on waiting. Default: none do. */
  readonly before?: number | undefined;
}

const FAILED_AT_ONCE = 1000;

/**
 * Fails the deliveries of a subscriber that wait, or hold their key: it was disabled or removed, or its end has passed. Those
 * that a worker holds are left to it.
 *
 * @returns how many
 */
export async function failWaiting(
  store: OutboxStore,
  { subscriberId, reason, before = Number.POSITIVE_INFINITY }: WaitingEnd,
  clock: Clock,
): Promise<number> {
  let total = 0;
  let count: number;
  do {
    count = 0;
    await store.database.execute([
      selectWaitingOf(store, subscriberId, FAILED_AT_ONCE),
      ([found]) => {
        // Not in the statement, which might then read the finished ones as well.
        const ended = found!.rows.filter(({ id }) => timeFromId(`dlv_${id as string}`) < before);
        count = ended.length;
        const ids = ended.map(({ id }) => id);
        return count === 0 ? null : failById(store, ids, { reason, now: clock.now() });
      },
    ]);
    total += count;
  } while (count === FAILED_AT_ONCE);
  return total;
}
