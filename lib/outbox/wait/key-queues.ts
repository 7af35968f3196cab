import { randomUUID } from 'node:crypto';
import { Batcher } from '../../common/batcher.js';
import { type Clock, FaultLog } from '../../common/index.js';
import type { FanOut } from '../../dispatch/index.js';
import type { Message, Recipient } from '../../message/index.js';
import type { WakeSignal } from '../../common/waiting.js';
import { NOT_DUE } from '../delivery-states.js';
import type { Outcome } from '../outcome.js';
import { enterQueues } from '../fan-out/enter-queues.js';
import type { EnteringRow, KeyQueue, ClaimedDelivery } from '../tables/deliveries.js';
import type { EnteringMessage } from '../tables/pending-messages.js';
import { endHolds } from './end-holds.js';
import { giveTurns } from './give-turns.js';
import { type QueuePage, queuePage, queuesOfKeys } from './key-queue-pages.js';
import type { HeldLease, HeldMessage } from '../store/held-leases.js';
import type { OutboxStore } from '../store/outbox-store.js';
import type { HostCache } from '../../message/recipient.js';
import { givenId, hashOf, keyOf } from '../tables/keys.js';
import type { Finished, NewLease } from '../tables/leases.js';
import type { RetryScheduler } from './retry-scheduler.js';

/** A message whose deliveries to ordered subscribers are to be written. */
export interface Entering {
  readonly message: Message;
  readonly keyHash: string;
  readonly heldMessage: HeldMessage;
  readonly deliveries: readonly { readonly id: string; readonly recipient: Recipient }[];
}

/** A delivery that may begin, and its subscriber as it is since the delivery has its turn. */
export interface Beginning {
  readonly recipient: Recipient;
  readonly lease: HeldLease;
}

/** Dependencies of {@link KeyQueues}. */
export interface KeyQueuesDependencies {
  readonly fanOut: FanOut;
  readonly retries: RetryScheduler;
  readonly hosts: HostCache;
  readonly claims: WakeSignal;
  readonly clock: Clock;
  /** Milliseconds. */
  readonly lease: number;
  /** True when this process delivers. */
  readonly worker: boolean;
}

const MESSAGES_AT_ONCE = 250;
const PROMOTED_AT_ONCE = 500;
const LONGEST_BACKOFF = 5000;
const SWEEP_EVERY = 60_000;
const SWEPT_AT_ONCE = 1000;

/**
 * The deliveries to ordered subscribers in one data source. A delivery begins once those of earlier messages of its key have
 * ended: it is written as a row first, and waits there for its turn.
 *
 * Turns are given twice: after the commit that ends the delivery before, and after the commit that inserts the one that waits.
 * So of two processes at least one sees the row of the other.
 */
export class KeyQueues {
  readonly #faults = new FaultLog();
  readonly #entering: Batcher<Entering, Entered>;
  #queues = new Map<string, KeyQueue>();
  #keys = new Set<string>();
  #promoting: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isPaused = false;
  #isStopped = false;
  #failures = 0;

