import {
  type Dialect,
  type Select,
  select,
  type Statement,
  type Write,
  write,
} from '../../database/dialect.js';
import type { NewRowOf, RowOf } from '../../database/schema/table-definition.js';
import type { RECEIVED_MESSAGES } from '../../database/schema/thorn-tables.js';
import { proven, rowsOf, type TransactionProof } from '../../database/transaction-proof.js';

// The statements on `thorn_received_messages`. Index of each but the last one: the primary key.

/**
 * A message or a key, as one row knows it. `sequence` is the greatest number that is processed, 0 for none. `token` identifies the
 * attempt that processes a message, and is empty when no attempt does.
 */
export type ReceivedRow = RowOf<typeof RECEIVED_MESSAGES>;
/** A row of {@link ReceivedRow} as it is written. */
export type NewReceivedRow = NewRowOf<typeof RECEIVED_MESSAGES>;

/** Where the statements run. */
export interface ReceivedTarget {
  readonly dialect: Dialect;
  /** The name of the table in SQL. */
  readonly table: string;
  /** Of the application's transaction that was joined. Default: none was. */
  readonly proof?: TransactionProof | undefined;
}

/**
 * Inserts a row unless there is a row with its hash; {@link selectReceived} answers the row that is there. On PostgreSQL and MySQL
 * the statement waits for another transaction that has inserted such a row and may still roll back.
 */
export function insertReceived(
  { dialect, table, proof }: ReceivedTarget,
  row: NewReceivedRow,
): () => Statement {
  const columns = Object.keys(row);
  const marks = columns.map(() => '?').join(', ');
  const insert = proven(proof, (gate) =>
    write(dialect.insertNew(table, columns, rowsOf([marks], gate)), Object.values(row)),
  );
  // MySQL may count nothing where the row was there: `processOnce()` counts it with `countLocked` then.
  return dialect.name === 'mysql' ? () => ({ ...insert(), proof: undefined }) : insert;
}

/** The row of a hash. */
export function selectReceived({ table }: ReceivedTarget, hash: string): Select<ReceivedRow> {
  return select(`SELECT * FROM ${table} WHERE hash = ?`, [hash]);
}

/** The number of rows of a hash, 0 or 1. A number, because Prisma 6 cannot read texts of a binary collation. */
export type Counted = Select<{ readonly count: number | string }>;

/** Counts the row that an attempt has. */
export function countOwn({ table }: ReceivedTarget, hash: string, token: string): Counted {
  return select(`SELECT COUNT(*) AS count FROM ${table} WHERE hash = ? AND token = ?`, [
    hash,
    token,
  ]);
}

/**
 * Counts the row of a hash within the transaction of a proof, on MySQL and MariaDB. The statement locks the row: the transaction
 * may have begun to read before another one has committed it.
 */
export function countLocked(
  { table }: ReceivedTarget,
  hash: string,
  { gate }: TransactionProof,
): Counted {
  return select(
    `SELECT COUNT(*) AS count FROM ${table} WHERE hash = ? AND ${gate.condition} LOCK IN SHARE MODE`,
    [hash],
  );
}

/** Takes a row over from the attempt that had it, unless another attempt has done so. */
export function takeReceivedOver(
  { table }: ReceivedTarget,
  found: ReceivedRow,
  { token, leased_until, kept_until, sequence }: Omit<NewReceivedRow, 'hash'>,
): Write {
  return write(
    `UPDATE ${table} SET sequence = ?, token = ?, leased_until = ?, kept_until = ? WHERE hash = ? AND token = ? AND leased_until = ? AND sequence = ?`,
    [
      ...[sequence, token, leased_until, kept_until],
      ...[found.hash, found.token, found.leased_until, found.sequence],
    ],
  );
}

/** Notes that a number is processed, unless a greater one is, and gives the row up if the attempt still has it. */
export function completeReceived(
  { table }: ReceivedTarget,
  { hash, sequence, token, kept_until }: Omit<NewReceivedRow, 'leased_until'>,
): Write {
  return write(
    `UPDATE ${table} SET sequence = CASE WHEN sequence < ? THEN ? ELSE sequence END, kept_until = ?, token = CASE WHEN token = ? THEN '' ELSE token END WHERE hash = ?`,
    [sequence, sequence, kept_until, token, hash],
  );
}

/** Gives a row up that an attempt has. */
export function releaseReceived({ table }: ReceivedTarget, hash: string, token: string): Write {
  return write(`UPDATE ${table} SET token = '' WHERE hash = ? AND token = ?`, [hash, token]);
}

/** Removes rows that need not be kept any longer. Index: (kept_until). */
export function deleteExpiredReceived({ table }: ReceivedTarget, now: number): Write {
  return write(`DELETE FROM ${table} WHERE kept_until <= ?`, [now]);
}
