import type { Candidate } from '../tables/delivery-record.js';
import {
  type KeyQueue,
  type MessageOrder,
  reopenById,
  type RequeuedDelivery,
} from '../tables/deliveries.js';
import { hashOf, keyOf, withMessageId } from '../tables/keys.js';
import { selectOrders } from '../tables/messages.js';
import type { MessageRow } from '../tables/table-names.js';
import type { OutboxStore } from '../store/outbox-store.js';
import { findCurrentHosts, type RecipientSources } from './current-hosts.js';

/** Counts of deliveries by result; with `dryRun`, by expected result. */
export interface ReplayCounts {
  /** Deliveries that were made due. */
  readonly scheduled: number;
  /** Deliveries left out because the body of the message was dropped. */
  readonly expunged: number;
  /** Deliveries left out because the subscriber is disabled, expired or removed. */
  readonly disabled: number;
  /**
   * Deliveries left out because a worker holds or has yet to create them, or because the message cannot be read now.
   */
  readonly underWay: number;
  /** Deliveries left out because the REST API resent them within the last minute. */
  readonly resent: number;
}

/** How deliveries are made due. */
export interface Reopening {
  readonly now: number;
  readonly dryRun: boolean;
  /** True brings waiting deliveries forward as well. */
  readonly isWaitingToo: boolean;
}

/**
 * Makes deliveries due and resets their attempts. An ordered delivery waits until the caller gives it its turn. Left out are
 * deliveries that a worker holds, deliveries whose body was dropped, and deliveries to a subscriber that is disabled, expired or
 * removed.
 *
 * @returns the queues whose first delivery may have its turn now, and the ids of what was not left out
 */
export async function reopen(
  store: OutboxStore,
  candidates: readonly Candidate[],
  sources: RecipientSources,
  { now, dryRun, isWaitingToo }: Reopening,
): Promise<{
  readonly counts: ReplayCounts;
  readonly queues: readonly KeyQueue[];
  readonly ids: readonly string[];
}> {
  const complete = candidates.filter(({ isExpunged }) => !isExpunged);
  const hosts = await findCurrentHosts(store, complete, sources, now);
  const ordered = complete.filter(({ id }) => hosts.get(id)?.isOrdered === true);
  const orders =
    ordered.length === 0
      ? new Map<string, MessageOrder>()
      : await ordersOf(
          store,
          ordered.map(({ messageId }) => messageId),
        );
  const requeued = complete.flatMap<RequeuedDelivery>(({ id, messageId }) => {
    const current = hosts.get(id);
    if (current === undefined) return [];
    const order = current.isOrdered ? (orders.get(messageId) ?? null) : null;
    return [{ id, host: current.host, dueAt: now, order }];
  });
  const scheduled =
    dryRun || requeued.length === 0
      ? requeued.length
      : (await store.database.run(reopenById(store, requeued, isWaitingToo))).affected;
  const counts = {
    scheduled,
    expunged: candidates.length - complete.length,
    disabled: complete.length - requeued.length,
    // Another process was faster.
    underWay: requeued.length - scheduled,
    resent: 0,
  };
  return { counts, queues: queuesOf(complete, orders), ids: requeued.map(({ id }) => id) };
}

/** Finds the keys and numbers of messages, by id. Those without a key are left out. */
async function ordersOf(
  store: OutboxStore,
  messageIds: readonly string[],
): Promise<ReadonlyMap<string, MessageOrder>> {
  const { rows } = await store.database.run(selectOrders(store, messageIds));
  const orders = new Map<string, MessageOrder>();
  for (const row of rows.map(withMessageId)) {
    const order = orderOf(row);
    if (order !== null) orders.set(row.id, order);
  }
  return orders;
}

/** The key and the number of a message's row. */
export function orderOf({
  order_key: key,
  sequence,
}: Pick<MessageRow, 'order_key' | 'sequence'>): MessageOrder | null {
  if (key === null || sequence === null) return null;
  return { keyHash: hashOf(key), sequence: Number(sequence) };
}

/** The queues of deliveries that may have their turn now. */
function queuesOf(
  deliveries: readonly Pick<Candidate, 'messageId' | 'subscriberId'>[],
  orders: ReadonlyMap<string, MessageOrder>,
): readonly KeyQueue[] {
  return deliveries.flatMap(({ messageId, subscriberId }) => {
    const order = orders.get(messageId);
    return order === undefined
      ? []
      : [{ keyHash: order.keyHash, subscriberId: keyOf('sub_', subscriberId) }];
  });
}
