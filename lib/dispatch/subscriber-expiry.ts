import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Clock, FaultLog } from '../common/index.js';
import { endedSoon } from '../common/waiting.js';
import { OptionChecks } from '../common/option-checks.js';
import { WebhookEvents } from '../delivery/index.js';
import { hostOf } from '../message/recipient.js';
import { SubscriberRepository } from '../subscriber/index.js';
import { DispatchSettings } from './dispatch-settings.js';
import { DispatchStrategy } from './strategies/dispatch-strategy.js';

const DAY = 24 * 60 * 60_000;
const HOUR = 60 * 60_000;
const EVERY = 60_000;
const AT_ONCE = 500;
/** Days for which changes of subscribers are kept where no delivery log is. */
const LOG_DAYS = 30;

/**
 * Tells of subscribers whose end has passed, once a minute, and removes them days later, as well as old changes of
 * subscribers. Nothing is sent to them whether it
 * runs or not: that is decided by the time.
 */
@Injectable()
export class SubscriberExpiry implements OnModuleDestroy {
  readonly #faults = new FaultLog();
  readonly #keptFor: number;
  #removesAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #passing: Promise<void> | null = null;

  /** @throws {@link ThornConfigurationError} for `expiredDays` */
  constructor(
    private readonly subscribers: SubscriberRepository,
    private readonly events: WebhookEvents,
    private readonly clock: Clock,
    private readonly strategy: DispatchStrategy,
    { expiredDays = 7 }: DispatchSettings = {},
  ) {
    new OptionChecks('ThornModule.forRoot()').positive('expiredDays', expiredDays, 'days');
    this.#keptFor = expiredDays * DAY;
  }

  start(): void {
    // A process that leaves all work to others does not look.
    if (this.strategy.isWorker?.() === false) return;
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
    const now = this.clock.now();
    let count: number;
    do {
      const expired = await this.subscribers.markExpired(now, AT_ONCE);
      for (const { id, owner, url, expiresAt } of expired) {
        this.events.emit('subscriber-expired', () => ({
          ...{ subscriberId: id, owner, host: hostOf({ url }), expiresAt: expiresAt!.getTime() },
        }));
      }
      count = expired.length;
    } while (count >= AT_ONCE);
    // More rarely: other processes find removed subscribers by looking through all.
    if (now < this.#removesAt) return;
    const before = Math.max(0, Math.round(now - this.#keptFor));
    do count = await this.subscribers.removeExpired(before, AT_ONCE);
    while (count >= AT_ONCE);
    const kept = (this.strategy.logDays?.() ?? LOG_DAYS) * DAY;
    await this.subscribers.audit.removeBefore(Math.max(0, now - kept));
    this.#removesAt = now + HOUR;
  }
}
