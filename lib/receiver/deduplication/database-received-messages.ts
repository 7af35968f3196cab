import { Logger } from '@nestjs/common';
import { errorText } from '../../common/index.js';
import {
  deleteRow,
  hashOf,
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
import type { SqlManager } from './sql-manager.js';

const PURGE_INTERVAL = 3_600_000;

/**
 * Remembers messages in the table `thorn_received_messages` of a TypeORM data source, for all processes together; the
 * migration {@link CreateThornReceivedMessages1767312060000} creates it. Expired rows are deleted once an hour.
 *
 * On SQLite a data source has one connection, so that a write made during an open transaction joins it. There, prefer
 * `processOnce()` and the store in memory for handlers with transactions.
 */
export class DatabaseReceivedMessages extends ReceivedMessages {
  readonly #logger = new Logger('ThornReceiver');
  #nextPurge = 0;

  constructor(private readonly dataSource: { readonly manager: SqlManager }) {
    super();
  }

  override async claim(
    { receiver, id, token }: MessageClaim,
    { now, leasedUntil }: ClaimTimes,
  ): Promise<ClaimResult> {
    this.#purge(now);
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

  /** Not awaited: no webhook waits for it. */
  #purge(now: number): void {
    if (now < this.#nextPurge) return;
    this.#nextPurge = now + PURGE_INTERVAL;
    // An hour late: a handler that outlives its claim can still mark the row.
    purgeReceivedMessages(this.dataSource.manager, now - PURGE_INTERVAL).catch((error: unknown) => {
      this.#logger.warn(`Expired messages could not be deleted: ${errorText(error)}`);
    });
  }
}
