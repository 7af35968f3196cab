import type { Dialect } from '../../database/dialect.js';

const SQLITE_NOW = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)";
/** Microseconds since the Unix epoch, at the start of the statement. */
export const MYSQL_NOW = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))";

/**
 * The position of a new message, as an expression for its INSERT. No position is given out below one that all readers may
 * have passed:
 *
 * - PostgreSQL: the number of the transaction. Those of all open transactions are known.
 * - SQLite: higher than all others, since one transaction writes at a time. Not lower than the time, so that the position
 *   of a message that was removed is not used again.
 * - MySQL and MariaDB: the time at which the row is written, after any wait for a lock on the table. Time zones and their
 *   changes have no part in it.
 */
export function newPosition({ name }: Dialect, messages: string): string {
  switch (name) {
    case 'postgres':
      return 'txid_current()';
    case 'sqlite':
      return `MAX(${lastPosition(messages)} + 1, ${SQLITE_NOW})`;
    case 'mysql':
      return `${MYSQL_NOW} + GREATEST(0, TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6)))`;
  }
}

/** The highest position; 0 for none. @param before an expression that it is below. Default: any */
export function lastPosition(messages: string, before?: string): string {
  const condition = before === undefined ? 'IS NOT NULL' : `< ${before}`;
  return `COALESCE((SELECT m.position FROM ${messages} m WHERE m.position ${condition} ORDER BY m.position DESC LIMIT 1), 0)`;
}
