import {
  type ClaimedDelivery,
  giveTurnById,
  type KeyQueue,
  parseClaimedRow,
  selectHeads,
  selectLeased,
} from '../tables/deliveries.js';
import type { NewLease } from '../tables/leases.js';
import type { OutboxStore } from '../store/outbox-store.js';

/**
 * Gives the first delivery of each queue its turn, unless one has it, or an earlier message of the key has no deliveries yet,
 * or a bulk operation is under way for the subscriber.
 *
 * @param lease null: any worker may claim them now
 * @returns the deliveries that are leased
 */
export async function giveTurns(
  store: OutboxStore,
  queues: readonly KeyQueue[],
  now: number,
  lease: NewLease | null,
): Promise<readonly ClaimedDelivery[]> {
  if (queues.length === 0) return [];
  // Most often there is nothing to give, so it is looked for without a transaction. What changes in between is guarded by
  // the condition of the update, and by the unique index.
  const heads = (await store.database.run(selectHeads(store, queues, now))).rows;
  if (heads.length === 0) return [];
  const ids = heads.map(({ id }) => id);
  const update = giveTurnById(store, ids, lease, now);
  const results = await store.database.execute(
    store.dialect.returns || lease === null
      ? [update]
      : [update, selectLeased(store, ids, lease.token)],
  );
  if (lease === null) return [];
  const leased = new Set(results.at(-1)!.rows.map(({ id }) => id));
  return heads.filter(({ id }) => leased.has(id)).map(parseClaimedRow);
}
