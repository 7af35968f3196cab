import { Logger } from '@nestjs/common';
import { type Clock, reasonOf } from '../common/index.js';
import type { DispatchDesk } from './dispatch-desk.js';
import type { HandedOver } from './handed-over.js';
import type { MessageRelay, Ticket } from './message-relay.js';
import type { RelayedWork } from './relayed-work.js';
import type { Shard } from './shard.js';

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
  #isStopped = false;

  constructor(tools: HandOverTools) {
    this.#tools = tools;
  }

  /** Does not wait, and does not throw: what fails is found by its lease. */
  take(accepted: readonly HandedOver[]): void {
    const { relay, worker } = this.#tools;
    if (relay?.carries === true) void this.#carry(accepted, relay);
    else if (worker) for (const one of accepted) void this.#deliver(one);
  }

  /** From now on everything is left to other processes. */
  stop(): void {
    this.#isStopped = true;
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
      this.#logger.error(`Handing over ${message.id} failed: ${reasonOf(error)}`);
    }
  }

  /** What the relay may not have taken is given to the workers by way of the database: it may still turn up. */
  async #carry(accepted: readonly HandedOver[], relay: MessageRelay): Promise<void> {
    try {
      for (const { joined } of accepted) if (joined !== null) await joined;
      if (this.#tools.worker) this.#tools.relayed.remember(accepted);
      const refused = await relay.carry(
        accepted.map(({ message }) => message),
        accepted.map(({ message, shard, lease }): Ticket => {
          return { id: message.id, source: this.#tools.shards.indexOf(shard), lease };
        }),
      );
      if (refused.length === 0) return;
      const ids = new Set(refused.map(({ id }) => id));
      const left = accepted.filter(({ message }) => ids.has(message.id));
      this.#tools.relayed.forget(refused);
      await this.#giveUp(left);
      this.#tools.wake();
    } catch (error) {
      this.#logger.error(`Passing on ${accepted.length} message(s) failed: ${reasonOf(error)}`);
    }
  }

  async #giveUp(messages: readonly HandedOver[]): Promise<void> {
    const now = this.#tools.clock.now();
    for (const shard of this.#tools.shards) {
      const held = messages
        .filter((one) => one.shard === shard)
        .map(({ message, lease }) => ({ id: message.id, lease }));
      if (held.length > 0) await shard.messages.release(held, now);
    }
  }
}
