import { createHash } from 'node:crypto';

/**
 * The number of a table's advisory lock on PostgreSQL, a bigint as text. While the table is not heard, its triggers hold
 * the lock shared, and whoever makes it heard takes it for itself.
 *
 * @param name that the declaration gives the table
 */
export function tableLock(name: string): string {
  return String(createHash('sha256').update(`thorn ${name}`).digest().readBigInt64BE());
}
