import {
  type ClaimResult,
  type ClaimTimes,
  type MessageClaim,
  ReceivedMessages,
} from './received-messages.js';
import { hashOf, type ReceivedTable } from './received-table.js';

/** Remembers messages and keys in the table `thorn_received_messages`, for all processes together. */
export class DatabaseReceivedMessages extends ReceivedMessages {
  constructor(private readonly table: ReceivedTable) {
    super();
  }

  override async claim(claim: MessageClaim, times: ClaimTimes): Promise<ClaimResult> {
    const { rows } = this.table;
    const { now, leasedUntil: leased_until, keptUntil: kept_until } = times;
    this.table.purgeIfDue(now);
    const hash = hashOf(claim.kind, claim.receiver, claim.key);
    const mine = { sequence: 0, token: claim.token, leased_until, kept_until };
    await rows.insertUnlessThere({ hash, ...mine });
    const [found] = await rows.select('hash = ?', hash);
    // The row was purged this very moment; the sender's next attempt finds out.
    if (found === undefined) return 'in-progress';
    if (found.token === claim.token) return 'claimed';
    const sequence = Number(found.kept_until) > now ? Number(found.sequence) : 0;
    if (sequence >= claim.sequence) return 'processed';
    if (found.token !== '' && Number(found.leased_until) > now) return 'in-progress';
    const replaced = await rows.update(
      { ...mine, sequence },
      'hash = ? AND token = ? AND leased_until = ? AND sequence = ?',
      ...[hash, found.token, found.leased_until, found.sequence],
    );
    return replaced > 0 ? 'claimed' : 'in-progress';
  }

  override async complete(claim: MessageClaim, { keptUntil }: ClaimTimes): Promise<void> {
    const { kind, receiver, key, sequence, token } = claim;
    const sql = `UPDATE ${this.table.name} SET sequence = CASE WHEN sequence < ? THEN ? ELSE sequence END, kept_until = ?, token = CASE WHEN token = ? THEN '' ELSE token END WHERE hash = ?`;
    const parameters = [sequence, sequence, keptUntil, token, hashOf(kind, receiver, key)];
    await this.table.tables.run({ sql, parameters });
  }

  override async release({ kind, receiver, key, token }: MessageClaim): Promise<void> {
    const hash = hashOf(kind, receiver, key);
    await this.table.rows.update({ token: '' }, 'hash = ? AND token = ?', hash, token);
  }
}
