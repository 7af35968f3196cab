import { type Select, select, type Write, write } from '../dialect.js';
import type { RowOf } from '../schema/table-definition.js';
import { OUTBOX_TABLES } from '../schema/thorn-tables.js';
import type { SqlTables } from '../sql-client.js';
import { tableLock } from './trigger-parts.js';

// The statements on `thorn_captured_tables`, which has a row for each table with triggers. Index of each that names tables: the
// primary key.

/** A row of `thorn_captured_tables`. */
export type CapturedTableRow = RowOf<typeof OUTBOX_TABLES.capturedTables>;

/** Milliseconds that a statement waits for a lock. */
export const LOCK_WITHIN = 1000;

/** All tables. Index: none, the statement reads all rows. */
export function selectTables(database: SqlTables): Select<CapturedTableRow> {
  return select(`SELECT name, heard, events FROM ${tableOf(database)}`, []);
}

/** Adds a table whose events somebody may hear, unless it is there. */
export function insertTable(database: SqlTables, name: string, events: string): Write {
  const columns = ['name', 'heard', 'events'];
  const sql = database.dialect.insertNew(tableOf(database), columns, 'VALUES (?, TRUE, ?)');
  return write(sql, [name, events]);
}

/** Writes the events of a table, as JSON. */
export function updateEvents(database: SqlTables, name: string, events: string): Write {
  return write(`UPDATE ${tableOf(database)} SET events = ? WHERE name = ?`, [events, name]);
}

/** Lets the triggers of tables write changes down. */
export function updateHeard(database: SqlTables, names: readonly string[]): Write {
  return write(`UPDATE ${tableOf(database)} SET heard = TRUE WHERE ${among(names)}`, names);
}

/** Lets the triggers of a table write nothing down. */
export function silenceTable(database: SqlTables, name: string): Write {
  return write(`UPDATE ${tableOf(database)} SET heard = FALSE WHERE name = ?`, [name]);
}

/** Locks tables shared, as triggers on MariaDB do: nobody can silence them then. Not on SQLite. */
export function lockShared(
  database: SqlTables,
  names: readonly string[],
): Select<CapturedTableRow> {
  const isMysql = database.dialect.name === 'mysql';
  return locked(database, names, isMysql ? 'LOCK IN SHARE MODE' : 'FOR SHARE');
}

/**
 * Locks tables that are to be heard. With a weaker lock on PostgreSQL, the FOR KEY SHARE of a writer with an older snapshot would
 * not fail. Not on SQLite.
 */
export function lockToHear(
  database: SqlTables,
  names: readonly string[],
): Select<CapturedTableRow> {
  return locked(database, names, 'FOR UPDATE');
}

function locked(
  database: SqlTables,
  names: readonly string[],
  how: string,
): Select<CapturedTableRow> {
  const isMysql = database.dialect.name === 'mysql';
  const wait = isMysql ? ` /*M!100300 WAIT ${LOCK_WITHIN / 1000} */` : '';
  // Without the index hint MariaDB would lock all rows of a small table, which writers of other tables hold.
  const from = `${tableOf(database)}${isMysql ? ' FORCE INDEX (PRIMARY)' : ''}`;
  return select(
    // Always in the same order, so that two transactions rarely wait for each other.
    `SELECT name, heard, events FROM ${from} WHERE ${among(names)} ORDER BY name ${how}${wait}`,
    names,
  );
}

/** Locks a table that is to be silent, or fails at once where somebody has locked it. Not on SQLite. */
export function lockToSilence(database: SqlTables, name: string): Select {
  const how = database.dialect.name === 'postgres' ? 'FOR NO KEY UPDATE' : 'FOR UPDATE';
  return select(`SELECT 1 FROM ${tableOf(database)} WHERE name = ? ${how} NOWAIT`, [name]);
}

/** Limits the time that the following statements of a transaction wait for a lock, on PostgreSQL. Index: none, it reads no table. */
export function limitLockTime(): Select {
  return select(`SELECT set_config('lock_timeout', '${LOCK_WITHIN}', TRUE)`, []);
}

/** Waits for the writers of tables that triggers let write nothing down, on PostgreSQL. Index: none, it reads no table. */
export function lockWriters(names: readonly string[]): Select {
  const locks = names.map((name) => `SELECT pg_advisory_xact_lock(${tableLock(name)})`);
  return select(locks.join(' UNION ALL '), []);
}

function among(names: readonly string[]): string {
  return `name IN (${names.map(() => '?').join(', ')})`;
}

function tableOf(database: SqlTables): string {
  return database.table(OUTBOX_TABLES.capturedTables.name);
}
