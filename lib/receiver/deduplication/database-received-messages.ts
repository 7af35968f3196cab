import type { TableRows } from '../../database/table-rows.js';
import type { SqlManager } from '../../database/typeorm-client.js';
import { HourlyPurge, PURGE_INTERVAL } from './hourly-purge.js';
import { purgeReceivedMessages, receivedRows, type ReceivedRow } from './received-table.js';
import {
  type ClaimResult,
  type ClaimTimes,
  type MessageClaim,
  ReceivedMessages,
} from './received-messages.js';
import { hashOf } from './receiver-tables.js';

/**
 * Remembers messages in the table `thorn_received_messages` of a TypeORM data source, for all processes together; the
 * migration {@link CreateThornReceivedMessages1767312060000} creates it. Expired rows are deleted once an hour.
 *
 * On SQLite a data source has one connection, so that a write made during an open transaction joins it. There, prefer
 * `processOnce()` and the store in memory for handlers with transactions.
 */
export class DatabaseReceivedMessages extends ReceivedMessages {
  readonly #rows: TableRows<ReceivedRow>;
  // An hour late: a handler that outlives its claim can still mark the row.
  readonly #purge = new HourlyPurge('messages', (now) =>
    purgeReceivedMessages(this.dataSource.manager, now - PURGE_INTERVAL),
  );

  constructor(private readonly dataSource: { readonly manager: SqlManager }) {
    super();
    this.#rows = receivedRows(dataSource.manager);
  }

  override async claim(
    { receiver, id, token }: MessageClaim,
    { now, leasedUntil }: ClaimTimes,
  ): Promise<ClaimResult> {
    this.#purge.startIfDue(now);
    const hash = hashOf('claim', receiver, id);
    const mine = { token, expires_at: leasedUntil };
    await this.#rows.insertUnlessThere({ hash, ...mine });
    const [kept] = await this.#rows.select('hash = ?', hash);
    // The row was released or purged this very moment; the sender's next attempt finds out.
    if (kept === undefined) return 'in-progress';
    if (kept.token === token) return 'claimed';
    if (Number(kept.expires_at) > now) return kept.token === '' ? 'processed' : 'in-progress';
    const unchanged = 'hash = ? AND token = ? AND expires_at = ?';
    const replaced = await this.#rows.update(mine, unchanged, hash, kept.token, kept.expires_at);
    return replaced > 0 ? 'claimed' : 'in-progress';
  }

  override async complete(
    { receiver, id }: MessageClaim,
    { keptUntil }: ClaimTimes,
  ): Promise<void> {
    const hash = hashOf('claim', receiver, id);
    await this.#rows.update({ token: '', expires_at: keptUntil }, 'hash = ?', hash);
  }

  override async release({ receiver, id, token }: MessageClaim): Promise<void> {
    const hash = hashOf('claim', receiver, id);
    await this.#rows.delete('hash = ? AND token = ?', hash, token);
  }
}
