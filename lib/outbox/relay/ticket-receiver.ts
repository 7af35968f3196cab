import { randomUUID } from 'node:crypto';
import { Batcher } from '../../common/batcher.js';
import type { Clock } from '../../common/index.js';
import { fanOut, type FanOutParts, resumeMessages } from '../fan-out/fan-out.js';
import { MOST_HELD_TO_CLAIM, type OutboxStore, type StagedMessage } from '../store/outbox-store.js';
import type { Lease } from '../tables/leases.js';
import type { Ticket } from './message-relay.js';

const LONGEST_WAIT = 1000;
const TICKETS_PER_STATEMENT = 500;

/** Dependencies of {@link TicketReceiver}. */
export interface TicketReceiverDependencies {
  readonly fanOut: FanOutParts;
  readonly clock: Clock;
  /** Milliseconds. */
  readonly lease: number;
}

/**
 * Delivers the messages of the tickets that a relay brings for one data source. Leases are taken over in sets: one
 * statement at a time, for all tickets that have arrived meanwhile.
 */
export class TicketReceiver {
  readonly #waiting = new Map<string, () => void>();
  readonly #forRoom: (() => void)[] = [];
  readonly #takeovers = new Batcher<Ticket, ReadonlySet<unknown>>((set) => this.#takeOver(set), {
    idsOf: ({ id }) => [id],
    size: TICKETS_PER_STATEMENT,
  });

  constructor(
    private readonly store: OutboxStore,
    private readonly dependencies: TicketReceiverDependencies,
  ) {}

  /** Acknowledges the tickets of messages whose first attempts are recorded, and makes room for others. */
  acknowledge(finished: readonly Lease[]): void {
    for (const { id } of finished) this.#waiting.get(id)?.();
    while (this.#forRoom.length > 0 && this.store.heldMessages.size < MOST_HELD_TO_CLAIM) {
      this.#forRoom.shift()!();
    }
  }

  /** Delivers a message whose lease this process has already. */
  async deliver({ message, token, leasedUntil }: StagedMessage): Promise<void> {
    await this.#room();
    const finished = this.#finished(message.id);
    await fanOut(this.dependencies.fanOut, this.store, message, token, leasedUntil);
    await finished;
  }

  /** Takes a message over and delivers it. Does nothing when another worker has it. */
  async takeOver(ticket: Ticket): Promise<void> {
    await this.#room();
    const finished = this.#finished(ticket.id);
    let isTaken = false;
    try {
      isTaken = (await this.#takeovers.add(ticket)).has(ticket.id);
    } finally {
      if (!isTaken) this.#waiting.get(ticket.id)?.();
    }
    await finished;
  }

  /** Resolves when the message is finished, and after one second in any case. */
  #finished(id: string): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        if (this.#waiting.get(id) === done) this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(done, LONGEST_WAIT);
      this.#waiting.set(id, done);
    });
  }

  /** Waits while this process holds as many messages as it can. */
  async #room(): Promise<void> {
    if (this.store.heldMessages.size < MOST_HELD_TO_CLAIM) return;
    await new Promise<void>((resolve) => this.#forRoom.push(resolve));
  }

  /** @returns the ids of the messages that were taken over */
  async #takeOver(tickets: readonly Ticket[]): Promise<ReadonlySet<unknown>> {
    const { fanOut: parts, clock, lease } = this.dependencies;
    const newLease = { token: randomUUID(), leasedUntil: clock.now() + lease };
    const held = tickets.map((ticket) => ({ id: ticket.id, token: ticket.lease }));
    const rows = await this.store.messages.takeOver(held, newLease);
    if (rows.length > 0) await resumeMessages(parts, this.store, rows, newLease);
    return new Set(rows.map(({ id }) => id));
  }
}
