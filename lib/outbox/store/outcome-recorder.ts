import { Logger } from '@nestjs/common';
import { LogLine, errorText } from '../../common/index.js';
import type { OutboxDatabase } from '../database/outbox-database.js';
import type { OutcomeStatements } from '../tables/outcome-statements.js';
import type { Outcome } from '../model/outcome.js';
import type { Finished } from '../tables/leases.js';

const GATHER_FOR = 40;
const WRITE_AT_MOST = 500;
const LONGEST_BACKOFF = 5000;
const TRIES_ALONE = 5;

/** Told of what has been written. */
export type OutcomesWritten = (outcomes: readonly Outcome[], finished: readonly Finished[]) => void;

type Entry = { readonly outcome: Outcome } | { readonly finished: Finished };

/**
 * Writes outcomes in sets: one flush at a time, which takes whatever has gathered since the last. What cannot be written
 * is tried again until it can be: an outcome that is lost means a webhook that is sent twice.
 */
export class OutcomeRecorder {
  readonly #logger = new Logger('Thorn');
  readonly #gatherAtMost: number;
  #entries: Entry[] = [];
  #flushing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #atOnce = false;
  #isClosed = false;
  #failures = 0;
  #writing = 0;
  #most = WRITE_AT_MOST;

  /** @param most how much is gathered at most before it is written */
  constructor(
    private readonly database: OutboxDatabase,
    private readonly settlement: OutcomeStatements,
    most: number,
    private readonly written: OutcomesWritten,
  ) {
    this.#gatherAtMost = Math.min(most, WRITE_AT_MOST);
  }

  /** What is not written yet. */
  get size(): number {
    return this.#entries.length + this.#writing;
  }

  add(outcome: Outcome): void {
    this.#entries.push({ outcome });
    this.#schedule();
  }

  /** Every delivery of the message has a row, as soon as what was added before is written. */
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

  /** What is not written now never will be. */
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
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.#begin();
    }, GATHER_FOR);
  }

  #begin(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = null;
      if (this.#entries.length > 0) this.#schedule();
    });
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    // In their order: a message must not be finished before its last delivery is written.
    const entries = this.#entries.splice(0, this.#most);
    this.#writing = entries.length;
    const outcomes = entries.flatMap((entry) => ('outcome' in entry ? [entry.outcome] : []));
    const finished = entries.flatMap((entry) => ('finished' in entry ? [entry.finished] : []));
    try {
      await this.database.execute(this.settlement.statements(outcomes, finished));
    } catch (error) {
      this.#writing = 0;
      return this.#failed(entries, error);
    }
    this.#writing = 0;
    this.#failures = 0;
    this.#most = Math.min(WRITE_AT_MOST, this.#most * 2);
    this.written(outcomes, finished);
  }

  /** Fewer at once: should one of them be the cause, the others get past it. */
  async #failed(entries: readonly Entry[], error: unknown): Promise<void> {
    this.#failures++;
    const isAlone = entries.length === 1;
    if (isAlone && this.#failures > TRIES_ALONE + Math.log2(WRITE_AT_MOST) && this.size > 0) {
      this.#giveUp(entries[0]!, error);
      return;
    }
    this.#entries.unshift(...entries);
    this.#most = Math.max(1, Math.ceil(entries.length / 2));
    const wait = Math.min(LONGEST_BACKOFF, 25 * 2 ** this.#failures);
    this.#logger.error(
      `Writing ${this.size} outcome(s) failed, next try in ${wait} ms: ${errorText(error)}`,
    );
    if (!this.#isClosed) await new Promise((resolve) => setTimeout(resolve, wait));
  }

  /** Its lease runs out and it is delivered once more: better twice than never, and the others must be written. */
  #giveUp(entry: Entry, error: unknown): void {
    const id = 'outcome' in entry ? entry.outcome.messageId : entry.finished.id;
    this.#entries = this.#entries.filter(
      (other) => !('finished' in other && other.finished.id === id),
    );
    this.#failures = 0;
    const text = `An outcome of ${id} cannot be written: ${errorText(error)}`;
    const deliveryId = 'outcome' in entry ? { deliveryId: entry.outcome.id } : {};
    this.#logger.error(new LogLine(text, { messageId: id, ...deliveryId }));
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
