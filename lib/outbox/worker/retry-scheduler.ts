import { type Clock, MOST_IDS } from '../../common/index.js';
import type { Message, Recipient } from '../../message/index.js';
import { postponedUntil } from './postponed-until.js';
import type { AttemptRunner } from './attempt-runner.js';
import type { ClaimedDelivery } from '../tables/delivery-table.js';
import type { HeldLease } from '../store/held-leases.js';
import type { Lease } from '../tables/leases.js';
import { listIds } from '../../common/log-line.js';
import { logFault } from '../../common/log-fault.js';
import type { JobSink, DeliveryJob } from './delivery-job.js';
import { type FinderTools, RecipientFinder } from '../../dispatch/recipients/recipient-finder.js';
import type { HostCache } from '../../message/recipient-host.js';
import type { OutboxStore } from '../store/outbox-store.js';

const FAILED_AT_ONCE = 1000;

/** What a {@link RetryScheduler} works with. */
export interface RetryDeskTools extends FinderTools {
  readonly clock: Clock;
}

/** Makes jobs of the deliveries that this process holds, one of each. */
export class RetryScheduler {
  constructor(
    private readonly tools: RetryDeskTools,
    private readonly line: JobSink,
    private readonly courier: AttemptRunner,
    private readonly hosts: HostCache,
  ) {}

  /** Goes on with deliveries that were claimed. */
  async resume(
    store: OutboxStore,
    claimed: readonly ClaimedDelivery[],
    lease: string,
    until: number,
  ): Promise<void> {
    const taken = claimed.filter(({ id }) => !store.heldDeliveries.adopt(id, lease, until));
    if (taken.length === 0) return;
    const ids = [...new Set(taken.map(({ messageId }) => messageId))];
    const rows = new Map((await store.messages.load(ids)).map((row) => [row['id'] as string, row]));
    const messages = new Map<string, Message | null>();
    const finder = new RecipientFinder(this.tools);
    const switchedOff = new Set<string>();
    const left: { held: Lease; since: number; reason: unknown }[] = [];
    for (const delivery of taken) {
      const { id, messageId, subscriberId } = delivery;
      const row = rows.get(messageId);
      let message = messages.get(messageId) ?? null;
      let recipient: Recipient | null = null;
      try {
        if (row !== undefined) message ??= store.rows.messageOf(row);
        messages.set(messageId, message);
        if (message !== null) recipient = await finder.find(message, subscriberId);
      } catch (reason) {
        left.push({ held: { id, token: lease }, since: Number(row!['time']), reason });
        continue;
      }
      const holding: HeldLease = { id, token: lease, leasedUntil: until, isLost: false, stale: [] };
      store.heldDeliveries.add(holding);
      const job = this.#job(store, delivery, message, recipient, holding);
      if (recipient !== null) this.line.add(job);
      else {
        this.courier.end(job, message === null ? 'cancelled' : 'disabled');
        if (message !== null) switchedOff.add(subscriberId);
      }
    }
    await this.#putOff(store, left);
    for (const subscriber of switchedOff) await this.failAll(store, subscriber);
  }

  /** Ends what waits for a subscriber that will get nothing any more. */
  async failAll(store: OutboxStore, subscriber: string): Promise<void> {
    let count: number;
    do {
      count = await store.deliveries.fail(
        subscriber,
        'disabled',
        this.tools.clock.now(),
        FAILED_AT_ONCE,
      );
    } while (count === FAILED_AT_ONCE);
  }

  #job(
    store: OutboxStore,
    delivery: ClaimedDelivery,
    message: Message | null,
    recipient: Recipient | null,
    holding: HeldLease,
  ): DeliveryJob {
    const { id, messageId, subscriberId, attempts, throttled, requests, attemptedAt, hasWaited } =
      delivery;
    return {
      id,
      store,
      // Enough to end a delivery that nothing is left of.
      message: message ?? ({ id: messageId, event: '', settings: {} } as Message),
      recipient: recipient ?? ({ id: subscriberId } as Recipient),
      host: recipient === null ? delivery.host : this.hosts.of(recipient),
      // Its first attempt, for which nothing stood in the way but the limit.
      isRetry: !hasWaited || requests > 0,
      state: { status: 'pending', attempts, throttled, nextAt: null, reason: null },
      requests,
      attemptedAt,
      holding,
      first: null,
      hasWaited,
      permitExpiresAt: null,
    };
  }

  /** Lets go of deliveries that nothing can be done with now. */
  async #putOff(
    store: OutboxStore,
    left: readonly { readonly held: Lease; readonly since: number; readonly reason: unknown }[],
  ): Promise<void> {
    if (left.length === 0) return;
    const ids = left.map(({ held }) => held.id);
    logFault(`Put off: ${listIds(ids)}`, left[0]!.reason, {
      deliveryIds: ids.slice(0, MOST_IDS),
    });
    const now = this.tools.clock.now();
    const groups = new Map<number, Lease[]>();
    for (const { held, since } of left) {
      const dueAt = postponedUntil(since, now);
      groups.set(dueAt, [...(groups.get(dueAt) ?? []), held]);
    }
    for (const [dueAt, held] of groups) await store.deliveries.release(held, dueAt);
  }
}
