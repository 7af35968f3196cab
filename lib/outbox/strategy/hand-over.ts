import { Logger } from '@nestjs/common';
import { type Clock, LogLine, errorText } from '../../common/index.js';
import type { WakeSignal } from '../concurrency/wake-signal.js';
import type { MessageScheduler } from '../worker/message-scheduler.js';
import type { StagedMessage } from '../store/staged-message.js';
import { listIds } from '../../common/log-line.js';
import type { MessageRelay, Ticket } from '../relay/message-relay.js';
import type { RelayReceiver } from '../relay/relay-receiver.js';
import type { OutboxStore } from '../store/outbox-store.js';

const MOST_HELD = 10_000;

/** What a hand-over works with. */
export interface HandOverTools {
  readonly stores: readonly OutboxStore[];
  readonly desk: MessageScheduler;
  readonly relayed: RelayReceiver;
  readonly relay: MessageRelay | undefined;
  readonly clock: Clock;
  /** Whether this process delivers. */
  readonly worker: boolean;
  /** Makes the claim loops look at once. */
  readonly claims: WakeSignal;
}

/** Gives messages that were committed to whoever delivers them: this process, in memory, or others by the relay. */
export class HandOver {
  readonly #logger = new Logger('Thorn');
  readonly #carrying = new Set<Promise<void>>();
  #isStopped = false;

  constructor(private readonly tools: HandOverTools) {}

  /** Does not wait, and does not throw: workers find what fails once its lease has expired. */
  handOver(accepted: readonly StagedMessage[]): void {
    const { relay, worker } = this.tools;
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

  async #deliver({ message, store, lease, leasedUntil, joined }: StagedMessage): Promise<void> {
    try {
      if (joined !== null) await joined;
      // Then the lease is given up at once, and the claim loop takes it as soon as there is room.
      if (this.#isStopped || store.heldMessages.size >= MOST_HELD) {
        return await store.messages.release(
          [{ id: message.id, token: lease }],
          this.tools.clock.now(),
        );
      }
      await this.tools.desk.schedule(store, message, lease, leasedUntil);
    } catch (error) {
      const text = `Handing over ${message.id} failed: ${errorText(error)}`;
      this.#logger.error(new LogLine(text, { messageId: message.id, event: message.event }));
    }
  }

  /** What the relay may not have taken is given to the workers by way of the database: it may still turn up. */
  async #carry(accepted: readonly StagedMessage[], relay: MessageRelay): Promise<void> {
    const refused = await this.#refusedBy(relay, accepted);
    if (refused.length === 0) return;
    this.tools.relayed.forget(refused.map(({ message }) => message));
    await Promise.all(this.tools.stores.map((store) => this.#leave(store, refused)));
    this.tools.claims.wake();
  }

  async #refusedBy(
    relay: MessageRelay,
    accepted: readonly StagedMessage[],
  ): Promise<readonly StagedMessage[]> {
    try {
      for (const { joined } of accepted) if (joined !== null) await joined;
      if (this.tools.worker) this.tools.relayed.remember(accepted);
      const refused = await relay.carry(
        accepted.map(({ message }) => message),
        accepted.map((one) => this.#ticketFor(one)),
      );
      const ids = new Set(refused.map(({ id }) => id));
      return accepted.filter(({ message }) => ids.has(message.id));
    } catch (error) {
      this.#logger.error(`Passing on ${accepted.length} message(s) failed: ${errorText(error)}`);
      return accepted;
    }
  }

  #ticketFor({ message: { id }, store, lease }: StagedMessage): Ticket {
    return { id, source: this.tools.stores.indexOf(store), lease };
  }

  /** Lets any worker take the messages of one data source, from the database. */
  async #leave(store: OutboxStore, all: readonly StagedMessage[]): Promise<void> {
    const held = all
      .filter((one) => one.store === store)
      .map(({ message, lease }) => ({ id: message.id, token: lease }));
    if (held.length === 0) return;
    try {
      await store.messages.release(held, this.tools.clock.now());
    } catch (error) {
      const ids = listIds(held.map(({ id }) => id));
      this.#logger.error(
        `Giving up ${ids} failed, their leases run out by themselves: ${errorText(error)}`,
      );
    }
  }
}
