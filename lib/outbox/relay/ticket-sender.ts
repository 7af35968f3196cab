import { Batcher } from '../../common/batcher.js';
import { orTimeout } from '../../common/waiting.js';
import type { OutageLog } from './outage-log.js';
import type { Ticket } from './message-relay.js';

const TICKETS_PER_CALL = 1000;

/** Puts tickets into a queue. Rejects when it is not known whether the queue has them. */
export type SendTickets = (tickets: readonly Ticket[]) => Promise<unknown>;

/** Puts tickets into a queue: one call at a time, with all tickets that have gathered meanwhile. */
export class TicketSender {
  readonly #batcher: Batcher<readonly Ticket[], void>;
  #isClosed = false;

  /** @param timeout milliseconds that a call may take */
  constructor(
    private readonly send: SendTickets,
    private readonly timeout: number,
    private readonly outages: OutageLog,
  ) {
    this.#batcher = new Batcher((sets) => this.#send(sets.flat()), {
      idsOf: (tickets) => tickets.map(({ id }) => id),
      size: TICKETS_PER_CALL,
      // The next call would wait as long, and more tickets would gather meanwhile.
      failing: 'all',
    });
  }

  /** @returns false when it is not known whether the queue has them */
  async add(tickets: readonly Ticket[]): Promise<boolean> {
    if (this.#isClosed) return false;
    return this.#batcher.add(tickets).then(
      () => true,
      () => false,
    );
  }

  /** Refuses tickets from now on. Resolves when the queue has the earlier ones, or they are refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#batcher.idle();
  }

  async #send(tickets: readonly Ticket[]): Promise<void> {
    try {
      await orTimeout(this.timeout, this.send(tickets));
      this.outages.clear();
    } catch (error) {
      this.outages.report(error);
      throw error;
    }
  }
}
