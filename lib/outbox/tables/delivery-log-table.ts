import { setImmediate } from 'node:timers/promises';
import type { AttemptRecord } from '../../delivery/index.js';
import {
  type Candidate,
  deliveryColumns,
  parseAttemptRow,
  parseCandidateRow,
} from './delivery-record.js';
import type { MessageOrder } from './deliveries.js';
import { LogPageTable, MOST_COUNTED, MOST_READ } from './log-page-table.js';
import { deliveryId, hashOf, idFrom, keyOf, withMessageId } from './keys.js';
import { cursorOf, type MessageCursor } from './message-cursor.js';
import { idRows } from '../../database/dialect.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { Row } from '../../database/sql-client.js';
import type { TableNames } from './table-names.js';

/** Selects the deliveries of a subscriber to retry. */
export interface FailedQuery {
  readonly subscriber: string;
  readonly from: string;
  readonly before: string;
  readonly after: string;
  readonly limit: number;
  /** The current time, in milliseconds since the Unix epoch. Retries that are due already are left out. */
  readonly now: number;
}

/** Deliveries of one step of {@link DeliveryLogTable.failed}. */
const MOST_FAILED_LOOKED_AT = 5000;
const EXPUNGED = 'CASE WHEN m.body IS NULL THEN 1 ELSE 0 END AS is_expunged';

/** The SQL of the delivery log: reads `thorn_deliveries` and `thorn_attempts`. */
export class DeliveryLogTable {
  /** Its pages, newest first. */
  readonly pages: LogPageTable;
  readonly #columns: string;

  constructor(
    private readonly database: SqlStore,
    private readonly tables: TableNames,
  ) {
    this.pages = new LogPageTable(database, tables);
    this.#columns = deliveryColumns(tables);
  }

  async find(id: string): Promise<Row | null> {
    const { rows } = await this.database.run({
      sql: `SELECT ${this.#columns}, d.host, ${EXPUNGED} FROM ${this.tables.deliveries} d LEFT JOIN ${this.tables.messages} m ON m.id = d.message_id WHERE d.id = ?`,
      parameters: [keyOf('dlv_', id)],
    });
    return rows[0] ?? null;
  }

  /** Finds the delivery whose turn it is in the queue of a row. */
  async turn({ key_hash: keyHash, subscriber_id: subscriberId }: Row): Promise<string | null> {
    const { rows } = await this.database.run({
      sql: `SELECT id FROM ${this.tables.deliveries} WHERE key_hash = ? AND subscriber_id = ? AND queue_position = 0`,
      parameters: [keyHash, subscriberId],
    });
    return rows[0] === undefined ? null : idFrom('dlv_', rows[0]['id'], null);
  }

  async attempts(id: string): Promise<readonly AttemptRecord[]> {
    const delivery = keyOf('dlv_', id);
    const { rows } = await this.database.run({
      sql: `SELECT 1 AS number, started_at, duration, response_status AS status, error_code, error_message, response, address, answer_headers
          FROM ${this.tables.deliveries} WHERE id = ? AND duration IS NOT NULL
        UNION ALL SELECT number, started_at, duration, status, error_code, error_message, response, address, answer_headers
          FROM ${this.tables.attempts} WHERE delivery_id = ? ORDER BY number`,
      parameters: [delivery, delivery],
    });
    return rows.map(parseAttemptRow);
  }

  /**
   * Reads failed deliveries and waiting retries, oldest first; cancelled deliveries are left out.
   *
   * @returns `next` is the `after` of the deliveries that were not looked at; null when there are none
   */
  async failed({
    subscriber,
    from,
    before,
    after,
    limit,
    now,
  }: FailedQuery): Promise<{ readonly found: readonly Candidate[]; readonly next: string | null }> {
    const [first, behind] = [keyOf('dlv_', from), keyOf('dlv_', after)];
    // One bound of each side: of two, SQLite may begin or end at the one that is further away.
    const [bound, begin] = behind < first ? ['>=', first] : ['>', behind];
    const range = `d.subscriber_id = ? AND d.id ${bound} ? AND d.id`;
    const beginning = [keyOf('sub_', subscriber), begin];
    const last = keyOf('dlv_', before);
    // Few of many may have failed, and SQLite answers on the event loop.
    const { rows: ends } = await this.database.run({
      sql: `SELECT d.id FROM ${this.tables.deliveries} d WHERE ${range} < ? ORDER BY d.id LIMIT 1 OFFSET ?`,
      parameters: [...beginning, last, MOST_FAILED_LOOKED_AT - 1],
    });
    const end = ends[0]?.['id'] as string | undefined;
    const { rows } = await this.database.run({
      sql: `SELECT d.id, d.message_id, d.subscriber_id, d.given_message_id, d.given_subscriber_id, d.event, ${EXPUNGED} FROM ${this.tables.deliveries} d LEFT JOIN ${this.tables.messages} m ON m.id = d.message_id
        WHERE ${range} ${end === undefined ? '<' : '<='} ? AND ((d.status = 'failed' AND d.reason <> 'cancelled')
          OR (d.status = 'pending' AND d.requests > 0 AND d.lease IS NULL AND d.permit_at IS NULL AND d.due_at > ?))
        ORDER BY d.id LIMIT ?`,
      parameters: [...beginning, end ?? last, now, limit],
    });
    const found = rows.map(parseCandidateRow);
    if (found.length === limit) return { found, next: found.at(-1)!.id };
    return { found, next: end === undefined ? null : idFrom('dlv_', end, null) };
  }

