import {
  type Columns,
  type Dialect,
  type Select,
  select,
  type Write,
  write,
} from '../../database/dialect.js';
import { kindsOf, type NewRowOf, type RowOf } from '../../database/schema/table-definition.js';
import { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';

// The statements on `thorn_rate_limits`, which is read and written in the first data source alone.

type RateLimitRow = RowOf<typeof OUTBOX_TABLES.rateLimits>;
type NewRateLimitRow = NewRowOf<typeof OUTBOX_TABLES.rateLimits>;

/** The table and its database. */
export interface RateLimitTable {
  readonly dialect: Dialect;
  /** The quoted name of the table. */
  readonly table: string;
}

const COLUMNS: Columns = kindsOf(OUTBOX_TABLES.rateLimits, [
  'subscriber_id',
  'state',
  'kept_until',
]);

/** The rows of subscribers, locked. In one order, so that two transactions that want the same rows wait for each other. Index: the primary key. */
export function selectLimits(
  { dialect, table }: RateLimitTable,
  subscribers: readonly string[],
): Select<Pick<RateLimitRow, 'subscriber_id' | 'state'>> {
  return select(
    `SELECT subscriber_id, state FROM ${table} WHERE subscriber_id IN (${subscribers.map(() => '?').join(', ')}) ORDER BY subscriber_id ${dialect.name === 'sqlite' ? '' : 'FOR UPDATE'}`,
    subscribers,
  );
}

/** Writes the rows of subscribers. Index: the primary key. */
export function updateLimits(
  { dialect, table }: RateLimitTable,
  rows: readonly NewRateLimitRow[],
): Write {
  return write(
    dialect.updateFrom(
      table,
      ['state = r.state', 'kept_until = r.kept_until'],
      dialect.rows('r', COLUMNS),
      't.subscriber_id = r.subscriber_id',
    ),
    [dialect.rowsParameter(COLUMNS, rows)],
  );
}

/** Adds the rows of subscribers, unless they are there. Index: the primary key. */
export function insertLimits(
  { dialect, table }: RateLimitTable,
  rows: readonly NewRateLimitRow[],
): Write {
  const names = Object.keys(COLUMNS);
  const values = `SELECT ${names.map((name) => `r.${name}`).join(', ')} FROM ${dialect.rows('r', COLUMNS)} WHERE r.subscriber_id IS NOT NULL`;
  return write(dialect.insertNew(table, names, values), [dialect.rowsParameter(COLUMNS, rows)]);
}

/** Removes rows that nobody needs any more. Index: none, since only subscribers with a limit have a row. */
export function deleteOldLimits({ table }: RateLimitTable, before: number): Write {
  return write(`DELETE FROM ${table} WHERE kept_until < ?`, [before]);
}
