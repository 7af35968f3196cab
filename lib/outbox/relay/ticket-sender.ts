import { setImmediate } from 'node:timers/promises';
import { orTimeout } from '../../common/timeout.js';
import type { OutageLog } from './outage-log.js';
import type { Ticket } from './message-relay.js';

const TICKETS_PER_CALL = 1000;

/** Puts tickets into a queue. Rejects when it is not known whether they are in it. */
export type SendTickets = (tickets: readonly Ticket[]) => Promise<unknown>;

interface Waiting {
  readonly tickets: readonly Ticket[];
  readonly resolve: (isTaken: boolean) => void;
}

/** Puts messages into a queue: one call at a time, which takes all that have gathered meanwhile. */
export class TicketSender {
  #waiting: Waiting[] = [];
  #sending: Promise<void> | null = null;
  #isClosed = false;

  /** @param timeout milliseconds that one call may take */
  constructor(
    private readonly send: SendTickets,
    private readonly timeout: number,
    private readonly absence: OutageLog,
  ) {}

  /** @returns false when it is not known whether they are in the queue */
  add(tickets: readonly Ticket[]): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push({ tickets, resolve });
      this.#sending ??= this.#sendAll();
    });
  }

  /** Takes nothing any more; resolves when the rest is in the queue, or refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    // What is released in the same turn goes along.
    await setImmediate();
    while (this.#waiting.length > 0) {
      const batch = this.#next();
      let isTaken = true;
      try {
        await orTimeout(this.timeout, this.send(batch.flatMap((one) => one.tickets)));
        this.absence.clear();
      } catch (error) {
        isTaken = false;
        this.absence.report(error);
        // The next call would wait as long, and more would gather meanwhile.
        batch.push(...this.#waiting.splice(0));
      }
      for (const { resolve } of batch) resolve(isTaken);
    }
    this.#sending = null;
  }

  #next(): Waiting[] {
    let [count, tickets] = [0, 0];
    while (count < this.#waiting.length && tickets < TICKETS_PER_CALL) {
      tickets += this.#waiting[count++]!.tickets.length;
    }
    return this.#waiting.splice(0, count);
  }
}
