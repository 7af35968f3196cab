import { insertRow, type Select, select, type Write, write } from '../database/dialect.js';
import type { NewRowOf, RowOf } from '../database/schema/table-definition.js';
import type { IDEMPOTENCY_KEYS } from '../database/schema/thorn-tables.js';

// The statements on `thorn_idempotency_keys`. Each function takes the name of the table in SQL.

/** A row of `thorn_idempotency_keys`. */
export type KeyRow = RowOf<typeof IDEMPOTENCY_KEYS>;

/** A request that begins: it has no answer yet. */
export type BegunRequest = Pick<NewRowOf<typeof IDEMPOTENCY_KEYS>, 'fingerprint' | 'expires_at'>;

/** Index: the primary key. */
export function selectKey(table: string, id: string): Select<KeyRow> {
  return select(`SELECT * FROM ${table} WHERE id = ?`, [id]);
}

/** Fails where the key is taken: another request was faster. Index: the primary key. */
export function insertKey(table: string, id: string, begun: BegunRequest): Write {
  return insertRow(table, { id, fingerprint: begun.fingerprint, expires_at: begun.expires_at });
}

/** Takes a key over whose row has expired, unless another request has done so. Index: the primary key. */
export function takeKeyOver(table: string, expired: KeyRow, begun: BegunRequest): Write {
  return write(
    `UPDATE ${table} SET fingerprint = ?, answer = NULL, expires_at = ? WHERE id = ? AND expires_at = ?`,
    [begun.fingerprint, begun.expires_at, expired.id, expired.expires_at],
  );
}

/** Keeps the answer to a request that is under way. Index: the primary key. */
export function updateAnswer(table: string, id: string, answer: string, expiresAt: number): Write {
  return write(`UPDATE ${table} SET answer = ?, expires_at = ? WHERE id = ? AND answer IS NULL`, [
    answer,
    expiresAt,
    id,
  ]);
}

/** Frees the key of a request that is under way. Index: the primary key. */
export function deleteUnanswered(table: string, id: string): Write {
  return write(`DELETE FROM ${table} WHERE id = ? AND answer IS NULL`, [id]);
}

/** Removes the keys that have expired. Index: (expires_at). */
export function deleteExpiredKeys(table: string, now: number): Write {
  return write(`DELETE FROM ${table} WHERE expires_at < ?`, [now]);
}
