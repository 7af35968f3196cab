import type { TableRows } from '../../database/table-rows.js';
import type { SqlManager } from '../../database/typeorm-client.js';
import { rowsOf } from './receiver-tables.js';

/** One row: the claim of a message, or the mark that the message is processed. */
export interface ReceivedRow {
  /** See {@link hashOf}. */
  readonly hash: string;
  /** Token of the claim; empty when the message is processed. */
  readonly token: string;
  /** Milliseconds since the Unix epoch. */
  readonly expires_at: number | string;
}

/** The rows of `thorn_received_messages`. */
export function receivedRows(manager: SqlManager): TableRows<ReceivedRow> {
  return rowsOf(manager, 'thorn_received_messages');
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
  await receivedRows(manager).delete('expires_at <= ?', now);
}
