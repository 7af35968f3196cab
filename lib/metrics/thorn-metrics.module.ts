import { type DynamicModule, Module } from '@nestjs/common';
import { Clock } from '../common/index.js';
import { WebhookEvents } from '../delivery/index.js';
import { DispatchStrategy } from '../dispatch/index.js';
import { EventCatalogue } from '../event/index.js';
import { Deliveries } from '../outbox/index.js';
import { SubscriberRepository } from '../subscriber/index.js';
import { metricsSettings, type ThornMetricsOptions } from './metrics-options.js';
import { ThornMetrics } from './thorn-metrics.js';

/**
 * Metrics of webhooks for Prometheus, through prom-client. Needs `ThornModule`, with `global` as it is by default.
 *
 * Labels are names of events, of which there are `maxEvents` at most, and fixed words: never a URL, a host or an id.
 *
 * @example
 * ```ts
 * @Module({ imports: [ThornModule.forRoot(), ThornMetricsModule.forRoot({ registry })] })
 * export class AppModule {}
 * ```
 */
@Module({})
export class ThornMetricsModule {
  /** @throws {@link ThornConfigurationError} naming an option that makes no sense */
  static forRoot(options: ThornMetricsOptions = {}): DynamicModule {
    metricsSettings(options);
    return {
      module: ThornMetricsModule,
      providers: [
        {
          provide: ThornMetrics,
          inject: [
            WebhookEvents,
            EventCatalogue,
            DispatchStrategy,
            Deliveries,
            SubscriberRepository,
            Clock,
          ],
          useFactory: (
            events: WebhookEvents,
            catalogue: EventCatalogue,
            strategy: DispatchStrategy,
            deliveries: Deliveries,
            subscribers: SubscriberRepository,
            clock: Clock,
          ) =>
            new ThornMetrics(
              { events, catalogue, strategy, deliveries, subscribers, clock },
              options,
            ),
        },
      ],
      exports: [ThornMetrics],
    };
  }
}