  /** Reads the messages behind the cursor, each with the subscriber's delivery, oldest first. */
  async messages(
    subscriber: string,
    after: MessageCursor,
    until: number,
    limit: number,
  ): Promise<readonly Row[]> {
    const { rows } = await this.database.run({
      sql: `SELECT m.id, m.given_id, m.time, m.event, m.owner, m.audience, m.order_key, m.sequence, ${EXPUNGED}, CASE WHEN EXISTS (SELECT 1 FROM ${this.tables.pendingMessages} p WHERE p.id = m.id) THEN 1 ELSE 0 END AS is_under_way
        FROM ${this.tables.messages} m
        WHERE m.time >= ? AND (m.time > ? OR m.id > ?) AND m.time < ? ORDER BY m.time, m.id LIMIT ?`,
      parameters: [after.time, after.time, keyOf('msg_', after.id), until, limit],
    });
    const messages = rows.map(withMessageId).map((row) => ({
      ...row,
      delivery: deliveryId(cursorOf(row), subscriber),
    }));
    const reasons = await this.#reasons(messages.map(({ delivery }) => delivery));
    return messages.map((row) => {
      const reason = reasons.get(row.delivery);
      return reason === undefined ? { ...row, delivery: null } : { ...row, reason };
    });
  }

  /** Finds the keys and numbers of messages, by id. Those without a key are left out. */
  async orders(messageIds: readonly string[]): Promise<ReadonlyMap<string, MessageOrder>> {
    const { dialect } = this.database;
    const { rows: listed, parameter } = idRows(
      dialect,
      messageIds.map((id) => keyOf('msg_', id)),
    );
    const { rows } = await this.database.run({
      sql: `SELECT m.id, m.given_id, m.order_key, m.sequence FROM ${listed} ${dialect.join} ${this.tables.messages} m ON m.id = r.id`,
      parameters: [parameter],
    });
    const orders = new Map<string, MessageOrder>();
    for (const row of rows.map(withMessageId)) {
      const order = orderOf(row);
      if (order !== null) orders.set(row['id'] as string, order);
    }
    return orders;
  }

  /** Returns the reasons of the deliveries that exist. */
  async #reasons(ids: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
    const { dialect } = this.database;
    const { rows: listed, parameter } = idRows(
      dialect,
      ids.map((id) => keyOf('dlv_', id)),
    );
    const { rows } = await this.database.run({
      sql: `SELECT d.id, d.reason FROM ${listed} ${dialect.join} ${this.tables.deliveries} d ON d.id = r.id`,
      parameters: [parameter],
    });
    return new Map(rows.map(({ id, reason }) => [idFrom('dlv_', id, null), reason]));
  }

  /** Reads the newest messages of which bodies are kept, out of the `looked` newest ones; those of an owner and of all. */
  async newestMessages(owner: string | null, looked: number): Promise<readonly Row[]> {
    const { rows } = await this.database.run({
      sql: `SELECT w.id, w.given_id, w.event, w.time, w.owner, w.audience FROM (SELECT m.id, m.given_id, m.event, m.time, m.owner, m.audience, ${EXPUNGED} FROM ${this.tables.messages} m ORDER BY m.time DESC LIMIT ?) w
        WHERE w.is_expunged = 0 ${owner === null ? '' : "AND (w.audience = 'everyone' OR w.owner = ?)"} ORDER BY w.time DESC`,
      parameters: owner === null ? [looked] : [looked, owner],
    });
    return rows.map(withMessageId);
  }

  /** Counts deliveries and messages by state, and finds the oldest due times. */
  async stats(now: number): Promise<Row> {
    const { deliveries, pendingMessages } = this.tables;
    const waiting = `SELECT permit_at FROM ${deliveries} WHERE due_at IS NOT NULL`;
    const next = `SELECT lease FROM ${deliveries} WHERE due_at > ? ORDER BY due_at`;
    const keyed = `SELECT queue_position, status FROM ${deliveries} WHERE key_hash IS NOT NULL`;
    const failed = `SELECT 1 AS one FROM ${deliveries} WHERE reason IS NOT NULL`;
    const messages = `SELECT due_at FROM ${pendingMessages} ORDER BY due_at`;
    const due = (table: string) => `SELECT due_at FROM ${table} WHERE due_at <= ? ORDER BY due_at`;
    const counts: readonly (readonly [columns: string, from: string, ...parameters: number[]])[] = [
      ['COUNT(*) AS pending, COUNT(w.permit_at) AS rate_limited', waiting, MOST_COUNTED],
      ['COUNT(*) AS due, MIN(w.due_at) AS oldest_delivery', due(deliveries), now, MOST_COUNTED],
      ['COUNT(w.lease) AS leased', next, now, MOST_READ],
      [
        "COUNT(CASE WHEN w.queue_position > 0 THEN 1 END) AS blocked, COUNT(CASE WHEN w.queue_position = 0 AND w.status = 'failed' THEN 1 END) AS holding",
        keyed,
        MOST_READ,
      ],
      ['COUNT(*) AS failed', failed, MOST_COUNTED],
      ['COUNT(*) AS pending_messages', messages, MOST_COUNTED],
      [
        'COUNT(*) AS due_messages, MIN(w.due_at) AS oldest_message',
        due(pendingMessages),
        now,
        MOST_COUNTED,
      ],
    ];
    const found: Row[] = [];
    for (const [columns, from, ...parameters] of counts) {
      const sql = `SELECT ${columns} FROM (${from} LIMIT ?) w`;
      found.push((await this.database.run({ sql, parameters })).rows[0]!);
      // SQLite answers without yielding to the event loop.
      await setImmediate();
    }
    return Object.assign({}, ...found) as Row;
  }
}

/** The key and the number of a message's row. */
export function orderOf(row: Row): MessageOrder | null {
  const { order_key: key, sequence } = row;
  if (typeof key !== 'string' || sequence === null) return null;
  return { keyHash: hashOf(key), sequence: Number(sequence) };
}
