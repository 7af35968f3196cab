import { setImmediate } from 'node:timers/promises';
import { type Clock, FaultLog } from '../../common/index.js';
import type { WakeSignal } from '../../common/waiting.js';
import { fanOut, type FanOutParts } from '../fan-out/fan-out.js';
import {
  MOST_HELD_TO_HAND_OVER,
  type OutboxStore,
  type StagedMessage,
} from '../store/outbox-store.js';
import { listIds } from '../../common/log.js';
import type { MessageRelay, Ticket } from './message-relay.js';
import type { RelayReceiver } from './relay-receiver.js';

const MESSAGES_PER_SET = 500;
const NOTHING = Promise.resolve();

/** Dependencies of a {@link HandOver}. */
export interface HandOverDependencies {
  readonly store: OutboxStore;
  readonly fanOut: FanOutParts;
  readonly receiver: RelayReceiver;
  readonly relay: MessageRelay | undefined;
  readonly clock: Clock;
  /** True when this process delivers. */
  readonly worker: boolean;
  /** Makes the claim loops look at once. */
  readonly claims: WakeSignal;
}

/** Passes committed messages on to delivery: in the memory of this process, or to other processes by the relay. */
export class HandOver {
  readonly #faults = new FaultLog();
  readonly #handingOver = new Set<Promise<void>>();
  #isStopped = false;

  constructor(private readonly dependencies: HandOverDependencies) {}

  /**
   * Passes messages on in sets, and lets the event loop run between two of them. Never rejects: workers find a message
   * whose hand-over fails once its lease has expired.
   */
  handOver(accepted: readonly StagedMessage[]): Promise<void> {
    const { relay, worker } = this.dependencies;
    if (relay?.carries !== true && !worker) return NOTHING;
    const inSets = async () => {
      for (let at = 0; at < accepted.length; at += MESSAGES_PER_SET) {
        if (at > 0) await setImmediate();
        const set = accepted.slice(at, at + MESSAGES_PER_SET);
        await (relay?.carries === true ? this.#carry(set, relay) : this.#schedule(set));
      }
    };
    const handingOver = inSets().finally(() => this.#handingOver.delete(handingOver));
    this.#handingOver.add(handingOver);
    return handingOver;
  }

  async #schedule(set: readonly StagedMessage[]): Promise<void> {
    const { store, fanOut: parts } = this.dependencies;
    const withoutRoom: StagedMessage[] = [];
    await Promise.all(
      set.map(async (one) => {
        const { message, token, leasedUntil, joined } = one;
        try {
          if (joined !== null) await joined;
          if (this.#isStopped || store.heldMessages.size >= MOST_HELD_TO_HAND_OVER)
            withoutRoom.push(one);
          else await fanOut(parts, store, message, token, leasedUntil);
        } catch (error) {
          const facts = { messageId: message.id, event: message.event };
          this.#faults.report(`Handing over ${message.id} failed`, error, facts);
        }
      }),
    );
    // A claim loop finds them once there is room.
    await this.#release(withoutRoom);
  }

  /** Leaves all messages to other processes from now on. */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Releases the leases of messages that only the relay has: this process may have been the last one that the relay
   * brings tickets to. Messages that another process has taken over keep theirs.
   */
  async giveUp(): Promise<void> {
    const { receiver } = this.dependencies;
    const { carried } = receiver;
    receiver.forget(carried.map(({ message }) => message));
    await this.#releaseLeases(carried);
  }

  /** Resolves when no message is being passed on. */
  async idle(): Promise<void> {
    while (this.#handingOver.size > 0) await Promise.all(this.#handingOver);
  }

  /** Releases the leases of messages that the relay has not accepted, so that the claim loops find them. */
  async #carry(accepted: readonly StagedMessage[], relay: MessageRelay): Promise<void> {
    const refused = await this.#refusedBy(relay, accepted);
    if (refused.length === 0) return;
    this.dependencies.receiver.forget(refused.map(({ message }) => message));
    await this.#release(refused);
    this.dependencies.claims.wake();
  }

  async #refusedBy(
    relay: MessageRelay,
    accepted: readonly StagedMessage[],
  ): Promise<readonly StagedMessage[]> {
    try {
      for (const { joined } of accepted) if (joined !== null) await joined;
      if (this.dependencies.worker) this.dependencies.receiver.remember(accepted);
      const refused = await relay.carry(
        accepted.map(({ message }) => message),
        accepted.map((one) => this.#ticketFor(one)),
      );
      const ids = new Set(refused.map(({ id }) => id));
      return accepted.filter(({ message }) => ids.has(message.id));
    } catch (error) {
      this.#faults.report(`Passing on ${accepted.length} message(s) failed`, error);
      return accepted;
    }
  }

  #ticketFor({ message: { id }, token }: StagedMessage): Ticket {
    return { id, lease: token };
  }

  /** Lets any worker claim messages, unless the database does not answer: their leases expire by themselves. */
  async #release(all: readonly StagedMessage[]): Promise<void> {
    try {
      await this.#releaseLeases(all);
    } catch (error) {
      // The process leaves without them.
      if (this.#isStopped) return;
      const ids = listIds(all.map(({ message }) => message.id));
      this.#faults.report(`Releasing ${ids} failed, their leases expire by themselves`, error);
    }
  }

  async #releaseLeases(all: readonly StagedMessage[]): Promise<void> {
    const now = this.dependencies.clock.now();
    const held = all.map(({ message, token }) => ({ id: message.id, token }));
    if (held.length > 0) await this.dependencies.store.messages.leases.release(held, now);
  }
}
