import { Logger } from '@nestjs/common';
import type { Clock } from '../../common/clock.js';
import { LogLine } from '../../common/log-line.js';
import { errorText } from '../../common/error-text.js';
import { SubscriberIndex } from '../matching/subscriber-index.js';
import { CachedSubscriber } from './cached-subscriber.js';
import { describeFault, isFault, type SubscriberRowMapper } from './subscriber-row-mapper.js';
import type { SubscriberTable } from './subscriber-table.js';
import type { ThornSubscriber } from './subscriber.entity.js';
import type { MatchCriteria } from '../model/subscriber.repository.js';
import { isActive, type Subscriber } from '../model/subscriber.js';
import { SubscribersUnavailableError } from './subscribers-unavailable.error.js';

/** The maximum ages of the mirror, in milliseconds. */
export interface MirrorLimits {
  /** Beyond this age, the table is read before an answer. */
  readonly maxStaleness: number;
  /** Up to this age, the mirror answers even when the table cannot be read. */
  readonly outageTolerance: number;
}

/**
 * The overlap of incremental reads, for clock differences and slow commits. Older changes are found by their revision,
 * more slowly.
 */
const OVERLAP = 60_000;
/** While the database is down, it is asked once in this time at most. */
const RETRY_AFTER = 1000;

/**
 * The table's rows in memory. Changes made here are seen at once; those of other processes by looking at the table
 * again: one checksum, then the rows changed of late, then, when the sums still differ, all revisions.
 */
export class SubscriberCache {
  readonly #logger = new Logger('Thorn');
  readonly #index = new SubscriberIndex();
  /** They may be backfilled once they are active again. */
  readonly #inactive = new SubscriberIndex((subscriber) => !isActive(subscriber));
  /** Ids of the rows that cannot be read now: nobody knows what they listen to. */
  readonly #malformed = new Set<string>();
  /** Of every row, the malformed ones too. */
  readonly #revisions = new Map<string, number>();
  #sum = 0;
  /** The start of the last successful read of the table. */
  #lookedAt: number | null = null;
  #looking: Promise<void> | null = null;
  #looks = 0;
  #nextTry = Number.NEGATIVE_INFINITY;
  /** Ids changed here since the running look began: what it has read of them may be older. */
  readonly #changed = new Set<string>();
  #expired = false;

  constructor(
    private readonly table: SubscriberTable,
    private readonly rows: SubscriberRowMapper,
    private readonly clock: Clock,
    private readonly limits: MirrorLimits,
  ) {}

