import { idRows } from '../database/dialect.js';
import type { OutboxDatabase, Row } from '../database/outbox-database.js';
import type { TableNames } from '../entities/table-names.js';
import { idFrom, isOfMessages, keyOf, rangesOf, withMessageId } from '../tables/keys.js';
import { cursorOf, type MessageCursor } from '../model/message-cursor.js';

/** A message, as retention sees it. */
export interface MessageState extends MessageCursor {
  readonly hasBody: boolean;
  /** True when an endpoint's answer to it is stored. */
  readonly hasResponses: boolean;
  /** The time at which its last delivery was finished, at the earliest the send time; null while one is unfinished. */
  readonly finishedAt: number | null;
}

/** Reads how far old messages are, a page at a time. */
export class MessageStates {
  readonly #columns: string;

  constructor(
    private readonly database: OutboxDatabase,
    private readonly tables: TableNames,
  ) {
    this.#columns = `m.id, m.given_id, m.time, CASE WHEN m.body IS NULL THEN 0 ELSE 1 END AS has_body, CASE WHEN EXISTS (SELECT 1 FROM ${tables.pendingMessages} p WHERE p.id = m.id) THEN 1 ELSE 0 END AS is_open`;
  }

  /** Reads the messages behind a position, oldest first. */
  async page(
    after: MessageCursor,
    before: number,
    limit: number,
  ): Promise<readonly MessageState[]> {
    const { rows } = await this.database.run({
      sql: `SELECT ${this.#columns} FROM ${this.tables.messages} m WHERE m.time >= ? AND (m.time > ? OR m.id > ?) AND m.time < ? ORDER BY m.time, m.id LIMIT ?`,
      parameters: [after.time, after.time, keyOf('msg_', after.id), before, limit],
    });
    return this.#states(rows);
  }

  /** Reads the messages again, as far as they are still there. */
  async again(ids: readonly string[]): Promise<readonly MessageState[]> {
    if (ids.length === 0) return [];
    const { dialect } = this.database;
    const { rows: listed, parameter } = idRows(
      dialect,
      ids.map((id) => keyOf('msg_', id)),
    );
    const { rows } = await this.database.run({
      sql: `SELECT ${this.#columns} FROM ${listed} ${dialect.join} ${this.tables.messages} m ON m.id = r.id`,
      parameters: [parameter],
    });
    return this.#states(rows);
  }

  async #states(rows: readonly Row[]): Promise<readonly MessageState[]> {
    const messages = rows.map(withMessageId);
    const deliveries = await this.#deliveries(messages.map(cursorOf));
    return messages.map((row) => {
      const { time, id } = cursorOf(row);
      const found = deliveries.get(id);
      const isOpen = [row, found].some((one) => Number(one?.['is_open'] ?? 0) === 1);
      return {
        time,
        id,
        hasBody: Number(row['has_body']) === 1,
        hasResponses: Number(found?.['has_responses'] ?? 0) === 1,
        finishedAt: isOpen ? null : Math.max(time, Number(found?.['finished_at'] ?? 0)),
      };
    });
  }

  /** Sums up the deliveries of messages, by message. */
  async #deliveries(messages: readonly MessageCursor[]): Promise<ReadonlyMap<string, Row>> {
    if (messages.length === 0) return new Map();
    const { deliveries, attempts } = this.tables;
    const results = await this.database.execute(
      rangesOf(messages).map((set) => {
        const { sql, parameters } = isOfMessages(set);
        return {
          sql: `SELECT d.message_id, d.given_message_id, MAX(CASE WHEN d.due_at IS NULL THEN 0 ELSE 1 END) AS is_open, MAX(d.finished_at) AS finished_at,
              MAX(CASE WHEN d.response IS NOT NULL OR d.answer_headers IS NOT NULL OR EXISTS (SELECT 1 FROM ${attempts} a WHERE a.delivery_id = d.id AND (a.response IS NOT NULL OR a.answer_headers IS NOT NULL)) THEN 1 ELSE 0 END) AS has_responses
            FROM ${deliveries} d WHERE ${sql} GROUP BY d.message_id, d.given_message_id`,
          parameters,
        };
      }),
    );
    return new Map(
      results
        .flatMap(({ rows }) => rows)
        .map((row) => [idFrom('msg_', row['message_id'], row['given_message_id']), row]),
    );
  }
}
