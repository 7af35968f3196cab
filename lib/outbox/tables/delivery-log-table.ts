import { type AttemptRecord, type DeliveryStatus, FAILURE_REASONS } from '../../delivery/index.js';
import {
  parseCandidateRow,
  type Candidate,
  parseDeliveryRow,
  parseAttemptRow,
} from './delivery-record.js';
import type { DeliveryRecord } from './delivery-record.js';
import { type Dialect, idRows, type Statement } from '../database/dialect.js';
import type { MessageCursor } from './message-cursor.js';
import type { OutboxDatabase, Row } from '../database/outbox-database.js';
import type { TableNames } from '../entities/table-names.js';

/** The filter of a page of the delivery log; undefined matches everything. */
export interface LogQuery {
  readonly subscribers: readonly string[] | undefined;
  readonly message: string | undefined;
  readonly status: DeliveryStatus | undefined;
  readonly event: string | undefined;
  /** The smallest id, inclusive. */
  readonly from: string | undefined;
  /** Upper bounds of the ids, exclusive. */
  readonly before: readonly string[];
  readonly limit: number;
}

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

/** The columns that {@link parseDeliveryRow} reads. */
const RECORD =
  'd.id, d.message_id, d.subscriber_id, d.event, d.status, d.reason, d.requests, d.lease, d.due_at, d.permit_at, d.created_at, d.attempted_at, d.finished_at';
const EXPUNGED = 'CASE WHEN m.body IS NULL THEN 1 ELSE 0 END AS is_expunged';

/** The SQL of the delivery log: reads `thorn_deliveries` and `thorn_attempts`. */
export class DeliveryLogTable {
  readonly #dialect: Dialect;

  constructor(
    private readonly database: OutboxDatabase,
    private readonly tables: TableNames,
  ) {
    this.#dialect = database.dialect;
  }

  /** Reads a page of deliveries, newest first. */
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
    // Repeats the condition in the form that the index needs.
    if (status === 'pending') add('d.due_at IS NOT NULL');
    if (from !== undefined) add('d.id >= ?', from);
    for (const id of before) add('d.id < ?', id);
    const page = (more: string): Statement => {
      const all = [...conditions, ...(more === '' ? [] : [more])];
      const where = all.length === 0 ? '' : `WHERE ${all.join(' AND ')}`;
      return {
        sql: `SELECT ${RECORD} FROM ${this.tables.deliveries} d ${where} ORDER BY d.id DESC LIMIT ?`,
        parameters: [...parameters, limit],
      };
    };
    const isOfAllFailed = status === 'failed' && subscribers === undefined && message === undefined;
    const { rows } = await this.database.run(
      isOfAllFailed
        ? newestOf(
            FAILURE_REASONS.map((one) => page(`d.reason = '${one}'`)),
            limit,
          )
        : page(''),
    );
    return rows.map(parseDeliveryRow);
  }

  async find(id: string): Promise<Row | null> {
    const { rows } = await this.database.run({
      sql: `SELECT ${RECORD}, d.host, ${EXPUNGED} FROM ${this.tables.deliveries} d LEFT JOIN ${this.tables.messages} m ON m.id = d.message_id WHERE d.id = ?`,
      parameters: [id],
    });
    return rows[0] ?? null;
  }

  async attempts(delivery: string): Promise<readonly AttemptRecord[]> {
    const { rows } = await this.database.run({
      sql: `SELECT 1 AS number, started_at, duration, response_status AS status, error_code, error_message, response, address
          FROM ${this.tables.deliveries} WHERE id = ? AND duration IS NOT NULL
        UNION ALL SELECT number, started_at, duration, status, error_code, error_message, response, address
          FROM ${this.tables.attempts} WHERE delivery_id = ? ORDER BY number`,
      parameters: [delivery, delivery],
    });
    return rows.map(parseAttemptRow);
  }

  /** Reads failed deliveries and waiting retries, oldest first; cancelled deliveries are left out. */
  async failed({ subscriber, from, before, after, limit, now }: FailedQuery): Promise<Candidate[]> {
    const { rows } = await this.database.run({
      sql: `SELECT d.id, d.message_id, d.subscriber_id, ${EXPUNGED} FROM ${this.tables.deliveries} d LEFT JOIN ${this.tables.messages} m ON m.id = d.message_id
        WHERE d.subscriber_id = ? AND d.id >= ? AND d.id < ? AND d.id > ? AND ((d.status = 'failed' AND d.reason <> 'cancelled')
          OR (d.status = 'pending' AND d.requests > 0 AND d.lease IS NULL AND d.permit_at IS NULL AND d.due_at > ?))
        ORDER BY d.id LIMIT ?`,
      parameters: [subscriber, from, before, after, now, limit],
    });
    return rows.map(parseCandidateRow);
  }

  /** Reads the messages behind the cursor, each with the subscriber's delivery, oldest first. */
  async messages(
    subscriber: string,
    after: MessageCursor,
    until: number,
    limit: number,
  ): Promise<readonly Row[]> {
    const { rows } = await this.database.run({
      sql: `SELECT m.id, m.time, m.event, m.owner, m.audience, ${EXPUNGED}, CASE WHEN m.due_at IS NULL THEN 0 ELSE 1 END AS is_under_way, d.id AS delivery, d.reason
        FROM ${this.tables.messages} m LEFT JOIN ${this.tables.deliveries} d ON d.message_id = m.id AND d.subscriber_id = ?
        WHERE m.time >= ? AND (m.time > ? OR m.id > ?) AND m.time < ? ORDER BY m.time, m.id LIMIT ?`,
      parameters: [subscriber, after.time, after.time, after.id, until, limit],
    });
    return rows;
  }

  /** Counts deliveries and messages by state, and finds the oldest due times. */
  async stats(now: number): Promise<Row> {
    const { deliveries, messages } = this.tables;
    const { rows } = await this.database.run({
      sql: `SELECT w.pending, w.rate_limited,
        (SELECT COUNT(*) FROM ${deliveries} WHERE due_at <= ?) AS due,
        (SELECT COUNT(*) FROM ${deliveries} WHERE due_at > ? AND lease IS NOT NULL) AS leased,
        (SELECT COUNT(*) FROM ${deliveries} WHERE reason IS NOT NULL) AS failed,
        (SELECT MIN(due_at) FROM ${deliveries} WHERE due_at <= ?) AS oldest_delivery,
        (SELECT COUNT(*) FROM ${messages} WHERE due_at IS NOT NULL) AS pending_messages,
        (SELECT COUNT(*) FROM ${messages} WHERE due_at <= ?) AS due_messages,
        (SELECT MIN(due_at) FROM ${messages} WHERE due_at <= ?) AS oldest_message
        FROM (SELECT COUNT(*) AS pending, COUNT(permit_at) AS rate_limited FROM ${deliveries} WHERE due_at IS NOT NULL) w`,
      parameters: [now, now, now, now, now],
    });
    return rows[0]!;
  }
}

/** The newest rows of several pages. Each page comes from an index in order; one query over all pages would sort. */
function newestOf(pages: readonly Statement[], limit: number): Statement {
  return {
    sql: `${pages.map(({ sql }, at) => `SELECT * FROM (${sql}) AS p${at}`).join(' UNION ALL ')} ORDER BY id DESC LIMIT ?`,
    parameters: [...pages.flatMap(({ parameters }) => parameters), limit],
  };
}
