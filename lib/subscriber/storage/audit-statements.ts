import { firstIdAt } from '../../common/id.js';
import { type Select, select, type Write, write } from '../../database/dialect.js';
import type { NewRowOf, RowOf } from '../../database/schema/table-definition.js';
import type { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';

// The statements on `thorn_subscriber_changes`. Each function takes the name of the table in SQL, and its comment names the
// index that serves the statement.

/** A row of `thorn_subscriber_changes`. */
export type ChangeRow = RowOf<typeof OUTBOX_TABLES.subscriberChanges>;
/** A new row of `thorn_subscriber_changes`. */
export type NewChangeRow = Omit<NewRowOf<typeof OUTBOX_TABLES.subscriberChanges>, 'number'>;

/** The number of the removal of a subscriber, which has no row any more to count it. Nothing comes after it. */
const LAST_NUMBER = Number.MAX_SAFE_INTEGER;

/**
 * Counts a change of a subscriber. Its row stays locked until the end of the transaction, so that the numbers of changes follow
 * their commits. Index: the primary key of the subscribers.
 */
export function countChange(subscribers: string, id: string): Write {
  return write(`UPDATE ${subscribers} SET changes = COALESCE(changes, 0) + 1 WHERE id = ?`, [id]);
}

/** Adds changes of one subscriber, which {@link countChange} has counted. @param rows at least one */
export function insertChanges(
  table: string,
  subscribers: string,
  rows: readonly NewChangeRow[],
): Write {
  const columns = Object.keys(rows[0]!);
  const number = `COALESCE((SELECT changes FROM ${subscribers} WHERE id = ?), ${LAST_NUMBER})`;
  const values = `(${columns.map(() => '?').join(', ')}, ${number})`;
  const sql = `INSERT INTO ${table} (${columns.join(', ')}, number) VALUES ${rows.map(() => values).join(', ')}`;
  const parameters = rows.flatMap((row) => [...Object.values(row), row.subscriber_id]);
  return write(sql, parameters);
}

/**
 * The changes of a subscriber, newest first. Index: (subscriber_id, number, id).
 *
 * @param after null for the first page. There are none behind the id of no change of the subscriber
 */
export function selectChanges(
  table: string,
  subscriberId: string,
  after: string | null,
  limit: number,
): Select<ChangeRow> {
  const behind = ` AND (number, id) < (SELECT number, id FROM ${table} WHERE id = ? AND subscriber_id = ?)`;
  const [where, bound] = after === null ? ['', []] : [behind, [after, subscriberId]];
  return select(
    `SELECT * FROM ${table} WHERE subscriber_id = ?${where} ORDER BY number DESC, id DESC LIMIT ?`,
    [subscriberId, ...bound, limit],
  );
}

/** Changes that are due to be told. Index: (due_at). */
export function selectDueChanges(table: string, now: number, limit: number): Select<ChangeRow> {
  return select(
    `SELECT * FROM ${table} WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at LIMIT ?`,
    [now, limit],
  );
}

/** Sets the time from which a change may be told, unless another process has. Index: the primary key. */
export function rescheduleChange(
  table: string,
  { id, dueAt }: { readonly id: string; readonly dueAt: number },
  columns: Pick<NewChangeRow, 'due_at' | 'told_at' | 'tries'>,
): Write {
  const { due_at: due, told_at: told, tries } = columns;
  return write(
    `UPDATE ${table} SET due_at = ?, told_at = ?, tries = ? WHERE id = ? AND due_at = ?`,
    [due, told, tries, id, dueAt],
  );
}

/** Removes the changes from before a time. Index: the primary key, since an id begins with its time. */
export function deleteChangesBefore(table: string, time: number): Write {
  return write(`DELETE FROM ${table} WHERE id < ?`, [firstIdAt('chg_', time)]);
}
