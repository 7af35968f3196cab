import { BullMqRelay } from '../../../lib/bullmq/bullmq-relay.js';
import type { TestDatabase } from '../databases.js';
import {
  type BullMqOptions,
  databaseOptions,
  queueSettings,
} from '../../../lib/bullmq/bullmq-options.js';
import { createConnections } from '../../../lib/bullmq/connections.js';
import { openOutboxApp, type OutboxApp, type OutboxAppOptions } from './outbox-app.js';

/** Options for {@link openBullMqApp}: those of `bullmq()` and of the application. */
export type BullMqAppOptions = OutboxAppOptions & BullMqOptions;

/** Opens an outbox whose messages travel by BullMQ, as with `bullmq()`. */
export function openBullMqApp(
  place: Pick<TestDatabase, 'options'>,
  options: BullMqAppOptions,
): Promise<OutboxApp> {
  const relay = new BullMqRelay(queueSettings(options), createConnections(options, undefined));
  return openOutboxApp(place, { ...databaseOptions(options), relay });
}

/** The connection to a server of {@link startRedis}. */
export function connectionTo(port: number): { readonly host: string; readonly port: number } {
  return { host: '127.0.0.1', port };
}