  constructor(
    private readonly store: OutboxStore,
    private readonly dependencies: KeyQueuesDependencies,
  ) {
    this.#entering = new Batcher((set) => this.#enter(set), {
      idsOf: ({ message }) => [message.id],
      size: MESSAGES_AT_ONCE,
      failing: 'each',
    });
  }

  /**
   * Writes the deliveries of a message to ordered subscribers.
   *
   * @returns the deliveries that may begin
   */
  async enter(entering: Entering): Promise<readonly Beginning[]> {
    const { recipients, token, leasedUntil } = await this.#entering.add(entering);
    return entering.deliveries.flatMap(({ id }) => {
      const recipient = recipients.get(id);
      if (recipient === undefined) return [];
      const lease = { id, token, leasedUntil, isLost: false };
      this.store.heldDeliveries.add(lease);
      return [{ recipient, lease }];
    });
  }

  /** Gives the turn to the delivery behind each delivery that has ended. */
  promoteBehind(outcomes: readonly Outcome[], finished: readonly Finished[]): void {
    for (const { keyHash, state, subscriberId } of outcomes) {
      if (keyHash === null || state.nextAt !== null) continue;
      this.promote([{ keyHash, subscriberId: keyOf('sub_', subscriberId) }]);
    }
    for (const held of finished) {
      const { message, hasEntered } = held as Partial<HeldMessage>;
      const { key } = message ?? { key: null };
      // No later message has waited for a message that entered its queue: there is no turn to give.
      if (key === null || held.againAt !== null || hasEntered === true) continue;
      this.#promoteKey(hashOf(key));
    }
  }

  /** Gives the first delivery of each queue its turn, unless one has it. */
  promote(queues: readonly KeyQueue[]): void {
    for (const queue of queues) {
      this.#queues.set(`${queue.keyHash} ${queue.subscriberId}`, queue);
    }
    this.#begin();
  }

  /** Begins to look, once a minute, for turns that a process that died has not given. */
  start(): void {
    void this.#sweep().finally(() => {
      if (this.#isPaused) return;
      this.#timer = setTimeout(() => this.start(), SWEEP_EVERY).unref();
    });
  }

  /** Makes deliveries that get their turn due instead of leasing them, so that other processes claim them. */
  pause(): void {
    this.#isPaused = true;
    clearTimeout(this.#timer);
  }

  /** Resolves when all turns are given. */
  async idle(): Promise<void> {
    while (this.#promoting !== null) await this.#promoting;
  }

  /** Gives no more turns. */
  stop(): void {
    this.#isStopped = true;
  }

  async #sweep(): Promise<void> {
    try {
      await this.store.bulkOperations.unmarkAbandoned(this.dependencies.clock.now());
      let after: KeyQueue | null = null;
      do {
        const { queues, holds, last }: QueuePage = await queuePage(
          this.store,
          after,
          SWEPT_AT_ONCE,
        );
        this.promote(queues);
        await this.#endHolds(holds);
        await this.idle();
        after = last;
      } while (after !== null && !this.#isPaused);
    } catch (error) {
      if (!this.#isStopped)
        this.#faults.report('Looking for deliveries without a turn failed', error);
    }
  }

  /** Lets keys go on whose subscriber is no longer held up by a failure. */
  async #endHolds(holds: QueuePage['holds']): Promise<void> {
    if (holds.length === 0) return;
    const ids = await this.dependencies.retries.released(this.store, holds);
    if (ids.length === 0) return;
    await endHolds(this.store, ids, this.dependencies.clock.now());
    this.dependencies.claims.wake();
  }

  #promoteKey(keyHash: string): void {
    this.#keys.add(keyHash);
    this.#begin();
  }

  async #enter(set: readonly Entering[]): Promise<Entered> {
    const { hosts, clock } = this.dependencies;
    const rows: EnteringRow[] = [];
    const messages: EnteringMessage[] = [];
    for (const { message, keyHash, heldMessage, deliveries } of set) {
      const messageKey = keyOf('msg_', message.id);
      // While some of its subscribers are unknown, later messages of the key wait on.
      if (heldMessage.againAt === null) messages.push({ id: messageKey, lease: heldMessage.token });
      for (const { id, recipient } of deliveries) {
        rows.push({
          id: keyOf('dlv_', id),
          message_id: messageKey,
          subscriber_id: keyOf('sub_', recipient.id),
          given_message_id: givenId('msg_', message.id),
          given_subscriber_id: givenId('sub_', recipient.id),
          event: message.event,
          host: hosts.of(recipient),
          key_hash: keyHash,
          sequence: message.sequence!,
          held_by: heldMessage.token,
          queue_position: message.sequence!,
          due_at: NOT_DUE,
          lease: null,
        });
      }
    }
    const lease = this.#newLease();
    const ids = await enterQueues(this.store, rows, messages, lease, clock.now());
    // A delivery that was unfinished when these rows looked for it may be finished by now.
    this.promote(
      rows
        .filter(({ id }) => !ids.has(id))
        .map((row) => ({ keyHash: row.key_hash, subscriberId: row.subscriber_id })),
    );
    // Later messages may have waited for these ones.
    for (const { keyHash, heldMessage } of set) {
      heldMessage.hasEntered = true;
      this.#promoteKey(keyHash);
    }
    return { recipients: await this.#begun(set, ids, lease), ...lease };
  }

  /**
   * Finds the subscribers of deliveries that have their turn, now that the rows are committed. Another process may have
   * disabled one and ended its waiting deliveries: such a delivery is claimed like others, and ends.
   */
  async #begun(
    set: readonly Entering[],
    ids: ReadonlySet<string>,
    { token, leasedUntil }: NewLease,
  ): Promise<ReadonlyMap<string, Recipient>> {
    const { fanOut, hosts, retries } = this.dependencies;
    const finder = fanOut.finder();
    const recipients = new Map<string, Recipient>();
    const left: ClaimedDelivery[] = [];
    const look = async (id: string, { message, keyHash }: Entering, known: Recipient) => {
      const current = await finder.findCurrent(message, known.id).catch(() => null);
      if (current !== null) return void recipients.set(id, current);
      const facts = { messageId: message.id, subscriberId: known.id, host: hosts.of(known) };
      left.push({ id, ...facts, keyHash, ...UNTRIED });
    };
    await Promise.all(
      set.flatMap((entering) =>
        entering.deliveries
          .filter(({ id }) => ids.has(keyOf('dlv_', id)))
          .map(({ id, recipient }) => look(id, entering, recipient)),
      ),
    );
    try {
      if (left.length > 0) await retries.resume(this.store, left, token, leasedUntil);
    } catch (error) {
      // Their leases run out by themselves.
      this.#faults.report('Going on with ordered deliveries failed', error);
    }
    return recipients;
  }

  #begin(): void {
    if (this.#isStopped || this.#queues.size + this.#keys.size === 0) return;
    this.#promoting ??= this.#promoteAll().finally(() => {
      this.#promoting = null;
      this.#begin();
    });
  }

  async #promoteAll(): Promise<void> {
    await new Promise(setImmediate);
    const keys = [...this.#keys];
    const queues = this.#queues;
    this.#keys = new Set();
    this.#queues = new Map();
    try {
      for (const queue of await queuesOfKeys(this.store, keys)) {
        queues.set(`${queue.keyHash} ${queue.subscriberId}`, queue);
      }
      const all = [...queues.values()];
      for (let at = 0; at < all.length; at += PROMOTED_AT_ONCE) {
        await this.#promote(all.slice(at, at + PROMOTED_AT_ONCE));
      }
      this.#failures = 0;
    } catch (error) {
      const wait = Math.min(LONGEST_BACKOFF, 25 * 2 ** ++this.#failures);
      this.#faults.report(`Giving deliveries their turn failed, next try in ${wait} ms`, error);
      await new Promise((resolve) => setTimeout(resolve, wait).unref());
      for (const key of keys) this.#keys.add(key);
      for (const [name, queue] of queues) this.#queues.set(name, queue);
    }
  }

  async #promote(queues: readonly KeyQueue[]): Promise<void> {
    const { retries, claims, clock, worker } = this.dependencies;
    const lease = worker && !this.#isPaused ? this.#newLease() : null;
    const claimed = await giveTurns(this.store, queues, clock.now(), lease);
    if (lease === null) return claims.wake();
    if (claimed.length > 0) {
      await retries.resume(this.store, claimed, lease.token, lease.leasedUntil);
    }
  }

  #newLease(): NewLease {
    const { clock, lease } = this.dependencies;
    return { token: randomUUID(), leasedUntil: clock.now() + lease };
  }
}

/** The deliveries that may begin, by their ids, with their lease. */
interface Entered extends NewLease {
  readonly recipients: ReadonlyMap<string, Recipient>;
}

const UNTRIED = {
  ...{ attempts: 0, throttled: 0, requests: 0 },
  ...{ attemptedAt: null, reason: null, hasWaited: false },
};
