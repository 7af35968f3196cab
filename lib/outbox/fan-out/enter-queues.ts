import { NOT_DUE } from '../delivery-states.js';
import {
  type EnteringRow,
  insertEntering,
  selectLeased,
  selectTurns,
} from '../tables/deliveries.js';
import type { NewLease } from '../tables/leases.js';
import { clearKeyById, type EnteringMessage } from '../tables/pending-messages.js';
import type { Row } from '../../database/sql-client.js';
import type { OutboxStore } from '../store/outbox-store.js';

/**
 * Writes the ordered deliveries of messages, as long as the messages are held. Those of one subscriber and key are a queue in
 * `thorn_deliveries`, by the columns `key_hash`, `subscriber_id` and `queue_position`. One of them at most has its turn:
 * position 0, which a unique index guards. The others wait with their sequence as position, and are never due.
 *
 * A delivery has its turn, and is leased, if no earlier message of its key is unfinished for the subscriber, and no bulk
 * operation is under way for the subscriber: later batches of that may bring earlier messages of any key.
 *
 * @returns the ids of the rows that have their turn
 */
export async function enterQueues(
  store: OutboxStore,
  rows: readonly EnteringRow[],
  messages: readonly EnteringMessage[],
  lease: NewLease,
  now: number,
): Promise<ReadonlySet<string>> {
  const { returns } = store.dialect;
  const firsts = firstOfEachQueue(rows);
  const ids = rows.map(({ id }) => id);
  const results = await store.database.execute([
    selectTurns(store, firsts, now),
    ([turns]) => {
      const free = new Set(turns!.rows.filter(isFree(firsts)).map((row) => firsts[numberOf(row)]));
      for (const row of rows) {
        const hasTurn = free.has(row);
        row.queue_position = hasTurn ? 0 : row.sequence;
        row.due_at = hasTurn ? lease.leasedUntil : NOT_DUE;
        row.lease = hasTurn ? lease.token : null;
      }
      return insertEntering(store, rows);
    },
    clearKeyById(store, messages),
    () => (returns || ids.length === 0 ? null : selectLeased(store, ids, lease.token)),
  ]);
  const written = new Set(results[returns ? 1 : 3]!.rows.map(({ id }) => id));
  return new Set(
    rows.flatMap(({ id, queue_position }) => (queue_position === 0 && written.has(id) ? id : [])),
  );
}

/** The earliest row of each queue: the others come after it. */
function firstOfEachQueue(rows: readonly EnteringRow[]): readonly EnteringRow[] {
  const firsts = new Map<string, EnteringRow>();
  for (const row of rows) {
    const queue = `${row.key_hash} ${row.subscriber_id}`;
    const first = firsts.get(queue);
    if (first === undefined || row.sequence < first.sequence) firsts.set(queue, row);
  }
  return [...firsts.values()];
}

function isFree(firsts: readonly EnteringRow[]) {
  return (row: Row): boolean =>
    row['head'] === null &&
    row['held'] === null &&
    (row['earliest'] === null || Number(row['earliest']) >= firsts[numberOf(row)]!.sequence);
}

function numberOf(row: Row): number {
  return Number(row['number']);
}
