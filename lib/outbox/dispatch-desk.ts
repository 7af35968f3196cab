import { Logger } from '@nestjs/common';
import { type Clock, newId } from '../common/index.js';
import type { FanOut } from '../dispatch/index.js';
import type { Codecs, Message, Recipient } from '../message/index.js';
import type { SubscriberRepository } from '../subscriber/index.js';
import type { Courier } from './courier.js';
import type { ClaimedDelivery } from './delivery-table.js';
import { newDelivery } from './delivery-state.js';
import type { Holding, MessageHolding } from './holdings.js';
import type { Lanes } from './lanes.js';
import { messageOf } from './message-row.js';
import type { OutboxJob } from './outbox-job.js';
import type { Row } from './outbox-database.js';
import { hostOf, RecipientFinder } from './recipient-finder.js';
import type { Shard } from './shard.js';

const FAN_OUT_AGAIN_AFTER = 10_000;
const FAILED_AT_ONCE = 1000;

/** What a desk works with. */
export interface DeskTools {
  readonly fanOut: FanOut;
  readonly subscribers: SubscriberRepository;
  readonly codecs: Codecs;
  readonly clock: Clock;
}

/** Makes jobs of what this process holds: of messages one for each recipient, of deliveries one each. */
export class DispatchDesk {
  readonly #logger = new Logger('Thorn');
  readonly #tools: DeskTools;
  readonly #lanes: Lanes<OutboxJob>;
  readonly #courier: Courier;
  readonly #hosts = new WeakMap<Recipient, string>();

  constructor(tools: DeskTools, lanes: Lanes<OutboxJob>, courier: Courier) {
    this.#tools = tools;
    this.#lanes = lanes;
    this.#courier = courier;
  }

  /**
   * Sends a message to everyone who has no delivery of it yet.
   *
   * @param handled ids of subscribers that have one
   */
  async fanOut(
    shard: Shard,
    message: Message,
    lease: string,
    leasedUntil: number,
    handled?: ReadonlySet<string>,
  ): Promise<void> {
    const holding: MessageHolding = {
      id: message.id,
      message,
      lease,
      leasedUntil,
      open: 0,
      isLost: false,
      stale: [],
    };
    shard.heldMessages.add(holding);
    let recipients: readonly Recipient[];
    try {
      recipients = await this.#tools.fanOut.recipientsOf(message);
    } catch (error) {
      this.#logError(`Finding the subscribers of ${message.id} (${message.event}) failed`, error);
      return this.#postpone(shard, holding);
    }
    const missing =
      handled === undefined ? recipients : recipients.filter(({ id }) => !handled.has(id));
    if (missing.length === 0) return shard.recorder.finish(holding);
    holding.open = missing.length;
    const now = this.#tools.clock.now();
    for (const recipient of missing) {
      this.#lanes.add({
        id: newId('dlv_', now),
        shard,
        message,
        recipient,
        host: this.#hostOf(recipient),
        isRetry: false,
        state: newDelivery(now),
        requests: 0,
        attemptedAt: null,
        holding,
        first: holding,
      });
    }
  }

  /** Goes on with messages that were claimed. */
  async resume(shard: Shard, rows: readonly Row[], lease: string, until: number): Promise<void> {
    const taken = rows.filter(({ id }) => !shard.heldMessages.adopt(id as string, lease, until));
    if (taken.length === 0) return;
    const handled = await shard.messages.handled(taken.map(({ id }) => id as string));
    await Promise.all(
      taken.map(async (row) => {
        const message = messageOf(row, this.#tools.codecs);
        if (message === null) return shard.recorder.finish({ id: row['id'] as string, lease });
        return this.fanOut(shard, message, lease, until, handled.get(message.id) ?? new Set());
      }),
    );
  }

  /** Goes on with deliveries that were claimed. */
  async retry(
    shard: Shard,
    claimed: readonly ClaimedDelivery[],
    lease: string,
    until: number,
  ): Promise<void> {
    const taken = claimed.filter(({ id }) => !shard.heldDeliveries.adopt(id, lease, until));
    if (taken.length === 0) return;
    const ids = [...new Set(taken.map(({ messageId }) => messageId))];
    const messages = new Map<string, Message>();
    for (const row of await shard.messages.load(ids)) {
      const message = messageOf(row, this.#tools.codecs);
      if (message !== null) messages.set(message.id, message);
    }
    const finder = new RecipientFinder(this.#tools);
    const switchedOff = new Set<string>();
    const left: { id: string; lease: string }[] = [];
    for (const delivery of taken) {
      const message = messages.get(delivery.messageId);
      const holding: Holding = {
        id: delivery.id,
        lease,
        leasedUntil: until,
        isLost: false,
        stale: [],
      };
      let recipient: Recipient | null = null;
      try {
        if (message !== undefined) recipient = await finder.find(message, delivery.subscriberId);
      } catch (error) {
        this.#logError(`Finding the subscriber of ${delivery.id} failed`, error);
        left.push(holding);
        continue;
      }
      shard.heldDeliveries.add(holding);
      const job = this.#job(shard, delivery, message, recipient, holding);
      if (recipient !== null) this.#lanes.add(job);
      else {
        this.#courier.end(job, message === undefined ? 'cancelled' : 'disabled');
        if (message !== undefined) switchedOff.add(delivery.subscriberId);
      }
    }
    if (left.length > 0) {
      await shard.deliveries.release(left, this.#tools.clock.now() + FAN_OUT_AGAIN_AFTER);
    }
    for (const subscriber of switchedOff) await this.failAll(shard, subscriber);
  }

  /** Ends what waits for a subscriber that will get nothing any more. */
  async failAll(shard: Shard, subscriber: string): Promise<void> {
    let count: number;
    do {
      count = await shard.deliveries.fail(
        subscriber,
        'disabled',
        this.#tools.clock.now(),
        FAILED_AT_ONCE,
      );
    } while (count === FAILED_AT_ONCE);
  }

  #job(
    shard: Shard,
    delivery: ClaimedDelivery,
    message: Message | undefined,
    recipient: Recipient | null,
    holding: Holding,
  ): OutboxJob {
    const { id, messageId, subscriberId, attempts, throttled, requests, attemptedAt } = delivery;
    return {
      id,
      shard,
      // Enough to end a delivery that nothing is left of.
      message: message ?? ({ id: messageId, event: '', settings: {} } as Message),
      recipient: recipient ?? ({ id: subscriberId } as Recipient),
      host: recipient === null ? delivery.host : this.#hostOf(recipient),
      isRetry: true,
      state: { status: 'pending', attempts, throttled, nextAt: null, reason: null },
      requests,
      attemptedAt,
      holding,
      first: null,
    };
  }

  async #postpone(shard: Shard, holding: MessageHolding): Promise<void> {
    shard.heldMessages.remove(holding);
    const dueAt = this.#tools.clock.now() + FAN_OUT_AGAIN_AFTER;
    try {
      await shard.messages.release([holding], dueAt);
    } catch (error) {
      // Its lease runs out by itself.
      this.#logError(`Postponing ${holding.id} failed`, error);
    }
  }

  /** Once for as long as the repository hands out the same object. */
  #hostOf(recipient: Recipient): string {
    let host = this.#hosts.get(recipient);
    if (host === undefined) {
      host = hostOf(recipient);
      this.#hosts.set(recipient, host);
    }
    return host;
  }

  #logError(what: string, error: unknown): void {
    this.#logger.error(
      `${what}: ${String(error)}`,
      error instanceof Error ? error.stack : undefined,
    );
  }
}
