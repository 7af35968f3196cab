import { setImmediate } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Ticket } from '../outbox/index.js';
import type { Absence } from './absence.js';
import { answeredWithin } from './answered-within.js';
import { jobsFor } from './job-data.js';

const MESSAGES_PER_CALL = 1000;

interface Waiting {
  readonly tickets: readonly Ticket[];
  readonly resolve: (isTaken: boolean) => void;
}

/** Puts messages into the queue: one call at a time, which takes all that have gathered meanwhile. They share jobs. */
export class Enqueuer {
  #waiting: Waiting[] = [];
  #sending: Promise<void> | null = null;
  #isClosed = false;

  /** @param timeout milliseconds that one call may take */
  constructor(
    private readonly queue: Pick<Queue, 'addBulk'>,
    private readonly timeout: number,
    private readonly absence: Absence,
  ) {}

  /** @returns false when it is not known whether they are in the queue */
  add(tickets: readonly Ticket[]): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push({ tickets, resolve });
      this.#sending ??= this.#send();
    });
  }

  /** Takes nothing any more; resolves when the rest is in the queue, or refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#sending;
  }

  async #send(): Promise<void> {
    // What is released in the same turn goes along.
    await setImmediate();
    while (this.#waiting.length > 0) {
      const batch = this.#next();
      let isTaken = true;
      try {
        const tickets = batch.flatMap((one) => one.tickets);
        await answeredWithin(this.timeout, this.queue.addBulk(jobsFor(tickets)));
        this.absence.over();
      } catch (error) {
        isTaken = false;
        this.absence.noticed(error);
      }
      for (const { resolve } of batch) resolve(isTaken);
    }
    this.#sending = null;
  }

  #next(): readonly Waiting[] {
    let [count, messages] = [0, 0];
    while (count < this.#waiting.length && (count === 0 || messages < MESSAGES_PER_CALL)) {
      messages += this.#waiting[count++]!.tickets.length;
    }
    return this.#waiting.splice(0, count);
  }
}
