import { BoundedCache } from '../../common/bounded-cache.js';
import type { HandedOver } from '../store/staged-message.js';
import { RelayWorker, type Ticket } from './message-relay.js';
import type { Held } from '../tables/leases.js';
import { RelayDesk, type RelayDeskTools } from './ticket-receiver.js';
import { RelaySourceUnknownError } from './relay-source-unknown.error.js';
import type { Shard } from '../store/outbox-store.js';

const MOST_REMEMBERED = 5000;

/** What {@link RelayedWork} works with. */
export interface RelayedWorkTools extends RelayDeskTools {
  readonly shards: readonly Shard[];
}

/** Delivers what a relay brings: each ticket at its data source. What this process has stored itself is delivered at once. */
export class RelayedWork extends RelayWorker {
  readonly #tools: RelayedWorkTools;
  readonly #desks: readonly RelayDesk[];
  /** By id; what other processes are given is forgotten in time. */
  readonly #own = new BoundedCache<string, HandedOver>(MOST_REMEMBERED);

  constructor(tools: RelayedWorkTools) {
    super();
    this.#tools = tools;
    this.#desks = tools.shards.map((shard) => new RelayDesk(shard, tools));
  }

  /** Messages that this process has stored, and that may come back to it. */
  remember(messages: readonly HandedOver[]): void {
    for (const one of messages) this.#own.set(one.message.id, one);
  }

  /** Messages that others may have from now on. */
  forget(messages: readonly Pick<Ticket, 'id'>[]): void {
    for (const { id } of messages) this.#own.delete(id);
  }

  /** Messages that are through, or lost. */
  finished(shard: Shard, messages: readonly Held[]): void {
    this.#desks[this.#tools.shards.indexOf(shard)]!.finished(messages);
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

  #ownOf({ id, lease }: Ticket): HandedOver | null {
    const own = this.#own.get(id);
    if (own === undefined) return null;
    this.#own.delete(id);
    return own.lease === lease && own.leasedUntil > this.#tools.clock.now() ? own : null;
  }
}
