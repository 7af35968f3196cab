import { insertRow, type Select, select, type Write, write } from '../database/dialect.js';
import type { NewRowOf, RowOf } from '../database/schema/table-definition.js';
import type { PORTAL_LINKS } from '../database/schema/thorn-tables.js';

// The statements on `thorn_portal_links`. Each function takes the name of the table in SQL.

/** A row of `thorn_portal_links`. Its column `capabilities` has words with blanks between them. */
export type LinkRow = RowOf<typeof PORTAL_LINKS>;

const IS_UNUSED = 'secret_hash = ? AND used_at IS NULL AND expires_at > ?';

/** Adds a link. Index: the primary key and (secret_hash), which are unique. */
export function insertLink(table: string, row: NewRowOf<typeof PORTAL_LINKS>): Write {
  return insertRow(table, row);
}

/** The unused link of a code. Index: (secret_hash). */
export function selectUnusedLink(table: string, codeHash: string, now: number): Select<LinkRow> {
  return select(`SELECT * FROM ${table} WHERE ${IS_UNUSED}`, [codeHash, now]);
}

/** Turns the unused link of a code into a session, unless another process has. Index: (secret_hash). */
export function useLink(
  table: string,
  codeHash: string,
  session: { readonly tokenHash: string; readonly now: number; readonly until: number },
): Write {
  const { tokenHash, now, until } = session;
  return write(
    `UPDATE ${table} SET secret_hash = ?, used_at = ?, expires_at = ? WHERE ${IS_UNUSED}`,
    [tokenHash, now, until, codeHash, now],
  );
}

/** The session of a token. Index: (secret_hash). */
export function selectSession(table: string, tokenHash: string, now: number): Select<LinkRow> {
  return select(
    `SELECT * FROM ${table} WHERE secret_hash = ? AND used_at IS NOT NULL AND expires_at > ?`,
    [tokenHash, now],
  );
}

/** The links and sessions of an owner. Index: (owner). */
export function selectLinksOf(table: string, owner: string, now: number): Select<LinkRow> {
  return select(`SELECT * FROM ${table} WHERE owner = ? AND expires_at > ? ORDER BY created_at`, [
    owner,
    now,
  ]);
}

/** Removes a link or session. Index: the primary key. */
export function deleteLink(table: string, id: string): Write {
  return write(`DELETE FROM ${table} WHERE id = ?`, [id]);
}

/** Removes the links and sessions of an owner. Index: (owner). */
export function deleteLinksOf(table: string, owner: string): Write {
  return write(`DELETE FROM ${table} WHERE owner = ?`, [owner]);
}

/** Removes links and sessions that have expired. Index: (expires_at). */
export function deleteExpiredLinks(table: string, now: number): Write {
  return write(`DELETE FROM ${table} WHERE expires_at <= ?`, [now]);
}
