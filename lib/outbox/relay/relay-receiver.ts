import { randomUUID } from 'node:crypto';
import { Batcher } from '../../common/batcher.js';
import { BoundedCache } from '../../common/collections.js';
import type { Clock } from '../../common/index.js';
import { fanOut, type FanOutParts, resumeMessages } from '../fan-out/fan-out.js';
import { MOST_HELD_TO_CLAIM, type OutboxStore, type StagedMessage } from '../store/outbox-store.js';
import type { Lease } from '../tables/leases.js';
import { RelayWorker, type Ticket } from './message-relay.js';

const LONGEST_WAIT = 1000;
const TICKETS_PER_STATEMENT = 500;
const MOST_REMEMBERED = 5000;

/** Dependencies of {@link RelayReceiver}. */
export interface RelayReceiverDependencies {
  readonly fanOut: FanOutParts;
  readonly clock: Clock;
  /** Milliseconds. */
  readonly lease: number;
}

/**
 * Delivers the messages that a relay brings tickets of. Messages of this process need no statement. Leases of others are
 * taken over in sets: one statement at a time, for all tickets that have arrived meanwhile.
 */
export class RelayReceiver extends RelayWorker {
  readonly #waiting = new Map<string, () => void>();
  readonly #forRoom: (() => void)[] = [];
  readonly #takeovers = new Batcher<Ticket, ReadonlySet<unknown>>((set) => this.#takeOverAll(set), {
    idsOf: ({ id }) => [id],
    size: TICKETS_PER_STATEMENT,
  });
  /** Messages that this process has stored, by id. The oldest are forgotten: other processes are given most of them. */
  readonly #own = new BoundedCache<string, StagedMessage>(MOST_REMEMBERED);

  constructor(
    private readonly store: OutboxStore,
    private readonly dependencies: RelayReceiverDependencies,
  ) {
    super();
  }

  /** Acknowledges the tickets of messages whose first attempts are recorded, and makes room for others. */
  acknowledge(finished: readonly Lease[]): void {
    for (const { id } of finished) this.#waiting.get(id)?.();
    while (this.#forRoom.length > 0 && this.store.heldMessages.size < MOST_HELD_TO_CLAIM) {
      this.#forRoom.shift()!();
    }
  }

  /** Remembers messages that this process has stored, since the relay may bring them back to it. */
  remember(messages: readonly StagedMessage[]): void {
    for (const one of messages) this.#own.set(one.message.id, one);
  }

  /** Messages of this process whose tickets the relay has not brought back: another process may have them, or the queue. */
  get carried(): readonly StagedMessage[] {
    return this.#own.values();
  }

  /** Forgets messages that other processes may take from now on. */
  forget(messages: readonly Pick<Ticket, 'id'>[]): void {
    for (const { id } of messages) this.#own.delete(id);
  }

  override async work(tickets: readonly Ticket[], isRepeated: boolean): Promise<void> {
    await Promise.all(
      tickets.map((ticket) => {
        const own = this.#ownOf(ticket);
        return own !== null && !isRepeated ? this.#deliver(own) : this.#takeOver(ticket);
      }),
    );
  }

  #ownOf({ id, lease }: Ticket): StagedMessage | null {
    const own = this.#own.get(id);
    if (own === undefined) return null;
    this.#own.delete(id);
    return own.token === lease && own.leasedUntil > this.dependencies.clock.now() ? own : null;
  }

  /** Delivers a message whose lease this process has already. */
  async #deliver({ message, token, leasedUntil }: StagedMessage): Promise<void> {
    await this.#room();
    const finished = this.#finished(message.id);
    await fanOut(this.dependencies.fanOut, this.store, message, token, leasedUntil);
    await finished;
  }

  /** Takes a message over and delivers it. Does nothing when another worker has it. */
  async #takeOver(ticket: Ticket): Promise<void> {
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
  async #takeOverAll(tickets: readonly Ticket[]): Promise<ReadonlySet<unknown>> {
    const { fanOut: parts, clock, lease } = this.dependencies;
    const newLease = { token: randomUUID(), leasedUntil: clock.now() + lease };
    const held = tickets.map((ticket) => ({ id: ticket.id, token: ticket.lease }));
    const rows = await this.store.messages.takeOver(held, newLease);
    if (rows.length > 0) await resumeMessages(parts, this.store, rows, newLease);
    return new Set(rows.map(({ id }) => id));
  }
}
