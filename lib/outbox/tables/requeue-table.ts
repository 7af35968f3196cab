import type { Columns, Dialect } from '../../database/dialect.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { TableNames } from './table-names.js';
import { NOT_DUE } from '../delivery-states.js';
import { givenId, keyOf } from './keys.js';

/** A delivery that is created or made due on request. */
export interface RequeuedDelivery {
  readonly id: string;
  readonly host: string;
  readonly dueAt: number;
  /** The position of the message in the queue of its key; null when the subscriber is not ordered, or the message has no key. */
  readonly order: MessageOrder | null;
}

/** The key and the number of a message. */
export interface MessageOrder {
  readonly keyHash: string;
  readonly sequence: number;
}

/** A delivery of a message that the subscriber has missed. */
export interface BackfilledDelivery extends RequeuedDelivery {
  readonly messageId: string;
  readonly subscriberId: string;
  readonly event: string;
}

const REQUEUED: Columns = {
  id: 'uuid',
  host: 'text',
  due_at: 'bigint',
  key_hash: 'uuid',
  queue_position: 'bigint',
};
/** True of what has to wait for its turn: whatever is ordered and does not have it. */
const WAITS = 'r.key_hash IS NOT NULL AND COALESCE(t.queue_position, 1) > 0';
const LATE: Columns = {
  ...REQUEUED,
  message_id: 'uuid',
  subscriber_id: 'uuid',
  given_message_id: 'text',
  given_subscriber_id: 'text',
  event: 'text',
};

/** The SQL of requested changes: makes deliveries due again, backfills and cancels them. */
export class RequeueTable {
  readonly #dialect: Dialect;

  constructor(
    private readonly database: SqlStore,
    private readonly tables: TableNames,
  ) {
    this.#dialect = database.dialect;
  }

  /**
   * Makes deliveries due and resets their attempts. Held deliveries and those without a message body are left out. What is
   * ordered waits for its turn, which {@link KeyQueueTable.promote} gives.
   *
   * @param isWaitingToo true brings waiting deliveries forward as well
   * @returns the count
   */
  async reopen(deliveries: readonly RequeuedDelivery[], isWaitingToo: boolean): Promise<number> {
    if (deliveries.length === 0) return 0;
    const { affected } = await this.database.run({
      sql: this.#dialect.updateFrom(
        this.tables.deliveries,
        [
          "status = 'pending'",
          'reason = NULL',
          'attempts = 0',
          'throttled = 0',
          'host = r.host',
          `due_at = CASE WHEN ${WAITS} THEN ${NOT_DUE} ELSE r.due_at END`,
          // The delivery keeps its position among those that wait for a rate limit.
          `permit_at = CASE WHEN t.permit_at IS NULL OR (${WAITS}) THEN NULL ELSE r.due_at END`,
          'queue_position = CASE WHEN r.key_hash IS NULL THEN NULL ELSE COALESCE(t.queue_position, r.queue_position) END',
          'key_hash = r.key_hash',
          'finished_at = NULL',
        ],
        this.#dialect.rows('r', REQUEUED),
        `t.id = r.id AND t.lease IS NULL ${isWaitingToo ? '' : 'AND t.due_at IS NULL'} AND EXISTS (SELECT 1 FROM ${this.tables.messages} m WHERE m.id = t.message_id AND m.body IS NOT NULL)`,
      ),
      parameters: [this.#dialect.rowsParameter(REQUEUED, deliveries.map(requeueRow))],
    });
    return affected;
  }

  /** Adds deliveries of finished messages; existing deliveries are left out. @returns the count */
  async add(deliveries: readonly BackfilledDelivery[]): Promise<number> {
    if (deliveries.length === 0) return 0;
    const { deliveries: table, messages, pendingMessages } = this.tables;
    const added = deliveries.map((one) => ({
      ...one,
      dueAt: one.order === null ? one.dueAt : NOT_DUE,
    }));
    const results = await this.database.execute([
      {
        sql: this.#dialect.insertNew(
          table,
          [
            ...['id', 'message_id', 'subscriber_id', 'given_message_id', 'given_subscriber_id'],
            ...['event', 'status', 'attempts', 'throttled', 'requests', 'host', 'due_at'],
            ...['key_hash', 'queue_position'],
          ],
          `SELECT r.id, r.message_id, r.subscriber_id, r.given_message_id, r.given_subscriber_id, r.event, 'pending', 0, 0, 0, r.host, r.due_at, r.key_hash, r.queue_position FROM ${this.#dialect.rows('r', LATE)} ${this.#dialect.join} ${messages} m ON m.id = r.message_id WHERE m.body IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ${pendingMessages} p WHERE p.id = m.id)`,
        ),
        parameters: [
          this.#dialect.rowsParameter(
            LATE,
            added.map((delivery) => ({
              ...requeueRow(delivery),
              message_id: keyOf('msg_', delivery.messageId),
              subscriber_id: keyOf('sub_', delivery.subscriberId),
              given_message_id: givenId('msg_', delivery.messageId),
              given_subscriber_id: givenId('sub_', delivery.subscriberId),
              event: delivery.event,
            })),
          ),
        ],
      },
      // Not every database reports the number of new rows. Those that were there have another time.
      {
        sql: `SELECT d.id FROM ${this.#dialect.rows('r', REQUEUED)} ${this.#dialect.join} ${table} d ON d.id = r.id AND d.due_at = r.due_at`,
        parameters: [this.#dialect.rowsParameter(REQUEUED, added.map(requeueRow))],
      },
    ]);
    return results[1]!.rows.length;
  }

  /** Cancels a waiting delivery. @returns false when the delivery is not waiting */
  async cancel(id: string, now: number): Promise<boolean> {
    const { affected } = await this.database.run({
      sql: `UPDATE ${this.tables.deliveries} SET status = 'failed', reason = 'cancelled', host = NULL, due_at = NULL, permit_at = NULL, key_hash = NULL, queue_position = NULL, finished_at = ? WHERE id = ? AND due_at IS NOT NULL AND lease IS NULL`,
      parameters: [now, keyOf('dlv_', id)],
    });
    return affected === 1;
  }
}

function requeueRow({ id, host, dueAt, order }: RequeuedDelivery) {
  return {
    id: keyOf('dlv_', id),
    host,
    due_at: dueAt,
    key_hash: order?.keyHash ?? null,
    queue_position: order?.sequence ?? null,
  };
}
