import { FIRST_KEY, idFrom, pairOf } from '../tables/keys.js';
import {
  type KeyQueue,
  queueOf,
  selectQueuesBehind,
  selectQueuesOfKeys,
  selectQueuesOfSubscriber,
  SUBSCRIBERS_AT_ONCE,
} from '../tables/deliveries.js';
import type { OutboxStore } from '../store/outbox-store.js';

/** Some of the queues. */
export interface QueuePage {
  readonly queues: readonly KeyQueue[];
  /** Deliveries of theirs that have failed for good and hold their key. */
  readonly holds: readonly {
    readonly id: string;
    readonly messageId: string;
    readonly subscriberId: string;
  }[];
  /** Where to go on; null at the end. */
  readonly last: KeyQueue | null;
}

const START: KeyQueue = { keyHash: FIRST_KEY, subscriberId: FIRST_KEY };
const LISTED_AT_ONCE = 500;

/** Lists the queues behind a queue, from a limited number of rows. */
export async function queuePage(
  store: OutboxStore,
  after: KeyQueue | null,
  limit: number,
): Promise<QueuePage> {
  const { rows } = await store.database.run(selectQueuesBehind(store, after ?? START, limit));
  const queues = distinct(rows.map(queueOf));
  const holds = rows
    .filter(({ queue_position: position, status }) => Number(position) === 0 && status === 'failed')
    .map((row) => ({ id: idFrom('dlv_', row['id'], null), ...pairOf(row) }));
  return { queues, holds, last: rows.length < limit ? null : queues.at(-1)! };
}

/** Finds the queues of keys in which a delivery waits. */
export async function queuesOfKeys(
  store: OutboxStore,
  keyHashes: readonly string[],
): Promise<readonly KeyQueue[]> {
  const queues: KeyQueue[] = [];
  let keys = keyHashes.map((hash) => ({ key_hash: hash, last_id: FIRST_KEY }));
  while (keys.length > 0) {
    const { rows } = await store.database.run(selectQueuesOfKeys(store, keys));
    queues.push(...rows.filter((row) => Number(row['waits']) === 1).map(queueOf));
    keys = rows
      .filter(({ number }) => Number(number) === SUBSCRIBERS_AT_ONCE)
      .map(queueOf)
      .map(({ keyHash, subscriberId }) => ({ key_hash: keyHash, last_id: subscriberId }));
  }
  return queues;
}

/**
 * Lists the queues of a subscriber.
 *
 * @param subscriberId as in the table
 * @param after the `last` of the call before, or null
 */
export async function queuesOfSubscriber(
  store: OutboxStore,
  subscriberId: string,
  after: string | null,
): Promise<{ readonly queues: readonly KeyQueue[]; readonly last: string | null }> {
  const { rows } = await store.database.run(
    selectQueuesOfSubscriber(store, subscriberId, after, LISTED_AT_ONCE),
  );
  const queues = rows.map(queueOf);
  return { queues, last: rows.length < LISTED_AT_ONCE ? null : queues.at(-1)!.keyHash };
}

/** Removes repeated queues from a list in which equal queues are next to each other. */
function distinct(queues: readonly KeyQueue[]): readonly KeyQueue[] {
  return queues.filter((one, at) => !isSame(one, queues[at - 1]));
}

function isSame(one: KeyQueue, other: KeyQueue | undefined): boolean {
  return one.keyHash === other?.keyHash && one.subscriberId === other.subscriberId;
}
