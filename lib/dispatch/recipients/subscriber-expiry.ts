import type { OnModuleDestroy } from '@nestjs/common';
import { type Clock, FaultLog } from '../../common/index.js';
import { endedSoon } from '../../common/async/timeout.js';
import { OptionChecks } from '../../common/option-checks.js';
import type { WebhookEvents } from '../../delivery/index.js';
import { hostOf } from '../../message/recipient-host.js';
import type { SubscriberRepository } from '../../subscriber/index.js';

const DAY = 24 * 60 * 60_000;
const HOUR = 60 * 60_000;
const EVERY = 60_000;
const AT_ONCE = 500;

/** Dependencies of {@link SubscriberExpiry}. */
export interface SubscriberExpiryDependencies {
  readonly subscribers: SubscriberRepository;
  readonly events: WebhookEvents;
  /** False of a process that leaves all work to others: it does not look. */
  readonly strategy: { isWorker?(): boolean };
  readonly clock: Clock;
  /** Days after their end for which subscribers are kept. Default 7. */
  readonly expiredDays: number | undefined;
}

/**
 * Tells of subscribers whose end has passed, once a minute, and removes them days later. Nothing is sent to them whether it
 * runs or not: that is decided by the time.
 */
export class SubscriberExpiry implements OnModuleDestroy {
  readonly #faults = new FaultLog();
  readonly #keptFor: number;
  #removesAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #passing: Promise<void> | null = null;

  /** @throws {@link ThornConfigurationError} for `expiredDays` */
  constructor(private readonly dependencies: SubscriberExpiryDependencies) {
    const { expiredDays = 7 } = dependencies;
    new OptionChecks('ThornModule.forRoot()').positive('expiredDays', expiredDays, 'days');
    this.#keptFor = expiredDays * DAY;
  }

  start(): void {
    if (this.dependencies.strategy.isWorker?.() === false) return;
    this.#timer = setInterval(() => void this.pass(), EVERY).unref();
  }

  async onModuleDestroy(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#passing !== null) await endedSoon(this.#passing);
  }

  /** Looks once. Never rejects. */
  pass(): Promise<void> {
    return (this.#passing ??= this.#pass()
      .catch((error: unknown) =>
        this.#faults.report('Looking for expired subscribers failed', error),
      )
      .finally(() => (this.#passing = null)));
  }

  async #pass(): Promise<void> {
    const { subscribers, events, clock } = this.dependencies;
    const now = clock.now();
    let count: number;
    do {
      const expired = await subscribers.markExpired(now, AT_ONCE);
      for (const { id, owner, url, expiresAt } of expired) {
        events.emit('subscriber-expired', () => ({
          ...{ subscriberId: id, owner, host: hostOf({ url }), expiresAt: expiresAt!.getTime() },
        }));
      }
      count = expired.length;
    } while (count >= AT_ONCE);
    // More rarely: other processes find what was removed by looking through all subscribers.
    if (now < this.#removesAt) return;
    const before = Math.max(0, Math.round(now - this.#keptFor));
    do count = await subscribers.removeExpired(before, AT_ONCE);
    while (count >= AT_ONCE);
    this.#removesAt = now + HOUR;
  }
}
