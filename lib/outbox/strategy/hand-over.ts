import { Logger } from '@nestjs/common';
import { type Clock, LogLine, reasonOf } from '../../common/index.js';
import type { DispatchDesk } from '../worker/message-scheduler.js';
import type { HandedOver } from '../store/staged-message.js';
import { listed } from '../../common/log-line.js';
import type { MessageRelay, Ticket } from '../relay/message-relay.js';
import type { RelayedWork } from '../relay/relay-receiver.js';
import type { Shard } from '../store/outbox-store.js';

const MOST_HELD = 10_000;

/** What a hand-over works with. */
export interface HandOverTools {
  readonly shards: readonly Shard[];
  readonly desk: DispatchDesk;
  readonly relayed: RelayedWork;
  readonly relay: MessageRelay | undefined;
  readonly clock: Clock;
  /** Whether this process delivers. */
  readonly worker: boolean;
  /** Looks for due deliveries at once. */
  readonly wake: () => void;
}

/** Gives messages that were committed to whoever delivers them: this process, in memory, or others by the relay. */
export class HandOver {
  readonly #logger = new Logger('Thorn');
  readonly #tools: HandOverTools;
  readonly #carrying = new Set<Promise<void>>();
  #isStopped = false;

  constructor(tools: HandOverTools) {
    this.#tools = tools;
  }

  /** Does not wait, and does not throw: what fails is found by its lease, and what is not stored yet is stored then. */
  take(accepted: readonly HandedOver[]): void {
    const { relay, worker } = this.#tools;
    if (relay?.carries === true) {
      const carrying = this.#carry(accepted, relay).finally(() => this.#carrying.delete(carrying));
      this.#carrying.add(carrying);
    } else if (worker) for (const one of accepted) void this.#deliver(one);
  }

  /** From now on everything is left to other processes. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Resolves when the relay has everything, or the database. */
  async idle(): Promise<void> {
    while (this.#carrying.size > 0) await Promise.all(this.#carrying);
  }

  async #deliver({ message, shard, lease, leasedUntil, joined }: HandedOver): Promise<void> {
    try {
      if (joined !== null) await joined;
      // Then the lease is given up at once, and the claim loop takes it as soon as there is room.
      if (this.#isStopped || shard.heldMessages.size >= MOST_HELD) {
        return await shard.messages.release([{ id: message.id, lease }], this.#tools.clock.now());
      }
      await this.#tools.desk.fanOut(shard, message, lease, leasedUntil);
    } catch (error) {
      const text = `Handing over ${message.id} failed: ${reasonOf(error)}`;
      this.#logger.error(new LogLine(text, { messageId: message.id, event: message.event }));
    }
  }

  /** What the relay may not have taken is given to the workers by way of the database: it may still turn up. */
  async #carry(accepted: readonly HandedOver[], relay: MessageRelay): Promise<void> {
    const refused = await this.#refusedBy(relay, accepted);
    if (refused.length === 0) return;
    this.#tools.relayed.forget(refused.map(({ message }) => message));
    await Promise.all(this.#tools.shards.map((shard) => this.#leave(shard, refused)));
    this.#tools.wake();
  }

  async #refusedBy(
    relay: MessageRelay,
    accepted: readonly HandedOver[],
  ): Promise<readonly HandedOver[]> {
    try {
      for (const { joined } of accepted) if (joined !== null) await joined;
      if (this.#tools.worker) {
        this.#tools.relayed.remember(accepted.filter(({ isStored }) => isStored));
      }
      const refused = await relay.carry(
        accepted.map(({ message }) => message),
        accepted.map((one) => this.#ticketFor(one)),
      );
      const ids = new Set(refused.map(({ id }) => id));
      return accepted.filter(({ message }) => ids.has(message.id));
    } catch (error) {
      this.#logger.error(`Passing on ${accepted.length} message(s) failed: ${reasonOf(error)}`);
      return accepted;
    }
  }

  #ticketFor({ message: { id }, shard, lease, isStored }: HandedOver): Ticket {
    const source = this.#tools.shards.indexOf(shard);
    return { id, source, lease, ...(isStored ? {} : { isStored }) };
  }

  /** Lets any worker take the messages of one data source, from the database. */
  async #leave(shard: Shard, all: readonly HandedOver[]): Promise<void> {
    const messages = all.filter((one) => one.shard === shard);
    const unstored = messages.filter(({ isStored }) => !isStored);
    const stored = messages.filter(({ isStored }) => isStored);
    const now = this.#tools.clock.now();
    const ids = (some: readonly HandedOver[]) => listed(some.map(({ message }) => message.id));
    try {
      if (unstored.length > 0) {
        await shard.messages.insert(
          unstored.map(({ message }) => message),
          unstored[0]!.lease,
          now,
        );
      }
    } catch (error) {
      this.#logger.error(
        `Lost: ${ids(unstored)}. Neither the queue nor the database has taken them: ${reasonOf(error)}`,
      );
    }
    try {
      const held = stored.map(({ message, lease }) => ({ id: message.id, lease }));
      if (held.length > 0) await shard.messages.release(held, now);
    } catch (error) {
      this.#logger.error(
        `Giving up ${ids(stored)} failed, their leases run out by themselves: ${reasonOf(error)}`,
      );
    }
  }
}
