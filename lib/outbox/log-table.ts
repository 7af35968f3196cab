import { type AttemptRecord, type DeliveryStatus, FAILURE_REASONS } from '../delivery/index.js';
import { candidateOf, type Candidate, deliveryOf, attemptOf } from './delivery-record.js';
import type { DeliveryRecord } from './delivery-record.js';
import { type Columns, type Dialect, idRows, type Statement } from './dialect.js';
import type { MessageCursor } from './message-cursor.js';
import type { OutboxDatabase, Row } from './outbox-database.js';
import type { TableNames } from './tables.js';

/** What a page of the log shows; what is undefined does not matter. */
export interface LogQuery {
  readonly subscribers: readonly string[] | undefined;
  readonly message: string | undefined;
  readonly status: DeliveryStatus | undefined;
  readonly event: string | undefined;
  /** Ids from this one on. */
  readonly from: string | undefined;
  /** Ids before this one. */
  readonly before: readonly string[];
  readonly limit: number;
}

/** Which deliveries of a subscriber are tried again. */
export interface FailedQuery {
  readonly subscriber: string;
  readonly from: string;
  readonly before: string;
  readonly after: string;
  readonly limit: number;
}

/** A delivery that is made, or made anew, because somebody asked for it. */
export interface Revival {
  readonly id: string;
  readonly host: string;
  readonly dueAt: number;
}

/** A delivery of a message whose subscriber had none of it. */
export interface LateDelivery extends Revival {
  readonly messageId: string;
  readonly subscriberId: string;
  readonly event: string;
}

const REVIVED: Columns = { id: 'text', host: 'text', due_at: 'bigint' };
const LATE: Columns = { ...REVIVED, message_id: 'text', subscriber_id: 'text', event: 'text' };
const EXPUNGED = 'CASE WHEN m.body IS NULL THEN 1 ELSE 0 END AS is_expunged';

/** The SQL of the delivery log: reads `thorn_deliveries` and `thorn_attempts`, and opens deliveries again. */
export class LogTable {
  readonly #database: OutboxDatabase;
  readonly #dialect: Dialect;
  readonly #tables: TableNames;

  constructor(database: OutboxDatabase, tables: TableNames) {
    this.#database = database;
    this.#dialect = database.dialect;
    this.#tables = tables;
  }

  /** Deliveries, newest first. */
  async page(query: LogQuery): Promise<readonly DeliveryRecord[]> {
    const { subscribers, message, status, event, from, before, limit } = query;
    const conditions: string[] = [];
    const parameters: unknown[] = [];
    const add = (condition: string, ...values: unknown[]) => {
      conditions.push(condition);
      parameters.push(...values);
    };
    if (subscribers?.length === 1) add('d.subscriber_id = ?', subscribers[0]);
    else if (subscribers !== undefined) {
      const { rows, parameter } = idRows(this.#dialect, subscribers);
      add(`d.subscriber_id IN (SELECT r.id FROM ${rows})`, parameter);
    }
    if (message !== undefined) add('d.message_id = ?', message);
    if (event !== undefined) add('d.event = ?', event);
    if (status !== undefined) add('d.status = ?', status);
    // Says the same once more, in the words of the index.
    if (status === 'pending') add('d.due_at IS NOT NULL');
    if (from !== undefined) add('d.id >= ?', from);
    for (const id of before) add('d.id < ?', id);
    const page = (more: string): Statement => {
      const all = [...conditions, ...(more === '' ? [] : [more])];
      const where = all.length === 0 ? '' : `WHERE ${all.join(' AND ')}`;
      return {
        sql: `SELECT d.* FROM ${this.#tables.deliveries} d ${where} ORDER BY d.id DESC LIMIT ?`,
        parameters: [...parameters, limit],
      };
    };
    const isOfAllFailed = status === 'failed' && subscribers === undefined && message === undefined;
    const { rows } = await this.#database.run(
      isOfAllFailed
        ? newestOf(
            FAILURE_REASONS.map((one) => page(`d.reason = '${one}'`)),
            limit,
          )
        : page(''),
    );
    return rows.map(deliveryOf);
  }

