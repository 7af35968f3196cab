import { HourlyPurge } from '../deduplication/hourly-purge.js';
import type { ClaimTimes } from '../deduplication/received-messages.js';
import { hashOf, insertOrIgnore, runSql, tableName } from '../deduplication/receiver-tables.js';
import type { SqlManager } from '../deduplication/sql-manager.js';
import {
  ProcessedSequences,
  type SequenceClaim,
  type SequenceClaimResult,
} from './processed-sequences.js';

const TABLE = 'thorn_processed_sequences';

interface KeyRow {
  readonly sequence: number;
  /** Empty when no message is being processed. */
  readonly token: string;
  readonly leasedUntil: number;
}

/**
 * Remembers numbers in the table `thorn_processed_sequences` of a TypeORM data source, for all processes together; the
 * migration {@link CreateThornProcessedSequences1767312060001} creates it. Expired rows are deleted once an hour.
 *
 * On SQLite a data source has one connection, so that a write made during an open transaction joins it.
 */
export class DatabaseProcessedSequences extends ProcessedSequences {
  readonly #purge = new HourlyPurge('keys', (now) =>
    this.#run(`DELETE FROM ${this.#table} WHERE kept_until <= ?`, [now]),
  );

  constructor(private readonly dataSource: { readonly manager: SqlManager }) {
    super();
  }

  override async claim(claim: SequenceClaim, times: ClaimTimes): Promise<SequenceClaimResult> {
    const { now, leasedUntil, keptUntil } = times;
    this.#purge.startIfDue(now);
    const hash = hashOf('order', claim.receiver, claim.key);
    await insertOrIgnore(this.dataSource.manager, TABLE, {
      hash,
      sequence: 0,
      token: claim.token,
      leased_until: leasedUntil,
      kept_until: keptUntil,
    });
    const found = await this.#read(hash);
    if (found === undefined || found.token === claim.token) return this.#result(found, claim);
    if (found.sequence >= claim.sequence) return 'older';
    if (found.token !== '' && found.leasedUntil > now) return 'in-progress';
    // Unless another attempt was faster.
    await this.#run(
      `UPDATE ${this.#table} SET token = ?, leased_until = ?, kept_until = ? WHERE hash = ? AND token = ? AND leased_until = ? AND sequence = ?`,
      [claim.token, leasedUntil, keptUntil, hash, found.token, found.leasedUntil, found.sequence],
    );
    return this.#result(await this.#read(hash), claim);
  }

  override async complete(claim: SequenceClaim, { keptUntil }: ClaimTimes): Promise<void> {
    const hash = hashOf('order', claim.receiver, claim.key);
    await this.#run(
      `UPDATE ${this.#table} SET sequence = ?, kept_until = ? WHERE hash = ? AND sequence < ?`,
      [claim.sequence, keptUntil, hash, claim.sequence],
    );
    await this.#release(hash, claim.token);
  }

  override async release(claim: SequenceClaim): Promise<void> {
    await this.#release(hashOf('order', claim.receiver, claim.key), claim.token);
  }

  /** A row that was purged this very moment counts as one in progress: the sender's next attempt finds out. */
  #result(row: KeyRow | undefined, { token, sequence }: SequenceClaim): SequenceClaimResult {
    if (row?.token === token) return 'claimed';
    return row !== undefined && row.sequence >= sequence ? 'older' : 'in-progress';
  }

  async #release(hash: string, token: string): Promise<void> {
    await this.#run(`UPDATE ${this.#table} SET token = '' WHERE hash = ? AND token = ?`, [
      hash,
      token,
    ]);
  }

  async #read(hash: string): Promise<KeyRow | undefined> {
    const rows = (await this.#run(
      `SELECT sequence, token, leased_until FROM ${this.#table} WHERE hash = ?`,
      [hash],
    )) as { sequence: number | string; token: string; leased_until: number | string }[];
    const [row] = rows;
    return (
      row && {
        sequence: Number(row.sequence),
        token: row.token,
        leasedUntil: Number(row.leased_until),
      }
    );
  }

  get #table(): string {
    return tableName(this.dataSource.manager, TABLE);
  }

  #run(sql: string, parameters: unknown[]): Promise<unknown> {
    return runSql(this.dataSource.manager, sql, parameters);
  }
}
