import type { InjectionToken, OptionalFactoryDependency } from '@nestjs/common';
import { Clock } from '../../common/index.js';
import { Deliverer, DeliveryLog, RetryPolicy, WebhookEvents } from '../../delivery/index.js';
import { FanOut, type StrategyDefinition } from '../../dispatch/index.js';
import { Codecs } from '../../message/index.js';
import { SecretSealer } from '../../signing/index.js';
import type { MessageRelay } from '../relay/message-relay.js';
import type { OutboxOptions } from '../model/outbox-options.js';
import { OutboxStrategy } from './outbox.strategy.js';
import { OutcomeListener } from '../outcomes/outcome-listener.js';
import type { DataSource } from 'typeorm';

/** The data sources whose transactions messages are staged in; the first also takes those that belong to none. */
export class OutboxDataSources {
  constructor(readonly all: readonly DataSource[]) {}
}

/**
 * Delivers durably, by way of tables in the application's own database: a message is stored in the very transaction that
 * caused it, and delivered at least once whatever dies meanwhile.
 *
 * @throws {@link ThornConfigurationError} at start-up, naming the option that makes no sense
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ dispatch: outbox({ perHost: 16, retentionDays: 7 }) });
 * ```
 */
export function outbox(options: OutboxOptions = {}): StrategyDefinition {
  return relayedOutbox(options);
}

/** How a {@link MessageRelay} is made. */
export interface RelayDefinition {
  /** What of the application it needs. Default: nothing. */
  readonly inject?: readonly (InjectionToken | OptionalFactoryDependency)[];
  readonly useFactory: (...dependencies: unknown[]) => MessageRelay;
}

/**
 * {@link outbox} with something that carries messages to other processes. `bullmq()` and `microservices()` are made of it.
 *
 * @param relay default: none, which is `outbox()`
 * @throws {@link ThornConfigurationError} at start-up, naming the option that makes no sense
 *
 * @example
 * ```ts
 * const relay = { inject: [ConfigService], useFactory: (config) => new MyRelay(config as ConfigService) };
 * ThornModule.forRoot({ dispatch: relayedOutbox({ lease: 30_000 }, relay) });
 * ```
 */
export function relayedOutbox(options: OutboxOptions, relay?: RelayDefinition): StrategyDefinition {
  return {
    inject: [
      OutboxDataSources,
      FanOut,
      Deliverer,
      Codecs,
      SecretSealer,
      RetryPolicy,
      WebhookEvents,
      OutcomeListener,
      DeliveryLog,
      Clock,
      ...(relay?.inject ?? []),
    ],
    useFactory: (
      { all }: OutboxDataSources,
      fanOut: FanOut,
      deliverer: Deliverer,
      codecs: Codecs,
      sealer: SecretSealer,
      policy: RetryPolicy,
      events: WebhookEvents,
      listener: OutcomeListener,
      log: DeliveryLog,
      clock: Clock,
      ...dependencies: unknown[]
    ) =>
      new OutboxStrategy(
        {
          dataSources: all,
          fanOut,
          deliverer,
          codecs,
          sealer,
          policy,
          events,
          listener,
          log,
          clock,
          ...(relay === undefined ? {} : { relay: relay.useFactory(...dependencies) }),
        },
        options,
      ),
  };
}
