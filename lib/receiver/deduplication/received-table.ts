import { insertOrIgnore, runSql, tableName } from './receiver-tables.js';
import type { SqlManager } from './sql-manager.js';

const TABLE = 'thorn_received_messages';

/** One row: the claim of a message, or the mark that the message is processed. */
export interface ReceivedRow {
  /** See {@link hashOf}. */
  readonly hash: string;
  /** Token of the claim; empty when the message is processed. */
  readonly token: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/**
 * Inserts a row unless one has its hash, and returns the row that is stored then. On PostgreSQL and MySQL this waits for
 * another transaction that has inserted one and may still roll back.
 */
export async function insertIfAbsent(
  manager: SqlManager,
  row: ReceivedRow,
): Promise<ReceivedRow | undefined> {
  await insertOrIgnore(manager, TABLE, {
    hash: row.hash,
    token: row.token,
    expires_at: row.expiresAt,
  });
  return readRow(manager, row.hash);
}

/** Replaces a row unless it has changed since it was read; returns the row that is stored then. */
export async function replaceRow(
  manager: SqlManager,
  before: ReceivedRow,
  after: ReceivedRow,
): Promise<ReceivedRow | undefined> {
  await runSql(
    manager,
    `UPDATE ${tableOf(manager)} SET token = ?, expires_at = ? WHERE hash = ? AND token = ? AND expires_at = ?`,
    [after.token, after.expiresAt, before.hash, before.token, before.expiresAt],
  );
  return readRow(manager, before.hash);
}

/** Marks a row as processed. */
export async function markProcessed(
  manager: SqlManager,
  hash: string,
  expiresAt: number,
): Promise<void> {
  await runSql(
    manager,
    `UPDATE ${tableOf(manager)} SET token = '', expires_at = ? WHERE hash = ?`,
    [expiresAt, hash],
  );
}

/** Deletes the row of a claim, if it is still that claim's. */
export async function deleteRow(manager: SqlManager, hash: string, token: string): Promise<void> {
  await runSql(manager, `DELETE FROM ${tableOf(manager)} WHERE hash = ? AND token = ?`, [
    hash,
    token,
  ]);
}

/**
 * Deletes expired rows from the table `thorn_received_messages`. `DatabaseReceivedMessages` does so by itself; call
 * it from time to time where `processOnce()` alone is used.
 *
 * @param now milliseconds since the Unix epoch. Default: the machine's time
 */
export async function purgeReceivedMessages(
  manager: SqlManager,
  now: number = Date.now(),
): Promise<void> {
  await runSql(manager, `DELETE FROM ${tableOf(manager)} WHERE expires_at <= ?`, [now]);
}

async function readRow(manager: SqlManager, hash: string): Promise<ReceivedRow | undefined> {
  const rows = await runSql(
    manager,
    `SELECT token, expires_at FROM ${tableOf(manager)} WHERE hash = ?`,
    [hash],
  );
  const [row] = rows as { token: string; expires_at: number | string }[];
  return row && { hash, token: row.token, expiresAt: Number(row.expires_at) };
}

function tableOf(manager: SqlManager): string {
  return tableName(manager, TABLE);
}
