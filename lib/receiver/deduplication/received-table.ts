import { createHash } from 'node:crypto';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { ThornConfigurationError } from '../../errors/index.js';
import type { SqlManager } from './sql-manager.js';

const TABLE = 'thorn_received_messages';
const POSTGRES = new Set(['postgres', 'cockroachdb', 'aurora-postgres']);
const MYSQL = new Set(['mysql', 'mariadb', 'aurora-mysql']);
const SQLITE = new Set(['better-sqlite3', 'sqlite', 'sqljs', 'expo', 'capacitor', 'react-native']);

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
 * Computes the key of a row. A hash, because ids have no length limit and databases compare texts in ways of their own: under
 * some collations `a` and `A` are the same message.
 */
export function hashOf(purpose: 'claim' | 'once' | 'order', receiver: string, id: string): string {
  return createHash('sha256')
    .update(JSON.stringify([purpose, receiver, id]))
    .digest('hex');
}

/**
 * Inserts a row unless one has its hash, and returns the row that is stored then. On PostgreSQL and MySQL this waits for
 * another transaction that has inserted one and may still roll back.
 */
export async function insertIfAbsent(
  manager: SqlManager,
  row: ReceivedRow,
): Promise<ReceivedRow | undefined> {
  const [insert, unless] = isMysql(manager)
    ? ['INSERT IGNORE', '']
    : ['INSERT', ' ON CONFLICT DO NOTHING'];
  await runSql(
    manager,
    `${insert} INTO ${tableOf(manager)} (hash, token, expires_at) VALUES (?, ?, ?)${unless}`,
    [row.hash, row.token, row.expiresAt],
  );
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

/** The name of a table of receivers, with the data source's `entityPrefix`. */
export function tableName(
  of: { readonly dataSource: { readonly options: { readonly entityPrefix?: string } } },
  table: string,
): string {
  return (dataSourceOf(of).options.entityPrefix ?? '') + table;
}

/** Runs a statement, whose placeholders are `?` whatever the database. */
export function runSql(manager: SqlManager, sql: string, parameters: unknown[]): Promise<unknown> {
  const { type } = dataSourceOf(manager).options;
  if (!POSTGRES.has(type)) return manager.query(sql, parameters);
  let count = 0;
  return manager.query(
    sql.replaceAll('?', () => `$${++count}`),
    parameters,
  );
}

/** @throws {@link ThornConfigurationError} for a database that is not supported */
export function isMysql({ dataSource }: SqlManager): boolean {
  const { type } = dataSource.options;
  if (MYSQL.has(type)) return true;
  if (POSTGRES.has(type) || SQLITE.has(type)) return false;
  throw new ThornConfigurationError(
    'THORN_DATABASE_UNSUPPORTED',
    `The tables of receivers are supported on PostgreSQL, MySQL, MariaDB and SQLite, not on ${type}.`,
    { database: type },
  );
}
