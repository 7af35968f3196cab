import type { SqlStore } from '../../database/sql-store.js';
import type { Row } from '../../database/sql-client.js';
import type { TableNames } from '../tables/table-names.js';
import { idFrom, isOfMessages, keyOf, rangesOf, withMessageId } from '../tables/keys.js';
import { cursorOf, type MessageCursor } from '../tables/message-cursor.js';

/**
 * Deliveries that a statement goes through. Enough for 200 messages to 15 subscribers each; 30 ms of SQLite, which blocks
 * the event loop.
 */
export const MOST_DELIVERIES = 3000;

/** One row more tells that there may be others. No parameter: SQLite would prepare the statement again for its value. */
export const MORE_THAN_MOST = `LIMIT ${MOST_DELIVERIES + 1}`;

/** A condition on rows `d` of `thorn_deliveries`: an answer to any of its attempts is stored. */
export function hasAnswers({ attempts }: TableNames): string {
  return `(d.response IS NOT NULL OR d.answer_headers IS NOT NULL OR EXISTS (SELECT 1 FROM ${attempts} a WHERE a.delivery_id = d.id AND (a.response IS NOT NULL OR a.answer_headers IS NOT NULL)))`;
}

/** A message, as retention sees it. */
export interface MessageState extends MessageCursor {
  readonly hasBody: boolean;
  /** True when an endpoint's answer to it is stored. */
  readonly hasResponses: boolean;
  /** The time at which its last delivery was finished, at the earliest the send time; null while one is unfinished. */
  readonly finishedAt: number | null;
}

/** Old messages, oldest first. */
export interface MessagePage {
  readonly messages: readonly MessageState[];
  /** False when there may be more behind them. */
  readonly isLast: boolean;
}

type MessageRow = Row & MessageCursor;

/** Reads how far old messages are, a page at a time. A page ends early where messages have many deliveries. */
export class MessageStates {
  readonly #columns: string;

  constructor(
    private readonly database: SqlStore,
    private readonly tables: TableNames,
  ) {
    this.#columns = `m.id, m.given_id, m.time, CASE WHEN m.body IS NULL THEN 0 ELSE 1 END AS has_body, CASE WHEN EXISTS (SELECT 1 FROM ${tables.pendingMessages} p WHERE p.id = m.id) THEN 1 ELSE 0 END AS is_open`;
  }

  /** Reads the messages behind a position. */
  async page(after: MessageCursor, before: number, limit: number): Promise<MessagePage> {
    const { rows } = await this.database.run({
      sql: `SELECT ${this.#columns} FROM ${this.tables.messages} m WHERE m.time >= ? AND (m.time > ? OR m.id > ?) AND m.time < ? ORDER BY m.time, m.id LIMIT ?`,
      parameters: [after.time, after.time, keyOf('msg_', after.id), before, limit],
    });
    const messages = await this.#states(rows.map(messageRow));
    return { messages, isLast: rows.length < limit && messages.length === rows.length };
  }

  /** The states of the first messages, of all when their deliveries are few. */
  async #states(messages: readonly MessageRow[]): Promise<readonly MessageState[]> {
    const states: MessageState[] = [];
    for (const set of rangesOf(messages)) {
      const first = await this.#firstOf(set);
      states.push(...first);
      if (first.length < set.length) break;
    }
    return states;
  }

  /** The states of the first messages of a set: of as many as have {@link MOST_DELIVERIES} together, or of one. */
  async #firstOf(messages: readonly MessageRow[]): Promise<readonly MessageState[]> {
    const summaries = await this.#summaries(messages);
    const total = summaries.reduce((count, row) => count + Number(row['deliveries']), 0);
    if (messages.length > 1 && total > MOST_DELIVERIES) {
      // As many as were found, if the database has gone through them one by one; half of them if not.
      const fitting = Math.min(summaries.length - 1, Math.floor(messages.length / 2));
      return this.#firstOf(messages.slice(0, Math.max(1, fitting)));
    }
    const deliveries = new Map(
      summaries.map((row) => [idFrom('msg_', row['message_id'], row['given_message_id']), row]),
    );
    return messages.map((message) => stateOf(message, deliveries.get(message.id)));
  }

  /** Sums up the deliveries of messages, by message. Of several messages, those of the first deliveries that are found. */
  async #summaries(messages: readonly MessageCursor[]): Promise<readonly Row[]> {
    const { sql, parameters } = isOfMessages(messages);
    const limit = messages.length === 1 ? '' : MORE_THAN_MOST;
    const { rows } = await this.database.run({
      sql: `SELECT s.message_id, s.given_message_id, COUNT(*) AS deliveries, MAX(s.is_open) AS is_open, MAX(s.finished_at) AS finished_at, MAX(s.has_responses) AS has_responses
        FROM (SELECT d.message_id, d.given_message_id, CASE WHEN d.due_at IS NULL THEN 0 ELSE 1 END AS is_open, d.finished_at, CASE WHEN ${hasAnswers(this.tables)} THEN 1 ELSE 0 END AS has_responses
          FROM ${this.tables.deliveries} d WHERE ${sql} ${limit}) s
        GROUP BY s.message_id, s.given_message_id`,
      parameters,
    });
    return rows;
  }
}

function messageRow(row: Row): MessageRow {
  const named = withMessageId(row);
  return { ...named, ...cursorOf(named) };
}

function stateOf(message: MessageRow, deliveries: Row | undefined): MessageState {
  const { time, id } = message;
  const isOpen = [message, deliveries].some((one) => Number(one?.['is_open'] ?? 0) === 1);
  return {
    time,
    id,
    hasBody: Number(message['has_body']) === 1,
    hasResponses: Number(deliveries?.['has_responses'] ?? 0) === 1,
    finishedAt: isOpen ? null : Math.max(time, Number(deliveries?.['finished_at'] ?? 0)),
  };
}
