import { BoundedCache } from '../../common/collections.js';
import type { Lease } from '../tables/leases.js';
import type { OutboxStore, StagedMessage } from '../store/outbox-store.js';
import { RelayWorker, type Ticket } from './message-relay.js';
import { TicketReceiver, type TicketReceiverDependencies } from './ticket-receiver.js';

const MOST_REMEMBERED = 5000;

/** Dependencies of {@link RelayReceiver}. */
export interface RelayReceiverDependencies extends TicketReceiverDependencies {
  readonly stores: readonly OutboxStore[];
}

/** Delivers the messages that a relay brings tickets of, each from its data source. Messages of this process need no statement. */
export class RelayReceiver extends RelayWorker {
  readonly #receivers: readonly TicketReceiver[];
  /** Messages that this process has stored, by id. The oldest are forgotten: other processes are given most of them. */
  readonly #own = new BoundedCache<string, StagedMessage>(MOST_REMEMBERED);

  constructor(private readonly dependencies: RelayReceiverDependencies) {
    super();
    this.#receivers = dependencies.stores.map((store) => new TicketReceiver(store, dependencies));
  }

  /** Acknowledges the tickets of messages of a store that are finished. */
  acknowledge(store: OutboxStore, finished: readonly Lease[]): void {
    this.#receivers[this.dependencies.stores.indexOf(store)]!.acknowledge(finished);
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
      tickets.map(async (ticket) => {
        const receiver = this.#receivers[ticket.source];
        // The process that sent the ticket has other data sources than this one: a worker that has them finds the message.
        if (receiver === undefined) return;
        const own = this.#ownOf(ticket);
        if (own !== null && !isRepeated) return receiver.deliver(own);
        return receiver.takeOver(ticket);
      }),
    );
  }

  #ownOf({ id, lease }: Ticket): StagedMessage | null {
    const own = this.#own.get(id);
    if (own === undefined) return null;
    this.#own.delete(id);
    return own.token === lease && own.leasedUntil > this.dependencies.clock.now() ? own : null;
  }
}
