import { randomUUID } from 'node:crypto';
import { BoundedCache } from '../common/bounded-cache.js';
import type { Clock } from '../common/index.js';
import type { DispatchDesk } from './dispatch-desk.js';
import type { HandedOver } from './handed-over.js';
import { RelayWorker, type Ticket } from './message-relay.js';
import type { Held } from './leases.js';
import type { Shard } from './shard.js';
import { takeOver } from './take-over.js';
import { tableNames } from './tables.js';

const LONGEST_WAIT = 1000;
const TAKE_AT_MOST = 500;
const MOST_HELD = 5000;
const MOST_REMEMBERED = 5000;

/** What {@link RelayedWork} works with. */
export interface RelayedWorkTools {
  readonly shards: readonly Shard[];
  readonly desk: DispatchDesk;
  readonly clock: Clock;
  /** Milliseconds. */
  readonly lease: number;
}

/**
 * Delivers what a relay brings. Leases are taken over in sets: one statement at a time, for all that have come
 * meanwhile. What this process has stored itself needs none.
 */
export class RelayedWork extends RelayWorker {
  readonly #tools: RelayedWorkTools;
  readonly #desks: readonly ShardDesk[];
  /** By id; what other processes are given is forgotten in time. */
  readonly #own = new BoundedCache<string, HandedOver>(MOST_REMEMBERED);

  constructor(tools: RelayedWorkTools) {
    super();
    this.#tools = tools;
    this.#desks = tools.shards.map((shard) => new ShardDesk(shard, tools));
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
        // The data sources of that process are not the same: the claim loop of another one finds it.
        if (desk === undefined) return;
        const own = this.#ownOf(ticket);
        if (own !== null && !isRepeated) return desk.deliver(own);
        return desk.deliverTaken(ticket);
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

/** The work on one data source. */
class ShardDesk {
  readonly #shard: Shard;
  readonly #tools: RelayedWorkTools;
  readonly #table: string;
  readonly #waiting = new Map<string, () => void>();
  readonly #forRoom: (() => void)[] = [];
  #asking: Asked[] = [];
  #isTaking = false;

  constructor(shard: Shard, tools: RelayedWorkTools) {
    this.#shard = shard;
    this.#tools = tools;
    this.#table = tableNames(shard.dataSource).messages;
  }

  finished(messages: readonly Held[]): void {
    for (const { id } of messages) this.#waiting.get(id)?.();
    while (this.#forRoom.length > 0 && this.#shard.heldMessages.size < MOST_HELD) {
      this.#forRoom.shift()!();
    }
  }

  async deliver({ message, lease, leasedUntil }: HandedOver): Promise<void> {
    await this.#room();
    const settled = this.#settled(message.id);
    await this.#tools.desk.fanOut(this.#shard, message, lease, leasedUntil);
    await settled;
  }

  async deliverTaken(ticket: Ticket): Promise<void> {
    await this.#room();
    const settled = this.#settled(ticket.id);
    const isTaken = await new Promise<boolean>((resolve, reject) => {
      this.#asking.push({ ticket, resolve, reject });
      void this.#take();
    });
    if (isTaken) await settled;
    else this.#waiting.get(ticket.id)?.();
  }

  /** Resolves when the message is through, and after a second anyway. */
  #settled(id: string): Promise<void> {
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

  /** Whoever brings more than this process can hold has to wait. */
  async #room(): Promise<void> {
    if (this.#shard.heldMessages.size < MOST_HELD) return;
    await new Promise<void>((resolve) => this.#forRoom.push(resolve));
  }

  async #take(): Promise<void> {
    if (this.#isTaking) return;
    this.#isTaking = true;
    while (this.#asking.length > 0) {
      const asked = this.#asking.splice(0, TAKE_AT_MOST);
      try {
        const taken = await this.#taken(asked.map(({ ticket }) => ticket));
        for (const { ticket, resolve } of asked) resolve(taken.has(ticket.id));
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    this.#isTaking = false;
  }

  async #taken(tickets: readonly Ticket[]): Promise<ReadonlySet<unknown>> {
    const { clock, desk, lease } = this.#tools;
    const [token, until] = [randomUUID(), clock.now() + lease];
    const { database } = this.#shard;
    const rows = await takeOver(database, this.#table, tickets, token, until);
    if (rows.length > 0) await desk.resume(this.#shard, rows, token, until);
    return new Set(rows.map(({ id }) => id));
  }
}

interface Asked {
  readonly ticket: Ticket;
  readonly resolve: (isTaken: boolean) => void;
  readonly reject: (error: unknown) => void;
}
