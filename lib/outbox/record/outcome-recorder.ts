import { FaultLog } from '../../common/index.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { OutcomeStatements } from './outcome-statements.js';
import type { Outcome } from '../outcome.js';
import type { Finished } from '../tables/leases.js';

// Outcomes that are not written yet are sent again after a crash. Smaller sets write more pages on SQLite, whose checkpoints
// hold up the event loop for longer than a set of 20 ms does.
const GATHER_FOR = 20;
// Milliseconds from the begin of the last flush, so that a lone delivery is written at once.
const GATHER_ORDERED_FOR = 5;
const WRITE_AT_MOST = 250;
const LONGEST_BACKOFF = 5000;
const TRIES_ALONE = 5;

/** Takes the steps that follow once outcomes are written. Its methods do not throw. */
export interface WriteFollower {
  /** A set is written. Either of the two may be empty. */
  written(outcomes: readonly Outcome[], finished: readonly Finished[]): void;
  /** An entry cannot be written, and was left out. */
  givenUp(entry: Entry): void;
}

/** The outcome of a delivery, or a message whose deliveries all have a row. */
export type Entry = { readonly outcome: Outcome } | { readonly finished: Finished };

/**
 * Writes outcomes in sets: one flush at a time, with all that was added since the last. A set that cannot be written is
 * tried again until it can be: a lost outcome would mean a webhook that is sent twice.
 */
export class OutcomeRecorder {
  readonly #faults = new FaultLog();
  readonly #gatherAtMost: number;
  #entries: Entry[] = [];
  #flushing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #atOnce = false;
  #isHurried = false;
  #begunAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  #failures = 0;
  #writing = 0;
  #most = WRITE_AT_MOST;

  /** @param most entries that wait at most before they are written */
  constructor(
    private readonly database: SqlStore,
    private readonly statements: OutcomeStatements,
    most: number,
    private readonly follower: WriteFollower,
  ) {
    this.#gatherAtMost = Math.min(most, WRITE_AT_MOST);
  }

  /** Entries that are not written yet. */
  get size(): number {
    return this.#entries.length + this.#writing;
  }

  add(outcome: Outcome): void {
    this.#entries.push({ outcome });
    // The next delivery of its key waits for it.
    if (typeof outcome.keyHash === 'string') this.#hurry();
    this.#schedule();
  }

  /** Releases a message: with the outcomes added before, each of its deliveries has a row. */
  finish(message: Finished): void {
    this.#entries.push({ finished: message });
    this.#schedule();
  }

  /** Writes everything without waiting for more; resolves when it is written. */
  async flush(): Promise<void> {
    this.#atOnce = true;
    this.#stopTimer();
    while (this.size > 0 && !this.#isClosed) await this.#begin();
    this.#atOnce = false;
  }

  /** Writes nothing from now on. */
  close(): void {
    this.#isClosed = true;
    this.#stopTimer();
  }

  #schedule(): void {
    if (this.#flushing !== null || this.#isClosed) return;
    if (this.#atOnce || this.#entries.length >= this.#gatherAtMost) {
      this.#stopTimer();
      void this.#begin();
      return;
    }
    const soon = this.#begunAt + GATHER_ORDERED_FOR - performance.now();
    this.#timer ??= setTimeout(
      () => {
        this.#timer = null;
        void this.#begin();
      },
      this.#isHurried ? Math.max(0, soon) : GATHER_FOR,
    );
  }

  /** Writes soon: at once, unless something was just written. */
  #hurry(): void {
    if (this.#isHurried) return;
    this.#isHurried = true;
    this.#stopTimer();
  }

  #begin(): Promise<void> {
    if (this.#flushing === null) {
      this.#isHurried = false;
      this.#begunAt = performance.now();
    }
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = null;
      if (this.#entries.length > 0) this.#schedule();
    });
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    // In this order: a message must not be finished before its last delivery is written.
    const entries = this.#entries.splice(0, this.#most);
    this.#writing = entries.length;
    const outcomes: Outcome[] = [];
    const finished: Finished[] = [];
    for (const entry of entries) {
      if ('outcome' in entry) outcomes.push(entry.outcome);
      else finished.push(entry.finished);
    }
    try {
      await this.database.execute(this.statements.statements(outcomes, finished));
    } catch (error) {
      this.#writing = 0;
      return this.#failed(entries, error);
    }
    this.#writing = 0;
    this.#failures = 0;
    this.#most = Math.min(WRITE_AT_MOST, this.#most * 2);
    this.follower.written(outcomes, finished);
  }

  /** Writes fewer at once: should one of them be the cause, the others do not wait for it. */
  async #failed(entries: readonly Entry[], error: unknown): Promise<void> {
    if (this.#isClosed) return;
    this.#failures++;
    const isAlone = entries.length === 1;
    if (isAlone && this.#failures > TRIES_ALONE + Math.log2(WRITE_AT_MOST) && this.size > 0) {
      this.#giveUp(entries[0]!, error);
      return;
    }
    this.#entries.unshift(...entries);
    this.#most = Math.max(1, Math.ceil(entries.length / 2));
    const wait = Math.min(LONGEST_BACKOFF, 25 * 2 ** this.#failures);
    this.#faults.report(`Writing ${this.size} outcome(s) failed, next try in ${wait} ms`, error);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }

  /** Leaves an entry out, so that it is delivered once more: better twice than never. */
  #giveUp(entry: Entry, error: unknown): void {
    const id = 'outcome' in entry ? entry.outcome.messageId : entry.finished.id;
    this.follower.givenUp(entry);
    this.#failures = 0;
    const deliveryId = 'outcome' in entry ? { deliveryId: entry.outcome.id } : {};
    this.#faults.report(`An outcome of ${id} cannot be written`, error, {
      messageId: id,
      ...deliveryId,
    });
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
