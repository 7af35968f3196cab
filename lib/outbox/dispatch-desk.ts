import { Logger } from '@nestjs/common';
import {
  type Clock,
  framesOf,
  type LogFacts,
  LogLine,
  MOST_IDS,
  newId,
  reasonOf,
} from '../common/index.js';
import type { FanOut, FoundRecipients } from '../dispatch/index.js';
import { hostOf, type Message, type Recipient } from '../message/index.js';
import type { SubscriberRepository } from '../subscriber/index.js';
import { againAt } from './again-at.js';
import type { Courier } from './courier.js';
import type { ClaimedDelivery } from './delivery-table.js';
import { newDelivery } from './delivery-state.js';
import type { Holding, MessageHolding } from './holdings.js';
import type { Held } from './leases.js';
import { listed } from './listed.js';
import type { OutboxJob } from './outbox-job.js';
import type { Row } from './outbox-database.js';
import { RecipientFinder } from './recipient-finder.js';
import type { Shard } from './shard.js';

const FAILED_AT_ONCE = 1000;

/** Where jobs are put in line. */
export interface Line {
  add(job: OutboxJob): void;
}

/** What a desk works with. */
export interface DeskTools {
  readonly fanOut: FanOut;
  readonly subscribers: SubscriberRepository;
  readonly clock: Clock;
}

/** Makes jobs of what this process holds: of messages one for each recipient, of deliveries one each. */
export class DispatchDesk {
  readonly #logger = new Logger('Thorn');
  readonly #tools: DeskTools;
  readonly #line: Line;
  readonly #courier: Courier;
  readonly #hosts = new WeakMap<Recipient, string>();

