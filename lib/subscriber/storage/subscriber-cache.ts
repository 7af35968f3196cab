import { Logger } from '@nestjs/common';
import type { Clock } from '../../common/time.js';
import { LogLine, errorText } from '../../common/log.js';
import { SubscriberIndex } from '../matching/subscriber-index.js';
import { hasEnded } from '../../message/recipient.js';
import {
  describeFault,
  isFault,
  type RowFault,
  type SubscriberRowMapper,
} from './subscriber-row-mapper.js';
import type { SubscriberTable } from './subscriber-table.js';
import type { SubscriberRow } from '../model/field-kinds.js';
import type { MatchCriteria } from '../model/subscriber.repository.js';
import { isActive, type Subscriber } from '../model/subscriber.js';
import { SubscribersUnavailableError } from '../model/subscriber-errors.js';

/** The maximum ages of the cache, in milliseconds. */
export interface CacheLimits {
  /** When the copy is older, the table is read before an answer. */
  readonly maxStaleness: number;
  /** Up to this age, the cache answers even when the table cannot be read. */
  readonly outageTolerance: number;
}

/**
 * The overlap of incremental reads in milliseconds, for differences between clocks and for slow commits. Older changes
 * are found by their revisions, which takes longer.
 */
const OVERLAP = 60_000;
/** The shortest time between two reads while the database is down, in milliseconds. */
const RETRY_AFTER = 1000;

/**
 * The rows of `thorn_subscribers` in memory. A change that is made through this cache is visible at once. Changes of
 * other processes are found by a look at the table, which reads as little as it can: first a checksum of all rows; when
 * it differs, the rows that were changed lately; when the checksum still differs, the revisions of all rows.
 */
export class SubscriberCache {
  readonly #logger = new Logger('Thorn');
  readonly #index = new SubscriberIndex();
  /**
   * Subscribers that are not active. Their messages are stored all the same, since they may be backfilled once the
   * subscriber is active again.
   */
  readonly #inactive = new SubscriberIndex((subscriber) => !isActive(subscriber));
  /** Revisions of all rows, by their ids. */
  readonly #revisions = new Map<string, number>();
  /**
   * Ids of the rows that cannot be read now. The cache does not know the events of these subscribers, so no message
   * counts as unheard.
   */
  readonly #malformed = new Set<string>();
  /** The sum of the revisions of all rows. */
  #sum = 0;
  /** The start of the last successful read of the table. */
  #lookedAt: number | null = null;
  #looking: Promise<void> | null = null;
  #looks = 0;
  #nextTry = Number.NEGATIVE_INFINITY;
  /**
   * Ids that were changed through this cache since the running look began. The look may have read older rows of them,
   * which it must not put into the cache.
   */
  readonly #changed = new Set<string>();
  #expired = false;

  constructor(
    private readonly table: SubscriberTable,
    private readonly mapper: SubscriberRowMapper,
    private readonly clock: Clock,
    private readonly limits: CacheLimits,
  ) {}

