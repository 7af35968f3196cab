import { idRows } from '../../database/dialect.js';
import { type DeliveryStatus, FAILURE_REASONS } from '../../delivery/index.js';
import type { LogCondition } from './delivery-log.js';
import { type AnswerClass, latestOf } from './delivery-record.js';
import { keyOf } from './keys.js';
import { MOST_LOOKED_INTO } from './messages.js';
import type { Target } from './table-names.js';

// The conditions of the log on deliveries `d`, by which the statements in delivery-log.ts find them.

/** Owners with more subscribers are searched along the log of all: each branch is a part of the statement. */
export const MOST_BRANCHES = 100;

/** True of all deliveries. */
export const EVERY_DELIVERY: LogCondition = { sql: '', parameters: [] };

/** The failed deliveries, by their reasons. Index: (reason, id). */
export const HAS_FAILED: readonly LogCondition[] = FAILURE_REASONS.map((reason) => ({
  sql: 'd.reason = ?',
  parameters: [reason],
  column: 'reason',
}));

/** Index: the primary key. */
export function hasId(id: string): LogCondition {
  return { sql: 'd.id = ?', parameters: [keyOf('dlv_', id)] };
}

/** A filter: no index has the id of the message alone. */
export function hasMessage(id: string): LogCondition {
  return { sql: 'd.message_id = ?', parameters: [keyOf('msg_', id)] };
}

/** Index: (subscriber_id, id). */
export function isOfSubscriber(id: string): LogCondition {
  return { sql: 'd.subscriber_id = ?', parameters: [keyOf('sub_', id)], column: 'subscriber_id' };
}

/** A filter for several subscribers; for one {@link isOfSubscriber}. */
export function isOfSubscribers({ dialect }: Target, subscribers: readonly string[]): LogCondition {
  if (subscribers.length === 1) return isOfSubscriber(subscribers[0]!);
  const keys = subscribers.map((id) => keyOf('sub_', id));
  if (keys.length <= MOST_BRANCHES) {
    // MariaDB would sort all rows that it looks for in a table of ids.
    const sql = `d.subscriber_id IN (${keys.map(() => '?').join(', ')})`;
    return { sql, parameters: keys };
  }
  const { rows, parameter } = idRows(dialect, keys);
  return { sql: `d.subscriber_id IN (SELECT r.id FROM ${rows})`, parameters: [parameter] };
}

/** The deliveries with a due time for which other conditions hold. Index: (subscriber_id, due_at) or (due_at). */
export function isWaiting(others: readonly LogCondition[], few: number): LogCondition {
  return {
    // A comparison tells SQLite without statistics which index to use.
    sql: [...others.map(({ sql }) => sql), 'd.due_at > 0'].join(' AND '),
    parameters: others.flatMap(({ parameters }) => parameters),
    few,
  };
}

/** A filter. */
export function hasStatus(status: DeliveryStatus): LogCondition {
  return { sql: 'd.status = ?', parameters: [status] };
}

/**
 * A filter by the name of the event. Of a pattern it lets more through than matches: databases differ in what LIKE compares, and a
 * wildcard within is one segment alone.
 */
export function mayMatch(event: string): LogCondition {
  return event.includes('*')
    ? { sql: 'd.event LIKE ?', parameters: [event.replaceAll('*', '%')] }
    : { sql: 'd.event = ?', parameters: [event] };
}

/** Milliseconds since the Unix epoch, from the first until before the second. */
export interface TimeRange {
  readonly since: number;
  readonly until: number;
}

/** A filter by the beginnings of attempts, as figures count them. Index: the primary key of attempts. */
export function wasAttempted(
  { tables: { attempts } }: Target,
  { since, until }: TimeRange,
): LogCondition {
  const first = 'COALESCE(d.started_at, d.attempted_at)';
  return {
    sql: `((${first} >= ? AND ${first} < ?) OR (d.requests > 1 AND EXISTS (SELECT 1 FROM ${attempts} o WHERE o.delivery_id = d.id AND o.started_at >= ? AND o.started_at < ?)))`,
    parameters: [since, until, since, until],
  };
}

/** A filter by the answer to the latest attempt. */
export function hasAnswerClass({ tables }: Target, statusClass: AnswerClass): LogCondition {
  const [status, error] = [latestOf(tables, 'status'), latestOf(tables, 'error_code')];
  switch (statusClass) {
    case 'timeout':
      return { sql: `${error} = 'timeout'`, parameters: [] };
    case 'error':
      return {
        sql: `d.status <> 'succeeded' AND (${error} <> 'timeout' OR ${status} NOT BETWEEN 200 AND 599)`,
        parameters: [],
      };
    case 'none':
      return {
        sql: `d.status <> 'succeeded' AND ${status} IS NULL AND ${error} IS NULL`,
        parameters: [],
      };
    case '2xx':
      return { sql: `(d.status = 'succeeded' OR ${status} BETWEEN 200 AND 299)`, parameters: [] };
    default: {
      const first = Number(statusClass[0]) * 100;
      return {
        sql: `d.status <> 'succeeded' AND ${status} BETWEEN ${first} AND ${first + 99}`,
        parameters: [],
      };
    }
  }
}

/** A number as JSON has it. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * A filter by a text that the message has: its order key, its `ref`, or a value of its body. No index has these, and only
 * functions of texts are asked: the body is JSON without blanks, in which a quote within a text is escaped.
 */
export function hasValue({ dialect, tables }: Target, value: string): LogCondition {
  const json = JSON.stringify(value);
  // Not the name of a member, behind which is a colon.
  const texts = [`:${json}`, `[${json}`, `,${json},`, `,${json}]`];
  const numbers = NUMBER.test(value)
    ? ['":#,', '":#}', '[#,', '[#]', ',#,', ',#]'].map((one) => one.replace('#', value))
    : [];
  const held = [...texts, ...numbers];
  const inBody = held.map(() => dialect.holds('m.body')).join(' OR ');
  return {
    // One value per row: PostgreSQL could turn an EXISTS into a join that goes through all messages.
    sql: `(SELECT CASE WHEN m.order_key = ? OR m.ref = ? OR (${dialect.sizeOf('m.body')} <= ${MOST_LOOKED_INTO} AND (${inBody})) THEN 1 ELSE 0 END FROM ${tables.messages} m WHERE m.id = d.message_id) = 1`,
    parameters: [value, value, ...held],
  };
}
