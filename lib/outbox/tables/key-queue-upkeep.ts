import { type Dialect, idRows } from '../../database/dialect.js';
import { TableRows } from '../../database/table-rows.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { TableNames } from './table-names.js';
import { NOT_DUE } from '../delivery-states.js';
import { FIRST_KEY, idFrom, keyOf, pairOf } from './keys.js';
import { Leases } from './leases.js';
import { type KeyQueue, queueOf } from './key-queue-table.js';

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

/** What makes deliveries of a subscriber due in batches. */
export type ReplayOperation = 'retryFailed' | 'backfill';

/** The mark of a bulk operation. */
interface MarkRow {
  readonly subscriber_id: string;
  readonly operation: ReplayOperation;
  readonly expires_at: number;
}

/** Milliseconds after which a bulk operation without a batch counts as ended. */
const ABANDONED_AFTER = 5 * 60_000;
const MOST_TRIES = 3;
const LISTED_AT_ONCE = 500;

const HEAD_COLUMNS =
  'id, message_id, given_message_id, given_subscriber_id, queue_position, status';

/**
 * The SQL that looks after queues: holds those of a bulk operation, finds those that stand still, and ends holds and queues
 * that nobody wants any more.
 */
export class KeyQueueUpkeep {
  readonly #dialect: Dialect;
  readonly #marks: TableRows<MarkRow>;

  constructor(
    private readonly database: SqlStore,
    private readonly tables: TableNames,
  ) {
    this.#dialect = database.dialect;
    this.#marks = new TableRows(database, tables.bulkOperations);
  }

  /** Lists queues behind one, out of so many rows. */
  async page(after: KeyQueue | null, limit: number): Promise<QueuePage> {
    const { keyHash, subscriberId } = after ?? { keyHash: FIRST_KEY, subscriberId: FIRST_KEY };
    const isBehind =
      this.#dialect.name === 'mysql'
        ? 'key_hash >= ? AND (key_hash > ? OR subscriber_id > ?)'
        : 'key_hash >= ? AND (key_hash, subscriber_id) > (?, ?)';
    const { rows } = await this.database.run({
      sql: `SELECT key_hash, subscriber_id, ${HEAD_COLUMNS} FROM ${this.tables.deliveries} WHERE key_hash IS NOT NULL AND ${isBehind} ORDER BY key_hash, subscriber_id, queue_position LIMIT ?`,
      parameters: [keyHash, keyHash, subscriberId, limit],
    });
    const queues = distinct(rows.map(queueOf));
    const holds = rows
      .filter(
        ({ queue_position: position, status }) => Number(position) === 0 && status === 'failed',
      )
      .map((row) => ({ id: idFrom('dlv_', row['id'], null), ...pairOf(row) }));
    return { queues, holds, last: rows.length < limit ? null : queues.at(-1)! };
  }

  /**
   * Marks that a bulk operation is under way for a subscriber: no delivery of the subscriber gets a turn. Before each batch,
   * since a mark that nobody renews for five minutes counts no more.
   *
   * @param subscriberId as in the table, as in all of these methods
   */
  async hold(subscriberId: string, operation: ReplayOperation, now: number): Promise<void> {
    const expires_at = now + ABANDONED_AFTER;
    const own = 'subscriber_id = ? AND operation = ?';
    // More than once where the mark of an operation that was abandoned is removed meanwhile.
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if ((await this.#marks.update({ expires_at }, own, subscriberId, operation)) > 0) return;
      await this.#marks.insertUnlessThere({ subscriber_id: subscriberId, operation, expires_at });
    }
  }

  /** Marks that a bulk operation has ended. After the last one, queues give turns again when they are promoted next. */
  async release(subscriberId: string, operation: ReplayOperation): Promise<void> {
    await this.#marks.delete('subscriber_id = ? AND operation = ?', subscriberId, operation);
  }

  /** Removes the marks of operations that were stopped, or whose process died. */
  async releaseAbandoned(now: number): Promise<void> {
    await this.#marks.delete('expires_at <= ?', now);
  }

  /**
   * Lists the queues of a subscriber.
   *
   * @param after the `last` of the call before, or null
   */
  async queuesOf(
    subscriberId: string,
    after: string | null,
  ): Promise<{ readonly queues: readonly KeyQueue[]; readonly last: string | null }> {
    const { rows } = await this.database.run({
      sql: `SELECT DISTINCT key_hash, subscriber_id FROM ${this.tables.deliveries} WHERE key_hash IS NOT NULL AND key_hash > ? AND subscriber_id = ? AND queue_position > 0 ORDER BY key_hash LIMIT ${LISTED_AT_ONCE}`,
      parameters: [after ?? FIRST_KEY, subscriberId],
    });
    const queues = rows.map(queueOf);
    return { queues, last: rows.length < LISTED_AT_ONCE ? null : queues.at(-1)!.keyHash };
  }

  /** Ends the holds of deliveries: a worker claims them, and the next one gets its turn. */
  async endHolds(ids: readonly string[], now: number): Promise<void> {
    if (ids.length === 0) return;
    const { rows, parameter } = idRows(
      this.#dialect,
      ids.map((id) => keyOf('dlv_', id)),
    );
    const sql = this.#dialect.updateFrom(
      this.tables.deliveries,
      ['due_at = ?'],
      rows,
      "t.id = r.id AND t.status = 'failed' AND t.due_at IS NOT NULL AND t.lease IS NULL",
    );
    const isMysql = this.#dialect.name === 'mysql';
    await this.database.run({ sql, parameters: isMysql ? [parameter, now] : [now, parameter] });
  }

  /** Makes deliveries due that wait for their turn, in no order. @returns the count; call again if `limit` */
  async dissolve(subscriberId: string, now: number, limit: number): Promise<number> {
    const { deliveries } = this.tables;
    const waiting = {
      sql: `SELECT id FROM ${deliveries} WHERE subscriber_id = ? AND due_at = ${NOT_DUE} AND queue_position > 0 AND lease IS NULL LIMIT ${limit} ${this.#dialect.skipLocked}`,
      parameters: [keyOf('sub_', subscriberId)],
    };
    const leases = new Leases(this.database, deliveries, 'dlv_');
    const update =
      'due_at = ?, key_hash = NULL, queue_position = NULL WHERE lease IS NULL AND queue_position > 0';
    return (await leases.change(waiting, update, [now])).length;
  }
}

/** Queues without repetitions; equal ones are next to each other. */
function distinct(queues: readonly KeyQueue[]): readonly KeyQueue[] {
  return queues.filter((one, at) => !isSame(one, queues[at - 1]));
}

function isSame(one: KeyQueue, other: KeyQueue | undefined): boolean {
  return one.keyHash === other?.keyHash && one.subscriberId === other.subscriberId;
}
