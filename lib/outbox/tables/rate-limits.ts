import { type Columns, type Select, select, type Write, write } from '../../database/dialect.js';
import { kindsOf, type NewRowOf, type RowOf } from '../../database/schema/table-definition.js';
import { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';
import type { Target } from './table-names.js';

// The statements on `thorn_rate_limits`.

type RateLimitRow = RowOf<typeof OUTBOX_TABLES.rateLimits>;
type NewRateLimitRow = NewRowOf<typeof OUTBOX_TABLES.rateLimits>;

const NAMES = ['subscriber_id', 'next_at', 'queued_until'] as const;
const COLUMNS: Columns = kindsOf(OUTBOX_TABLES.rateLimits, NAMES);

/** The rows of subscribers, locked. In one order, so that two transactions that want the same rows wait for each other. Index: the primary key. */
export function selectLimits(
  { dialect, tables }: Target,
  subscribers: readonly string[],
): Select<RateLimitRow> {
  return select(
    `SELECT ${NAMES.join(', ')} FROM ${tables.rateLimits} WHERE subscriber_id IN (${subscribers.map(() => '?').join(', ')}) ORDER BY subscriber_id ${dialect.name === 'sqlite' ? '' : 'FOR UPDATE'}`,
    subscribers,
  );
}

/** Writes the rows of subscribers. Index: the primary key. */
export function updateLimits({ dialect, tables }: Target, rows: readonly NewRateLimitRow[]): Write {
  return write(
    dialect.updateFrom(
      tables.rateLimits,
      ['next_at = r.next_at', 'queued_until = r.queued_until'],
      dialect.rows('r', COLUMNS),
      't.subscriber_id = r.subscriber_id',
    ),
    [dialect.rowsParameter(COLUMNS, rows)],
  );
}

/** Adds the rows of subscribers, unless they are there. Index: the primary key. */
export function insertLimits({ dialect, tables }: Target, rows: readonly NewRateLimitRow[]): Write {
  const values = `SELECT ${NAMES.map((name) => `r.${name}`).join(', ')} FROM ${dialect.rows('r', COLUMNS)} WHERE r.subscriber_id IS NOT NULL`;
  return write(dialect.insertNew(tables.rateLimits, NAMES, values), [
    dialect.rowsParameter(COLUMNS, rows),
  ]);
}

/** Removes rows whose times have passed. Index: none, since only subscribers with a limit have a row. */
export function deleteOldLimits({ tables }: Target, before: number): Write {
  return write(`DELETE FROM ${tables.rateLimits} WHERE next_at < ? AND queued_until < ?`, [
    before,
    before,
  ]);
}
