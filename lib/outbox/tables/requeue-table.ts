import { type Columns, type Dialect, idRows } from '../database/dialect.js';
import type { OutboxDatabase } from '../database/outbox-database.js';
import type { TableNames } from '../entities/table-names.js';

/** A delivery that is created or made due on request. */
export interface RequeuedDelivery {
  readonly id: string;
  readonly host: string;
  readonly dueAt: number;
}

/** A delivery of a message that the subscriber has missed. */
export interface BackfilledDelivery extends RequeuedDelivery {
  readonly messageId: string;
  readonly subscriberId: string;
  readonly event: string;
}

const REQUEUED: Columns = { id: 'text', host: 'text', due_at: 'bigint' };
const LATE: Columns = { ...REQUEUED, message_id: 'text', subscriber_id: 'text', event: 'text' };

/** The SQL of requested changes: makes deliveries due again, backfills and cancels them. */
export class RequeueTable {
  readonly #dialect: Dialect;

  constructor(
    private readonly database: OutboxDatabase,
    private readonly tables: TableNames,
  ) {
    this.#dialect = database.dialect;
  }

  /**
   * Makes deliveries due and resets their attempts. Held deliveries and those without a message body are left out.
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
          'due_at = r.due_at',
          // The delivery keeps its place among those that wait for a rate limit.
          'permit_at = CASE WHEN permit_at IS NULL THEN NULL ELSE r.due_at END',
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
    const { deliveries: table, messages } = this.tables;
    const { rows, parameter } = idRows(
      this.#dialect,
      deliveries.map(({ id }) => id),
    );
    const results = await this.database.execute([
      {
        sql: this.#dialect.insertNew(
          table,
          [
            ...['id', 'message_id', 'subscriber_id', 'event', 'status', 'attempts', 'throttled'],
            ...['requests', 'host', 'due_at', 'created_at'],
          ],
          `SELECT r.id, r.message_id, r.subscriber_id, r.event, 'pending', 0, 0, 0, r.host, r.due_at, r.due_at FROM ${this.#dialect.rows('r', LATE)} ${this.#dialect.join} ${messages} m ON m.id = r.message_id WHERE m.body IS NOT NULL AND m.due_at IS NULL`,
        ),
        parameters: [
          this.#dialect.rowsParameter(
            LATE,
            deliveries.map((delivery) => ({
              ...requeueRow(delivery),
              message_id: delivery.messageId,
              subscriber_id: delivery.subscriberId,
              event: delivery.event,
            })),
          ),
        ],
      },
      // Not every database reports the number of new rows.
      {
        sql: `SELECT d.id FROM ${rows} ${this.#dialect.join} ${table} d ON d.id = r.id`,
        parameters: [parameter],
      },
    ]);
    return results[1]!.rows.length;
  }

  /** Cancels a waiting delivery. @returns false when the delivery is not waiting */
  async cancel(id: string, now: number): Promise<boolean> {
    const { affected } = await this.database.run({
      sql: `UPDATE ${this.tables.deliveries} SET status = 'failed', reason = 'cancelled', host = NULL, due_at = NULL, permit_at = NULL, finished_at = ? WHERE id = ? AND due_at IS NOT NULL AND lease IS NULL`,
      parameters: [now, id],
    });
    return affected === 1;
  }
}

function requeueRow({ id, host, dueAt }: RequeuedDelivery) {
  return { id, host, due_at: dueAt };
}