  constructor(tools: DeskTools, line: Line, courier: Courier) {
    this.#tools = tools;
    this.#line = line;
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
      againAt: null,
      isLost: false,
      stale: [],
    };
    shard.heldMessages.add(holding);
    let found: FoundRecipients;
    try {
      found = await this.#tools.fanOut.lookUp(message);
    } catch (error) {
      const what = `Finding the subscribers of ${message.id} (${message.event}) failed`;
      this.#logError(what, error, { messageId: message.id, event: message.event });
      return this.#postpone(shard, holding, message.time);
    }
    const { recipients, isComplete } = found;
    const now = this.#tools.clock.now();
    if (!isComplete) holding.againAt = againAt(message.time, now);
    const missing =
      handled === undefined ? recipients : recipients.filter(({ id }) => !handled.has(id));
    if (missing.length === 0) return shard.recorder.finish(holding);
    holding.open = missing.length;
    for (const recipient of missing) {
      this.#line.add({
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
        hasWaited: false,
        startBy: null,
      });
    }
  }

  /** Goes on with messages that were claimed. */
  async resume(shard: Shard, rows: readonly Row[], lease: string, until: number): Promise<void> {
    const taken = rows.filter(({ id }) => !this.#adopts(shard, id as string, lease, until));
    if (taken.length === 0) return;
    const handled = await shard.messages.handled(taken.map(({ id }) => id as string));
    await Promise.all(
      taken.map(async (row) => {
        const [id, since] = [row['id'] as string, Number(row['time'])];
        let message: Message | null;
        try {
          message = shard.rows.messageOf(row);
        } catch (error) {
          this.#logError(`The message ${id} is left as it is`, error, { messageId: id });
          return this.#postpone(shard, { id, lease }, since);
        }
        if (message === null) return shard.recorder.finish({ id, lease, againAt: null });
        return this.fanOut(shard, message, lease, until, handled.get(message.id) ?? new Set());
      }),
    );
  }

  /** Goes on with messages that were taken over and whose contents are known. */
  async resumeKnown(
    shard: Shard,
    messages: readonly Message[],
    lease: string,
    until: number,
  ): Promise<void> {
    const taken = messages.filter(({ id }) => !this.#adopts(shard, id, lease, until));
    if (taken.length === 0) return;
    const handled = await shard.messages.handled(taken.map(({ id }) => id));
    await Promise.all(
      taken.map((message) =>
        this.fanOut(shard, message, lease, until, handled.get(message.id) ?? new Set()),
      ),
    );
  }

  /** Whether this process holds the message already: then it goes on with the new token. */
  #adopts(shard: Shard, id: string, lease: string, until: number): boolean {
    if (!shard.heldMessages.adopt(id, lease, until)) return false;
    // Outcomes that were written after the claim still had the old token, and were refused: they are looked for at the end.
    shard.heldMessages.get(id)!.againAt ??= this.#tools.clock.now();
    return true;
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
    const rows = new Map((await shard.messages.load(ids)).map((row) => [row['id'] as string, row]));
    const messages = new Map<string, Message | null>();
    const finder = new RecipientFinder(this.#tools);
    const switchedOff = new Set<string>();
    const left: { held: Held; since: number; reason: unknown }[] = [];
    for (const delivery of taken) {
      const { id, messageId, subscriberId } = delivery;
      const row = rows.get(messageId);
      let message = messages.get(messageId) ?? null;
      let recipient: Recipient | null = null;
      try {
        if (row !== undefined) message ??= shard.rows.messageOf(row);
        messages.set(messageId, message);
        if (message !== null) recipient = await finder.find(message, subscriberId);
      } catch (reason) {
        left.push({ held: { id, lease }, since: Number(row!['time']), reason });
        continue;
      }
      const holding: Holding = { id, lease, leasedUntil: until, isLost: false, stale: [] };
      shard.heldDeliveries.add(holding);
      const job = this.#job(shard, delivery, message, recipient, holding);
      if (recipient !== null) this.#line.add(job);
      else {
        this.#courier.end(job, message === null ? 'cancelled' : 'disabled');
        if (message !== null) switchedOff.add(subscriberId);
      }
    }
    await this.#putOff(shard, left);
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
    message: Message | null,
    recipient: Recipient | null,
    holding: Holding,
  ): OutboxJob {
    const { id, messageId, subscriberId, attempts, throttled, requests, attemptedAt, hasWaited } =
      delivery;
    return {
      id,
      shard,
      // Enough to end a delivery that nothing is left of.
      message: message ?? ({ id: messageId, event: '', settings: {} } as Message),
      recipient: recipient ?? ({ id: subscriberId } as Recipient),
      host: recipient === null ? delivery.host : this.#hostOf(recipient),
      // Its first attempt, for which nothing stood in the way but the limit.
      isRetry: !hasWaited || requests > 0,
      state: { status: 'pending', attempts, throttled, nextAt: null, reason: null },
      requests,
      attemptedAt,
      holding,
      first: null,
      hasWaited,
      startBy: null,
    };
  }

  /** Lets go of deliveries that nothing can be done with now. */
  async #putOff(
    shard: Shard,
    left: readonly { readonly held: Held; readonly since: number; readonly reason: unknown }[],
  ): Promise<void> {
    if (left.length === 0) return;
    const ids = left.map(({ held }) => held.id);
    this.#logError(`Put off: ${listed(ids)}`, left[0]!.reason, {
      deliveryIds: ids.slice(0, MOST_IDS),
    });
    const now = this.#tools.clock.now();
    const groups = new Map<number, Held[]>();
    for (const { held, since } of left) {
      const dueAt = againAt(since, now);
      groups.set(dueAt, [...(groups.get(dueAt) ?? []), held]);
    }
    for (const [dueAt, held] of groups) await shard.deliveries.release(held, dueAt);
  }

  /** Lets go of a message that nothing can be done with now. */
  async #postpone(shard: Shard, held: Held, since: number): Promise<void> {
    shard.heldMessages.remove(held);
    try {
      await shard.messages.release([held], againAt(since, this.#tools.clock.now()));
    } catch (error) {
      // Its lease runs out by itself.
      this.#logError(`Postponing ${held.id} failed`, error, { messageId: held.id });
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

  #logError(what: string, error: unknown, facts: LogFacts): void {
    this.#logger.error(new LogLine(`${what}: ${reasonOf(error)}`, facts), framesOf(error));
  }
}
