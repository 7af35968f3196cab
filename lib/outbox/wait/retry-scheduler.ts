import { type Clock, MOST_IDS, FaultLog } from '../../common/index.js';
import type { FanOut } from '../../dispatch/index.js';
import { isStaticId } from '../../subscriber/index.js';
import { hasEnded, type Message, type Recipient } from '../../message/index.js';
import type { WebhookEvents } from '../../delivery/index.js';
import { end, pendingState } from '../record/end.js';
import { postponedUntil } from '../record/postpone.js';
import { skip } from '../record/skip.js';
import { dissolve } from './dissolve.js';
import { failWaiting } from '../record/fail-waiting.js';
import type { QueuePage } from './key-queue-pages.js';
import type { ClaimedDelivery } from '../tables/deliveries.js';
import type { HeldLease } from '../store/held-leases.js';
import type { Lease } from '../tables/leases.js';
import { listIds } from '../../common/log.js';
import type { DeliveryJob } from '../store/delivery-job.js';
import type { RateLimiter } from './rate-limiter.js';
import type { HostCache } from '../../message/recipient.js';
import type { OutboxStore } from '../store/outbox-store.js';

/** Adds jobs for claimed deliveries, and ends deliveries that can have no further attempt. */
export class RetryScheduler {
  readonly #faults = new FaultLog();

  constructor(
    private readonly fanOut: FanOut,
    private readonly limiter: RateLimiter,
    private readonly events: WebhookEvents,
    private readonly hosts: HostCache,
    private readonly clock: Clock,
  ) {}

  /** Adds the jobs of deliveries that this process has claimed. */
  async resume(
    store: OutboxStore,
    claimed: readonly ClaimedDelivery[],
    token: string,
    until: number,
  ): Promise<void> {
    const fresh = claimed.filter(({ id }) => !store.heldDeliveries.adopt(id, token, until));
    if (fresh.length === 0) return;
    const ids = [...new Set(fresh.map(({ messageId }) => messageId))];
    const rows = new Map((await store.messages.load(ids)).map((row) => [row.id, row]));
    const messages = new Map<string, Message | null>();
    const ending = { events: this.events, clock: this.clock };
    const finder = this.fanOut.finder();
    const disabled = new Set<string>();
    const unordered = new Set<string>();
    const left: { held: Lease; since: number; reason: unknown }[] = [];
    for (const delivery of fresh) {
      const { id, messageId, subscriberId } = delivery;
      const row = rows.get(messageId);
      let message = messages.get(messageId) ?? null;
      let recipient: Recipient | null = null;
      try {
        if (row !== undefined) message ??= store.rows.messageOf(row);
        messages.set(messageId, message);
        if (message !== null) {
          // The delivery before it may have ended because the subscriber was disabled, which this process may not know yet.
          recipient = await (delivery.keyHash === null
            ? finder.find(message, subscriberId)
            : finder.findCurrent(message, subscriberId));
        }
      } catch (reason) {
        left.push({ held: { id, token }, since: Number(row!['time']), reason });
        continue;
      }
      const heldLease: HeldLease = { id, token, leasedUntil: until, isLost: false };
      store.heldDeliveries.add(heldLease);
      // The option `subscribers` may name a subscriber for some events and owners only: its deliveries are judged one by one.
      const isStored = !isStaticId(subscriberId);
      const isOrdered = delivery.keyHash !== null;
      if (isStored && isOrdered && recipient !== null && recipient.ordered !== true) {
        unordered.add(subscriberId);
      }
      const abandoned = { store, claimed: delivery, event: message?.event ?? '', heldLease };
      if (message !== null && recipient === null) {
        // A delivery that holds its key ends as well: a backfill sends it again, before the deliveries behind it.
        end(abandoned, 'disabled', ending);
        if (isStored) disabled.add(subscriberId);
      } else if (delivery.reason !== null) {
        skip(abandoned, message, ending);
      } else if (message === null || recipient === null) {
        end(abandoned, 'cancelled', ending);
      } else this.limiter.add(this.#job(store, delivery, message, recipient, heldLease));
    }
    await this.#putOff(store, left);
    for (const subscriberId of disabled) {
      await failWaiting(store, { subscriberId, reason: 'disabled' }, this.clock);
    }
    for (const subscriberId of unordered) await dissolve(store, subscriberId, this.clock);
  }

  /** Finds the failed deliveries that need not hold their key any more, since the settings of the subscriber have changed. */
  async released(store: OutboxStore, holds: QueuePage['holds']): Promise<readonly string[]> {
    const ids = [...new Set(holds.map(({ messageId }) => messageId))];
    const rows = new Map((await store.messages.load(ids)).map((row) => [row.id, row]));
    const finder = this.fanOut.finder();
    const released: string[] = [];
    for (const { id, messageId, subscriberId } of holds) {
      const row = rows.get(messageId);
      try {
        const message = row === undefined ? null : store.rows.messageOf(row);
        const recipient = message && (await finder.find(message, subscriberId));
        const isOrdered = recipient?.ordered === true && !hasEnded(recipient, this.clock.now());
        if (!isOrdered || recipient.onExhausted !== 'hold') released.push(id);
      } catch (error) {
        this.#faults.report(`${id} holds its key on`, error, { deliveryId: id });
      }
    }
    return released;
  }

  #job(
    store: OutboxStore,
    delivery: ClaimedDelivery,
    message: Message,
    recipient: Recipient,
    heldLease: HeldLease,
  ): DeliveryJob {
    const { id, requests, attemptedAt, keyHash } = delivery;
    const isLimited = recipient.rateLimit !== undefined && recipient.rateLimit !== null;
    return {
      id,
      store,
      message,
      recipient,
      host: this.hosts.of(recipient),
      // A first attempt that has waited only for the rate limit, or for its turn, is not a retry.
      isRetry: requests > 0 || !(isLimited || keyHash !== null),
      state: pendingState(delivery),
      requests,
      attemptedAt,
      heldLease,
      heldMessage: null,
      keyHash,
      startsBefore: null,
    };
  }

  /** Releases deliveries whose message or recipient cannot be read now. */
  async #putOff(
    store: OutboxStore,
    left: readonly { readonly held: Lease; readonly since: number; readonly reason: unknown }[],
  ): Promise<void> {
    if (left.length === 0) return;
    const ids = left.map(({ held }) => held.id);
    this.#faults.report(`Put off: ${listIds(ids)}`, left[0]!.reason, {
      deliveryIds: ids.slice(0, MOST_IDS),
    });
    const now = this.clock.now();
    const groups = new Map<number, Lease[]>();
    for (const { held, since } of left) {
      const dueAt = postponedUntil(since, now);
      groups.set(dueAt, [...(groups.get(dueAt) ?? []), held]);
    }
    for (const [dueAt, held] of groups) await store.deliveryLeases.release(held, dueAt);
  }
}
