import { type Clock, MOST_IDS } from '../../common/index.js';
import type { Message, Recipient } from '../../message/index.js';
import { againAt } from './postponed-until.js';
import type { Courier } from './attempt-runner.js';
import type { ClaimedDelivery } from '../tables/delivery-table.js';
import type { Holding } from '../store/held-leases.js';
import type { Held } from '../tables/leases.js';
import { listed } from '../../common/log-line.js';
import { logFault } from '../../common/log-fault.js';
import type { Line, OutboxJob } from './delivery-job.js';
import { type FinderTools, RecipientFinder } from '../../dispatch/recipients/recipient-finder.js';
import type { RecipientHosts } from '../../message/recipient-host.js';
import type { Shard } from '../store/outbox-store.js';

const FAILED_AT_ONCE = 1000;

/** What a {@link RetryDesk} works with. */
export interface RetryDeskTools extends FinderTools {
  readonly clock: Clock;
}

/** Makes jobs of the deliveries that this process holds, one of each. */
export class RetryDesk {
  readonly #tools: RetryDeskTools;
  readonly #line: Line;
  readonly #courier: Courier;
  readonly #hosts: RecipientHosts;

  constructor(tools: RetryDeskTools, line: Line, courier: Courier, hosts: RecipientHosts) {
    this.#tools = tools;
    this.#line = line;
    this.#courier = courier;
    this.#hosts = hosts;
  }

  /** Goes on with deliveries that were claimed. */
  async resume(
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
      host: recipient === null ? delivery.host : this.#hosts.of(recipient),
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
    logFault(`Put off: ${listed(ids)}`, left[0]!.reason, {
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
}
