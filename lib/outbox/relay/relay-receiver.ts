import { BoundedCache } from '../../common/bounded-cache.js';
import type { StagedMessage } from '../store/staged-message.js';
import { RelayWorker, type Ticket } from './message-relay.js';
import type { Lease } from '../tables/leases.js';
import { TicketReceiver, type RelayDeskTools } from './ticket-receiver.js';
import { RelaySourceUnknownError } from './relay-source-unknown.error.js';
import type { OutboxStore } from '../store/outbox-store.js';

const MOST_REMEMBERED = 5000;

/** What {@link RelayReceiver} works with. */
export interface RelayedWorkTools extends RelayDeskTools {
  readonly stores: readonly OutboxStore[];
}

/** Delivers what a relay brings: each ticket at its data source. What this process has stored itself is delivered at once. */
export class RelayReceiver extends RelayWorker {
  readonly #desks: readonly TicketReceiver[];
  /** By id; what other processes are given is forgotten in time. */
  readonly #own = new BoundedCache<string, StagedMessage>(MOST_REMEMBERED);

  constructor(private readonly tools: RelayedWorkTools) {
    super();
    this.#desks = tools.stores.map((store) => new TicketReceiver(store, tools));
  }

  /** Messages that this process has stored, and that may come back to it. */
  remember(messages: readonly StagedMessage[]): void {
    for (const one of messages) this.#own.set(one.message.id, one);
  }

  /** Messages that others may have from now on. */
  forget(messages: readonly Pick<Ticket, 'id'>[]): void {
    for (const { id } of messages) this.#own.delete(id);
  }

  /** Messages that are through, or lost. */
  finished(store: OutboxStore, messages: readonly Lease[]): void {
    this.#desks[this.tools.stores.indexOf(store)]!.finished(messages);
  }

  override async work(tickets: readonly Ticket[], isRepeated: boolean): Promise<void> {
    await Promise.all(
      tickets.map(async (ticket) => {
        const desk = this.#desks[ticket.source];
        if (desk === undefined) {
          // The data sources of that process are not the same: the claim loop of another one finds it.
          if (ticket.isStored !== false) return;
          throw new RelaySourceUnknownError(ticket.id, ticket.source);
        }
        const own = this.#ownOf(ticket);
        if (own !== null && !isRepeated) return desk.deliver(own);
        return desk.deliverTaken(ticket, isRepeated);
      }),
    );
  }

  #ownOf({ id, lease }: Ticket): StagedMessage | null {
    const own = this.#own.get(id);
    if (own === undefined) return null;
    this.#own.delete(id);
    return own.lease === lease && own.leasedUntil > this.tools.clock.now() ? own : null;
  }
}
