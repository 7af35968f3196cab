import type { QueueOptions } from 'bullmq';
import type { StrategyDefinition } from '../dispatch/index.js';
import { relayedOutbox } from '../outbox/index.js';
import { type BullMqOptions, databaseOptions, queueSettings } from './bullmq-options.js';
import { BullMqRelay } from './bullmq-relay.js';
import { createConnections } from './connections.js';

/**
 * Delivers durably, in as many processes as there are. Messages are stored like those of `outbox()`, in the transaction
 * that they belong to. After the commit a job of BullMQ says where they are, and any worker delivers them. A queue that is
 * away, flushed or restarted loses no message, since workers find in the database what the queue did not bring.
 *
 * @throws `ThornConfigurationError` here or at start-up, naming the wrong option
 *
 * @example
 * ```ts
 * // a process of the API, which only sends
 * ThornModule.forRoot({ dispatch: bullmq({ connection: { host: 'redis', port: 6379 }, worker: false }) });
 * // a worker
 * ThornModule.forRoot({ dispatch: bullmq({ connection: { host: 'redis', port: 6379 } }) });
 * ```
 */
export function bullmq(options: BullMqOptions = {}): StrategyDefinition {
  const settings = queueSettings(options);
  return relayedOutbox(databaseOptions(options), {
    inject: [{ token: sharedOptionsToken(options.configKey), optional: true }],
    useFactory: (shared) =>
      new BullMqRelay(
        settings,
        createConnections(options, shared as Partial<QueueOptions> | undefined),
      ),
  });
}

/**
 * The token of the options that `BullModule.forRoot()` was given. Not taken from `@nestjs/bullmq`, so that an application
 * which gives `bullmq()` a connection need not install it.
 */
function sharedOptionsToken(configKey = 'default'): string {
  return `BULLMQ_CONFIG(${configKey})`;
}