  async find(id: string): Promise<Row | null> {
    const { rows } = await this.#database.run({
      sql: `SELECT d.*, ${EXPUNGED} FROM ${this.#tables.deliveries} d LEFT JOIN ${this.#tables.messages} m ON m.id = d.message_id WHERE d.id = ?`,
      parameters: [id],
    });
    return rows[0] ?? null;
  }

  async attempts(delivery: string): Promise<readonly AttemptRecord[]> {
    const { rows } = await this.#database.run({
      sql: `SELECT * FROM ${this.#tables.attempts} WHERE delivery_id = ? ORDER BY number`,
      parameters: [delivery],
    });
    return rows.map(attemptOf);
  }

  /** Failed deliveries that nobody has called off, oldest first. */
  async failed({ subscriber, from, before, after, limit }: FailedQuery): Promise<Candidate[]> {
    const { rows } = await this.#database.run({
      sql: `SELECT d.id, d.message_id, d.subscriber_id, ${EXPUNGED} FROM ${this.#tables.deliveries} d LEFT JOIN ${this.#tables.messages} m ON m.id = d.message_id
        WHERE d.subscriber_id = ? AND d.id >= ? AND d.id < ? AND d.id > ? AND d.status = 'failed' AND d.reason <> 'cancelled' ORDER BY d.id LIMIT ?`,
      parameters: [subscriber, from, before, after, limit],
    });
    return rows.map(candidateOf);
  }

  /** Messages behind the cursor with the subscriber's delivery of each, oldest first. */
  async messages(
    subscriber: string,
    after: MessageCursor,
    until: number,
    limit: number,
  ): Promise<readonly Row[]> {
    const { rows } = await this.#database.run({
      sql: `SELECT m.id, m.time, m.event, m.sender, m.audience, ${EXPUNGED}, CASE WHEN m.due_at IS NULL THEN 0 ELSE 1 END AS is_under_way, d.id AS delivery, d.reason
        FROM ${this.#tables.messages} m LEFT JOIN ${this.#tables.deliveries} d ON d.message_id = m.id AND d.subscriber_id = ?
        WHERE m.time >= ? AND (m.time > ? OR m.id > ?) AND m.time < ? ORDER BY m.time, m.id LIMIT ?`,
      parameters: [subscriber, after.time, after.time, after.id, until, limit],
    });
    return rows;
  }

  /**
   * Makes deliveries due, with all attempts before them; none that somebody holds, or whose message has no body.
   *
   * @param isWaitingToo whether those that wait are brought forward as well
   * @returns how many
   */
  async reopen(revivals: readonly Revival[], isWaitingToo: boolean): Promise<number> {
    if (revivals.length === 0) return 0;
    const { affected } = await this.#database.run({
      sql: this.#dialect.updateFrom(
        this.#tables.deliveries,
        [
          "status = 'pending'",
          'reason = NULL',
          'attempts = 0',
          'throttled = 0',
          'host = r.host',
          'due_at = r.due_at',
          'finished_at = NULL',
        ],
        this.#dialect.rows('r', REVIVED),
        `t.id = r.id AND t.lease IS NULL ${isWaitingToo ? '' : 'AND t.due_at IS NULL'} AND EXISTS (SELECT 1 FROM ${this.#tables.messages} m WHERE m.id = t.message_id AND m.body IS NOT NULL)`,
      ),
      parameters: [this.#dialect.rowsParameter(REVIVED, revivals.map(revivalRow))],
    });
    return affected;
  }

  /** Adds deliveries of messages that are through; none twice. @returns how many */
  async add(deliveries: readonly LateDelivery[]): Promise<number> {
    if (deliveries.length === 0) return 0;
    const { deliveries: table, messages } = this.#tables;
    const { rows, parameter } = idRows(
      this.#dialect,
      deliveries.map(({ id }) => id),
    );
    const results = await this.#database.execute([
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
              ...revivalRow(delivery),
              message_id: delivery.messageId,
              subscriber_id: delivery.subscriberId,
              event: delivery.event,
            })),
          ),
        ],
      },
      // Not every database says how many rows were new.
      {
        sql: `SELECT d.id FROM ${rows} ${this.#dialect.join} ${table} d ON d.id = r.id`,
        parameters: [parameter],
      },
    ]);
    return results[1]!.rows.length;
  }

  /** Calls off a delivery that waits. @returns whether it did */
  async cancel(id: string, now: number): Promise<boolean> {
    const { affected } = await this.#database.run({
      sql: `UPDATE ${this.#tables.deliveries} SET status = 'failed', reason = 'cancelled', host = NULL, due_at = NULL, turn_at = NULL, finished_at = ? WHERE id = ? AND due_at IS NOT NULL AND lease IS NULL`,
      parameters: [now, id],
    });
    return affected === 1;
  }

  /** Counts by name, and the times of what is due the longest. */
  async stats(now: number): Promise<Row> {
    const { deliveries, messages } = this.#tables;
    const { rows } = await this.#database.run({
      sql: `SELECT w.pending, w.rate_limited,
        (SELECT COUNT(*) FROM ${deliveries} WHERE due_at <= ?) AS due,
        (SELECT COUNT(*) FROM ${deliveries} WHERE due_at > ? AND lease IS NOT NULL) AS leased,
        (SELECT COUNT(*) FROM ${deliveries} WHERE reason IS NOT NULL) AS failed,
        (SELECT MIN(due_at) FROM ${deliveries} WHERE due_at <= ?) AS oldest_delivery,
        (SELECT COUNT(*) FROM ${messages} WHERE due_at IS NOT NULL) AS pending_messages,
        (SELECT COUNT(*) FROM ${messages} WHERE due_at <= ?) AS due_messages,
        (SELECT MIN(due_at) FROM ${messages} WHERE due_at <= ?) AS oldest_message
        FROM (SELECT COUNT(*) AS pending, COUNT(turn_at) AS rate_limited FROM ${deliveries} WHERE due_at IS NOT NULL) w`,
      parameters: [now, now, now, now, now],
    });
    return rows[0]!;
  }
}

/** The newest of several pages: each comes out of an index in its order, where all of them at once would be sorted. */
function newestOf(pages: readonly Statement[], limit: number): Statement {
  return {
    sql: `${pages.map(({ sql }, at) => `SELECT * FROM (${sql}) AS p${at}`).join(' UNION ALL ')} ORDER BY id DESC LIMIT ?`,
    parameters: [...pages.flatMap(({ parameters }) => parameters), limit],
  };
}

function revivalRow({ id, host, dueAt }: Revival) {
  return { id, host, due_at: dueAt };
}
