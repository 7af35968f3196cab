import type { TableRows } from '../../database/table-rows.js';
import type { SqlManager } from '../../database/typeorm-client.js';
import { HourlyPurge } from '../deduplication/hourly-purge.js';
import type { ClaimTimes } from '../deduplication/received-messages.js';
import { hashOf, rowsOf } from '../deduplication/receiver-tables.js';
import {
  ProcessedSequences,
  type SequenceClaim,
  type SequenceClaimResult,
} from './processed-sequences.js';

interface KeyRow {
  readonly hash: string;
  readonly sequence: number | string;
  /** Empty when no message is being processed. */
  readonly token: string;
  readonly leased_until: number | string;
  readonly kept_until: number | string;
}

/**
 * Remembers numbers in the table `thorn_processed_sequences` of a TypeORM data source, for all processes together; the
 * migration {@link CreateThornProcessedSequences1767312060001} creates it. Expired rows are deleted once an hour.
 *
 * On SQLite a data source has one connection, so that a write made during an open transaction joins it.
 */
export class DatabaseProcessedSequences extends ProcessedSequences {
  readonly #rows: TableRows<KeyRow>;
  readonly #purge = new HourlyPurge('keys', (now) => this.#rows.delete('kept_until <= ?', now));

  constructor(dataSource: { readonly manager: SqlManager }) {
    super();
    this.#rows = rowsOf(dataSource.manager, 'thorn_processed_sequences');
  }

  override async claim(claim: SequenceClaim, times: ClaimTimes): Promise<SequenceClaimResult> {
    const { now, leasedUntil, keptUntil } = times;
    this.#purge.startIfDue(now);
    const hash = hashOf('order', claim.receiver, claim.key);
    const mine = { token: claim.token, leased_until: leasedUntil, kept_until: keptUntil };
    await this.#rows.insertUnlessThere({ hash, sequence: 0, ...mine });
    const found = await this.#read(hash);
    if (found === undefined || found.token === claim.token) return resultOf(found, claim);
    if (Number(found.sequence) >= claim.sequence) return 'older';
    if (found.token !== '' && Number(found.leased_until) > now) return 'in-progress';
    // Unless another attempt was faster.
    const unchanged = 'hash = ? AND token = ? AND leased_until = ? AND sequence = ?';
    const { token, leased_until, sequence } = found;
    await this.#rows.update(mine, unchanged, hash, token, leased_until, sequence);
    return resultOf(await this.#read(hash), claim);
  }

  override async complete(claim: SequenceClaim, { keptUntil }: ClaimTimes): Promise<void> {
    const { sequence } = claim;
    const hash = hashOf('order', claim.receiver, claim.key);
    const next = { sequence, kept_until: keptUntil };
    await this.#rows.update(next, 'hash = ? AND sequence < ?', hash, sequence);
    await this.release(claim);
  }

  override async release({ receiver, key, token }: SequenceClaim): Promise<void> {
    const hash = hashOf('order', receiver, key);
    await this.#rows.update({ token: '' }, 'hash = ? AND token = ?', hash, token);
  }

  async #read(hash: string): Promise<KeyRow | undefined> {
    const [row] = await this.#rows.select('hash = ?', hash);
    return row;
  }
}

/** A row that was purged this very moment counts as one in progress: the sender's next attempt finds out. */
function resultOf(
  row: KeyRow | undefined,
  { token, sequence }: SequenceClaim,
): SequenceClaimResult {
  if (row?.token === token) return 'claimed';
  return row !== undefined && Number(row.sequence) >= sequence ? 'older' : 'in-progress';
}
