import { type Dialect, type Select, select, type Write, write } from '../../database/dialect.js';
import type { RowOf } from '../../database/schema/table-definition.js';
import type { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';

// The statements on `thorn_pauses`. Each function takes the name of
// the table in SQL.

type PauseRow = RowOf<typeof OUTBOX_TABLES.pauses>;

/** All pauses. Index: the primary key, in its order. */
export function selectPauses(table: string): Select<PauseRow> {
  return select(`SELECT * FROM ${table} ORDER BY host`, []);
}

/** Adds a pause, unless the host is paused. Index: the primary key. */
export function insertPause(dialect: Dialect, table: string, host: string, now: number): Write {
  return write(dialect.insertNew(table, ['host', 'paused_at'], 'VALUES (?, ?)'), [host, now]);
}

/** Ends a pause. Index: the primary key. */
export function deletePause(table: string, host: string): Write {
  return write(`DELETE FROM ${table} WHERE host = ?`, [host]);
}
