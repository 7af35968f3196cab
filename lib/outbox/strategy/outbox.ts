import type { InjectionToken, OptionalFactoryDependency } from '@nestjs/common';
import type { StrategyDefinition } from '../../dispatch/index.js';
import type { MessageRelay } from '../relay/message-relay.js';
import type { OutboxOptions } from '../outbox-options.js';
import { OUTBOX_TOKENS, outboxDependencies } from './outbox-dependencies.js';
import { OutboxStrategy } from './outbox.strategy.js';

/**
 * Delivers durably, through tables in the application's own database. A message is stored in the transaction that caused
 * it, and delivered at least once, whichever process dies meanwhile.
 *
 * @throws {@link ThornConfigurationError} at start-up, naming an option whose value makes no sense
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ dispatch: outbox({ perHost: 16, retentionDays: 7 }) });
 * ```
 */
export function outbox(options: OutboxOptions = {}): StrategyDefinition {
  return relayedOutbox(options);
}

/** Definition of a {@link MessageRelay}. */
export interface RelayDefinition {
  /** Providers of the application that the relay needs. Default: none. */
  readonly inject?: readonly (InjectionToken | OptionalFactoryDependency)[];
  readonly useFactory: (...dependencies: unknown[]) => MessageRelay;
}

/**
 * {@link outbox} with a relay that carries messages to other processes. `bullmq()` and `microservices()` are made of it.
 *
 * @param relay default: none, which is `outbox()`
 * @throws `ThornConfigurationError` at start-up, naming an option whose value makes no sense
 *
 * @example
 * ```ts
 * const relay = { inject: [ConfigService], useFactory: (config) => new MyRelay(config as ConfigService) };
 * ThornModule.forRoot({ dispatch: relayedOutbox({ lease: 30_000 }, relay) });
 * ```
 */
export function relayedOutbox(options: OutboxOptions, relay?: RelayDefinition): StrategyDefinition {
  return {
    inject: [...OUTBOX_TOKENS, ...(relay?.inject ?? [])],
    useFactory: (...injected: unknown[]) =>
      new OutboxStrategy(
        outboxDependencies(injected),
        options,
        relay?.useFactory(...injected.slice(OUTBOX_TOKENS.length)),
      ),
  };
}
