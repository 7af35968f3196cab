import { idRows } from '../../database/dialect.js';
import { type DeliveryStatus, FAILURE_REASONS } from '../../delivery/index.js';
import type { LogCondition } from './delivery-log.js';
import { keyOf } from './keys.js';
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

/** A filter by what the message is about, for the deliveries of one message. */
export function isAbout({ tables }: Target, subject: string): LogCondition {
  return {
    // One value per row: PostgreSQL could turn an EXISTS into a join that goes through all messages.
    sql: `(SELECT m.subject FROM ${tables.messages} m WHERE m.id = d.message_id) = ?`,
    parameters: [subject],
  };
}
