import {
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { Counter, Gauge, Histogram, register, Registry } from 'prom-client';
import { type Clock, errorText } from '../common/index.js';
import type { AttemptFacts, DeliveryFacts, WebhookEvents } from '../delivery/index.js';
import type { DispatchStrategy } from '../dispatch/index.js';
import type { EventCatalogue } from '../event/index.js';
import { type Deliveries, type DeliveryStats, OutboxStrategy } from '../outbox/index.js';
import type { SubscriberRepository } from '../subscriber/index.js';
import { EventLabels } from './event-labels.js';
import { METRICS_CHECKS, metricsSettings, type ThornMetricsOptions } from './metrics-options.js';

/** The sources that {@link ThornMetrics} observes. */
export interface MetricsSources {
  readonly events: WebhookEvents;
  readonly catalogue: EventCatalogue;
  readonly strategy: DispatchStrategy;
  readonly deliveries: Deliveries;
  readonly subscribers: SubscriberRepository;
  readonly clock: Clock;
}

type Tried = 'succeeded' | 'retry' | 'failed';

/**
 * Counts the work of `outbox()`, for Prometheus. Counters and histograms belong to this process. The gauges that come
 * from the database (`due`, `lag`) are the same in all processes: take their maximum and not their sum.
 */
export class ThornMetrics implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  /** The registry of the metrics. */
  readonly registry: Registry;
  readonly #logger = new Logger('Thorn');
  readonly #settings: ReturnType<typeof metricsSettings>;
  readonly #labels: EventLabels;
  // Holds the metrics until the application has started. Afterwards it tells which metrics of the other registry are
  // ours.
  readonly #own = new Registry();
  readonly #names: string[] = [];
  #stop: (() => void)[] = [];

  /** @throws {@link ThornConfigurationError} naming an option that makes no sense */
  constructor(
    private readonly sources: MetricsSources,
    options: ThornMetricsOptions = {},
  ) {
    this.#settings = metricsSettings(options);
    this.#labels = new EventLabels(sources.catalogue, this.#settings.maxEvents);
    this.registry = this.#settings.registry ?? register;
  }

  onModuleInit(): void {
    this.#countEvents();
    this.#showDisabled();
    if (!(this.sources.strategy instanceof OutboxStrategy)) return;
    this.#showActivity(this.sources.strategy);
    this.#showStats();
    this.#showChanges(this.sources.strategy);
  }

  /**
   * Adds the metrics to the registry once the application has started, so that an application that fails to start
   * leaves none behind.
   *
   * @throws {@link ThornConfigurationError} when the registry has metrics of these names
   */
  onApplicationBootstrap(): void {
    for (const name of this.#names) {
      METRICS_CHECKS.assert(
        'registry',
        this.registry.getSingleMetric(name) === undefined,
        `has a metric ${name} already, perhaps of another application in this process. Give each a registry or a prefix ` +
          'of its own',
      );
    }
    for (const name of this.#names) {
      this.registry.registerMetric(this.#own.getSingleMetric(name)!);
    }
  }

  /** Takes the metrics out of the registry, so that another application of the process can bring its own. */
  onModuleDestroy(): void {
    for (const stop of this.#stop.splice(0)) stop();
    for (const name of this.#names.splice(0)) {
      const isOurs = this.registry.getSingleMetric(name) === this.#own.getSingleMetric(name);
      if (isOurs) this.registry.removeSingleMetric(name);
    }
  }

  #countEvents(): void {
    const { events } = this.sources;
    const messages = this.#counter(
      'messages_total',
      'Messages that were stored, or sent by inline().',
      ['event'],
    );
    const deliveries = this.#counter(
      'deliveries_total',
      'Deliveries that have ended; outcome: succeeded, failed.',
      ['event', 'outcome'],
    );
    const attempts = this.#counter(
      'attempts_total',
      'Requests that were made; outcome: succeeded, retry (another follows), failed (the last).',
      ['event', 'outcome'],
    );
    const disabled = this.#counter(
      'subscribers_disabled_total',
      'Subscribers that were disabled; reason: failing (they only failed), gone (they answered 410).',
      ['reason'],
    );
    const durations = new Histogram({
      ...this.#named(
        'attempt_duration_seconds',
        'Duration of requests; outcome as in attempts_total.',
      ),
      labelNames: ['outcome'],
      buckets: [...this.#settings.buckets],
    });
    const tried = (outcome: Tried) => (facts: DeliveryFacts & AttemptFacts) => {
      attempts.inc({ event: this.#labels.of(facts.event), outcome });
      durations.observe({ outcome }, facts.duration / 1000);
    };
    const ended = (outcome: 'succeeded' | 'failed', event: string) =>
      deliveries.inc({ event: this.#labels.of(event), outcome });
    this.#stop = [
      events.on('message-accepted', ({ event }) => messages.inc({ event: this.#labels.of(event) })),
      events.on('succeeded', (facts) => {
        tried('succeeded')(facts);
        ended('succeeded', facts.event);
      }),
      events.on('retry-scheduled', tried('retry')),
      events.on('failed', (facts) => {
        if (facts.attempt !== null) tried('failed')(facts);
        ended('failed', facts.event);
      }),
      events.on('subscriber-disabled', ({ reason }) => disabled.inc({ reason })),
    ];
  }

  #showActivity(strategy: OutboxStrategy): void {
    this.#gauge(
      'in_flight',
      'Requests under way in this process.',
      () => strategy.activity().inFlight,
    );
    this.#gauge('waiting', 'Deliveries of this process that wait for a slot.', () => {
      return strategy.activity().waiting;
    });
    const endpoints = new Gauge({
      ...this.#named(
        'endpoints',
        'Hosts as this process knows them; state: paused (they asked for a pause), broken (their circuit breaker is open).',
      ),
      labelNames: ['state'],
      collect: () => {
        const { paused, broken } = strategy.activity();
        endpoints.set({ state: 'paused' }, paused);
        endpoints.set({ state: 'broken' }, broken);
      },
    });
  }

  #showStats(): void {
    const { deliveries } = this.sources;
    const current = this.#remembered('Deliveries', () => deliveries.stats());
    const show = (name: string, help: string, value: (stats: DeliveryStats) => number) =>
      this.#gauge(name, help, async () => {
        const stats = await current.get();
        return stats === null ? null : value(stats);
      });
    show(
      'pending_deliveries',
      'Deliveries that wait for another attempt.',
      (stats) => stats.pending,
    );
    show(
      'rate_limited_deliveries',
      'Pending deliveries that wait for the rate limit of their subscriber.',
      (stats) => stats.rateLimited,
    );
    show(
      'blocked_deliveries',
      'Pending deliveries that wait for an earlier one of their key.',
      (stats) => stats.blocked,
    );
    show(
      'holding_deliveries',
      'Failed deliveries that keep later ones of their key back.',
      (stats) => stats.holding,
    );
    show('due', 'Due deliveries and messages that no worker holds.', (stats) => {
      return stats.due + stats.dueMessages;
    });
    show(
      'lag_seconds',
      'For how long the oldest due delivery or message has been due.',
      ({ lag }) => lag / 1000,
    );
    show('failed_deliveries', 'Failed deliveries in the log.', (stats) => stats.failed);
  }

  #showChanges(strategy: OutboxStrategy): void {
    const counts = this.#remembered('Changes of tables', () => strategy.changes());
    this.#gauge('changes_waiting', 'Changes of tables that wait for a worker.', async () => {
      return (await counts.get())?.waiting ?? null;
    });
    this.#gauge('changes_failed', 'Changes of tables that no message can be made of.', async () => {
      return (await counts.get())?.failed ?? null;
    });
  }

  #showDisabled(): void {
    const { subscribers } = this.sources;
    const count = this.#remembered('Disabled subscribers', () => subscribers.countDisabled());
    this.#gauge('disabled_subscribers', 'Subscribers that are disabled now, for any reason.', () =>
      count.get(),
    );
  }

  #remembered<Value>(what: string, read: () => Promise<Value | null>): Remembered<Value> {
    const { clock } = this.sources;
    return new Remembered(clock, this.#settings.statsFor, () =>
      // When the database fails, these metrics are left out and the others are still shown.
      read().catch((error: unknown) => {
        this.#logger.warn(`${what} could not be counted for metrics: ${errorText(error)}`);
        return null;
      }),
    );
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ ...this.#named(name, help), labelNames });
  }

  /** @param read null without a current value */
  #gauge(name: string, help: string, read: () => Promise<number | null> | number | null): void {
    const gauge: Gauge = new Gauge({
      ...this.#named(name, help),
      collect: async () => {
        const value = await read();
        if (value === null) gauge.remove();
        else gauge.set(value);
      },
    });
  }

  #named(name: string, help: string) {
    const full = this.#settings.prefix + name;
    this.#names.push(full);
    return { name: full, help, registers: [this.#own] };
  }
}

/** An answer that is given again for a while: several metrics need it in one scrape, and several scrape. */
class Remembered<Value> {
  #last: { readonly at: number; readonly value: Promise<Value | null> } | null = null;

  /** @param keptFor milliseconds */
  constructor(
    private readonly clock: Clock,
    private readonly keptFor: number,
    private readonly read: () => Promise<Value | null>,
  ) {}

  get(): Promise<Value | null> {
    const now = this.clock.now();
    if (this.#last === null || now - this.#last.at >= this.keptFor) {
      this.#last = { at: now, value: this.read() };
    }
    return this.#last.value;
  }
}