  match(criteria: MatchCriteria): readonly Subscriber[] | Promise<readonly Subscriber[]> {
    const now = this.clock.now();
    if (this.#isFresh(now) || this.#isWaiting(now)) return this.#index.match(criteria);
    return this.#freshen(now).then(() => this.#index.match(criteria));
  }

  /** True if no row would match, whether active or not, as far as this is known at once. */
  isUnheard(criteria: MatchCriteria): boolean {
    const now = this.clock.now();
    if (!this.#isFresh(now) || this.#looking !== null) {
      // Whoever asks is in the middle of a transaction, and cannot wait.
      if (!this.#isWaiting(now)) this.#freshen(now).catch(() => undefined);
      return false;
    }
    if (this.#malformed.size > 0) return false;
    return !this.#index.hears(criteria) && !this.#inactive.hears(criteria);
  }

  /** The active subscriber of an id, as far as it is known here. */
  async get(id: string): Promise<Subscriber | undefined> {
    const now = this.clock.now();
    if (!this.#isFresh(now) && !this.#isWaiting(now)) await this.#freshen(now);
    return this.#index.get(id);
  }

  /**
   * Takes over the outcome of a write made through this process. The caller makes the writes of one id one after
   * the other.
   *
   * @param write resolves to the row as it is afterwards, null when there is none
   */
  async change(
    id: string,
    write: () => Promise<ThornSubscriber | null>,
  ): Promise<ThornSubscriber | null> {
    const looks = this.#looks;
    try {
      const row = await write();
      this.#changed.add(id);
      if (row === null) this.#remove(id);
      else this.#put(row);
      // A look that began meanwhile may have read this row in a newer state, which has just been overwritten.
      if (looks !== this.#looks) this.#expired = true;
      return row;
    } catch (error) {
      this.#expired = true; // whether it was written is not known
      throw error;
    }
  }

  #isFresh(now: number): boolean {
    return !this.#expired && this.#age(now) <= this.limits.maxStaleness;
  }

  /** True when a read has just failed and the next is not due yet. */
  #isWaiting(now: number): boolean {
    return now < this.#nextTry && this.#age(now) <= this.limits.outageTolerance;
  }

  #age(now: number): number {
    // A clock that was put back says nothing about the age.
    if (this.#lookedAt === null || now < this.#lookedAt) return Number.POSITIVE_INFINITY;
    return now - this.#lookedAt;
  }

  async #freshen(now: number): Promise<void> {
    const joined = this.#looking !== null;
    await this.#lookOnce();
    // The look that was joined may have begun too long ago for this caller.
    if (joined && !this.#isFresh(now) && !this.#isWaiting(now)) await this.#lookOnce();
  }

  #lookOnce(): Promise<void> {
    return (this.#looking ??= this.#tryLook().finally(() => (this.#looking = null)));
  }

  async #tryLook(): Promise<void> {
    const startedAt = this.clock.now();
    this.#looks++;
    this.#changed.clear();
    this.#expired = false;
    try {
      await this.#look();
      this.#lookedAt = startedAt;
      this.#nextTry = Number.NEGATIVE_INFINITY;
    } catch (error) {
      this.#expired = true;
      const now = this.clock.now();
      const age = this.#age(now);
      if (age > this.limits.outageTolerance) throw new SubscribersUnavailableError(error);
      this.#nextTry = now + Math.min(RETRY_AFTER, this.limits.maxStaleness);
      this.#logger.warn(
        `The table thorn_subscribers could not be read: ${errorText(error)}. Messages go to the subscribers known ${age} ms ago, until that is ${this.limits.outageTolerance} ms.`,
      );
    }
  }

  async #look(): Promise<void> {
    if (this.#lookedAt === null) return this.#load();
    if (await this.#isComplete()) return;
    for await (const rows of this.table.pages(this.#lookedAt - OVERLAP)) this.#take(rows);
    if (await this.#isComplete()) return;
    await this.#compare();
  }

  async #load(): Promise<void> {
    // From what was not known, nothing can be missing.
    const seen = this.#revisions.size === 0 ? undefined : new Set<string>();
    for await (const rows of this.table.pages()) {
      if (seen !== undefined) for (const { id } of rows) seen.add(id);
      this.#take(rows);
    }
    if (seen !== undefined) this.#dropAllBut(seen);
  }

  async #compare(): Promise<void> {
    const seen = new Set<string>();
    for await (const rows of this.table.revisions()) {
      for (const { id } of rows) seen.add(id);
      const other = rows.filter(({ id, revision }) => this.#revisions.get(id) !== revision);
      this.#take(await this.table.findAll(other.map(({ id }) => id)));
    }
    this.#dropAllBut(seen);
  }

  async #isComplete(): Promise<boolean> {
    const { count, sum } = await this.table.checksum();
    return count === this.#revisions.size && sum === this.#sum;
  }

  #take(rows: readonly ThornSubscriber[]): void {
    for (const row of rows) if (!this.#changed.has(row.id)) this.#put(row);
  }

  #dropAllBut(seen: ReadonlySet<string>): void {
    for (const id of this.#revisions.keys()) {
      if (!seen.has(id) && !this.#changed.has(id)) this.#remove(id);
    }
  }

  #put(row: ThornSubscriber): void {
    const known = this.#revisions.get(row.id);
    if (known === row.revision) return;
    this.#sum += row.revision - (known ?? 0);
    this.#revisions.set(row.id, row.revision);
    const found = this.rows.fromRow(row);
    if (!isFault(found)) {
      const subscriber = new CachedSubscriber(found);
      this.#index.set(subscriber);
      this.#inactive.set(subscriber);
      this.#malformed.delete(row.id);
      return;
    }
    this.#index.delete(row.id);
    this.#inactive.delete(row.id);
    this.#malformed.add(row.id);
    const text = `Subscriber ${row.id} receives nothing: ${describeFault(found)}`;
    this.#logger.error(new LogLine(text, { subscriberId: row.id }));
  }

  #remove(id: string): void {
    this.#sum -= this.#revisions.get(id) ?? 0;
    this.#revisions.delete(id);
    this.#index.delete(id);
    this.#inactive.delete(id);
    this.#malformed.delete(id);
  }
}