  match(criteria: MatchCriteria): readonly Subscriber[] | Promise<readonly Subscriber[]> {
    const now = this.clock.now();
    const isWaiting = this.#isWaiting(now);
    if (!isWaiting && !this.#isFresh(now)) {
      return this.#freshen(now).then(() => this.#index.match(criteria));
    }
    const found = this.#index.match(criteria);
    if (isWaiting || !this.#index.hasEnding) return found;
    return found.some((one) => this.#mayBeRenewed(one, now)) ? this.#matchRenewed(criteria) : found;
  }

  /**
   * True when the end of a subscriber has passed since the table was read. Another process may have renewed the
   * subscriber in time.
   */
  #mayBeRenewed(subscriber: Subscriber, now: number): boolean {
    return hasEnded(subscriber, now) && !hasEnded(subscriber, this.#lookedAt ?? 0);
  }

  async #matchRenewed(criteria: MatchCriteria): Promise<readonly Subscriber[]> {
    const joined = this.#looking !== null;
    await this.#lookOnce();
    // The look that was under way may have read the subscriber before it was renewed.
    if (joined) await this.#lookOnce();
    return this.#index.match(criteria);
  }

  /** Afterwards the cache has everything that was in the table at the time of the call, unless the table cannot be read. */
  refresh(): Promise<void> {
    this.#expired = true;
    return this.#freshen(this.clock.now());
  }

  /** True if no row would match, active or not. False as well when only a read of the table could tell. */
  isUnheard(criteria: MatchCriteria): boolean {
    const now = this.clock.now();
    if (!this.#isFresh(now) || this.#looking !== null) {
      // The caller is in the middle of a transaction, and cannot wait.
      if (!this.#isWaiting(now)) this.#freshen(now).catch(() => undefined);
      return false;
    }
    if (this.#malformed.size > 0) return false;
    return !this.#index.hears(criteria) && !this.#inactive.hears(criteria);
  }

  /** The active subscriber with this id, as far as the cache knows it. */
  async get(id: string): Promise<Subscriber | undefined> {
    const now = this.clock.now();
    if (!this.#isFresh(now) && !this.#isWaiting(now)) await this.#freshen(now);
    return this.#index.get(id);
  }

  /**
   * Puts the result of a write of this process into the cache. The caller makes the writes of one id one after another.
   *
   * @param write resolves to the row after the write, or to null when the row is removed
   * @returns the subscriber after the write, or the reason why its row cannot be read; null when the row is removed
   */
  async change(
    id: string,
    write: () => Promise<SubscriberRow | null>,
  ): Promise<Subscriber | RowFault | null> {
    const looks = this.#looks;
    try {
      const row = await write();
      this.#changed.add(id);
      // A look that began during the write may have read a newer version of this row. The cache gets the older version
      // below, so the next caller reads the table again.
      if (looks !== this.#looks) this.#expired = true;
      if (row !== null) return this.#put(row);
      this.#remove(id);
      return null;
    } catch (error) {
      this.#expired = true; // whether it was written is not known
      throw error;
    }
  }

  #isFresh(now: number): boolean {
    return !this.#expired && this.#age(now) <= this.limits.maxStaleness;
  }

  /** True when a read has just failed and the next read is not due yet. */
  #isWaiting(now: number): boolean {
    return now < this.#nextTry && this.#age(now) <= this.limits.outageTolerance;
  }

  #age(now: number): number {
    // When the clock was put back, the age is unknown, and the table is read.
    if (this.#lookedAt === null || now < this.#lookedAt) return Number.POSITIVE_INFINITY;
    return now - this.#lookedAt;
  }

  async #freshen(now: number): Promise<void> {
    const joined = this.#looking !== null;
    await this.#lookOnce();
    // The look that was under way may have begun too long ago for this caller.
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
    for await (const rows of this.table.pages(this.#lookedAt - OVERLAP)) {
      for (const row of rows) this.#take(row);
    }
    if (await this.#isComplete()) return;
    await this.#compare();
  }

  async #load(): Promise<void> {
    const seen = new Set<string>();
    for await (const rows of this.table.pages()) {
      for (const row of rows) {
        seen.add(row.id);
        this.#take(row);
      }
    }
    this.#dropAllBut(seen);
  }

  async #compare(): Promise<void> {
    const seen = new Set<string>();
    for await (const rows of this.table.revisions()) {
      for (const { id } of rows) seen.add(id);
      const other = rows.filter(({ id, revision }) => this.#revisions.get(id) !== revision);
      for (const row of await this.table.findAll(other.map(({ id }) => id))) this.#take(row);
    }
    this.#dropAllBut(seen);
  }

  async #isComplete(): Promise<boolean> {
    const { count, sum } = await this.table.checksum();
    return count === this.#revisions.size && sum === this.#sum;
  }

  #take(row: SubscriberRow): void {
    if (this.#changed.has(row.id) || this.#revisions.get(row.id) === row.revision) return;
    this.#put(row);
  }

  #dropAllBut(seen: ReadonlySet<string>): void {
    for (const id of this.#revisions.keys()) {
      if (!seen.has(id) && !this.#changed.has(id)) this.#remove(id);
    }
  }

  #put(row: SubscriberRow): Subscriber | RowFault {
    this.#remove(row.id);
    this.#revisions.set(row.id, row.revision);
    this.#sum += row.revision;
    const subscriber = this.mapper.fromRow(row);
    if (isFault(subscriber)) {
      this.#malformed.add(row.id);
      const text = `Subscriber ${row.id} receives nothing: ${describeFault(subscriber)}`;
      this.#logger.error(new LogLine(text, { subscriberId: row.id }));
    } else {
      this.#index.set(subscriber);
      this.#inactive.set(subscriber);
    }
    return subscriber;
  }

  #remove(id: string): void {
    this.#sum -= this.#revisions.get(id) ?? 0;
    this.#revisions.delete(id);
    this.#index.delete(id);
    this.#inactive.delete(id);
    this.#malformed.delete(id);
  }
}
