import { HourlyPurge, PURGE_INTERVAL } from './hourly-purge.js';
import {
  deleteRow,
  insertIfAbsent,
  markProcessed,
  purgeReceivedMessages,
  replaceRow,
} from './received-table.js';
import {
  type ClaimResult,
  type ClaimTimes,
  type MessageClaim,
  ReceivedMessages,
} from './received-messages.js';
import { hashOf } from './receiver-tables.js';
import type { SqlManager } from './sql-manager.js';

/**
 * Remembers messages in the table `thorn_received_messages` of a TypeORM data source, for all processes together; the
 * migration {@link CreateThornReceivedMessages1767312060000} creates it. Expired rows are deleted once an hour.
 *
 * On SQLite a data source has one connection, so that a write made during an open transaction joins it. There, prefer
 * `processOnce()` and the store in memory for handlers with transactions.
 */
export class DatabaseReceivedMessages extends ReceivedMessages {
  readonly #purge = new HourlyPurge('messages', (now) =>
    // An hour late: a handler that outlives its claim can still mark the row.
    purgeReceivedMessages(this.dataSource.manager, now - PURGE_INTERVAL),
  );

  constructor(private readonly dataSource: { readonly manager: SqlManager }) {
    super();
  }

  override async claim(
    { receiver, id, token }: MessageClaim,
    { now, leasedUntil }: ClaimTimes,
  ): Promise<ClaimResult> {
    this.#purge.startIfDue(now);
    const { manager } = this.dataSource;
    const mine = { hash: hashOf('claim', receiver, id), token, expiresAt: leasedUntil };
    let kept = await insertIfAbsent(manager, mine);
    if (kept && kept.token !== token && kept.expiresAt <= now) {
      kept = await replaceRow(manager, kept, mine);
    }
    if (kept?.token === token) return 'claimed';
    // The row was released or purged this very moment; the sender's next attempt finds out.
    return kept?.token === '' ? 'processed' : 'in-progress';
  }

  override async complete(
    { receiver, id }: MessageClaim,
    { keptUntil }: ClaimTimes,
  ): Promise<void> {
    await markProcessed(this.dataSource.manager, hashOf('claim', receiver, id), keptUntil);
  }

  override async release({ receiver, id, token }: MessageClaim): Promise<void> {
    await deleteRow(this.dataSource.manager, hashOf('claim', receiver, id), token);
  }
}
