import type { DataSourceOptions } from 'typeorm';
import { queueSettings } from '../../lib/bullmq/bullmq-options.js';
import { BullMqRelay } from '../../lib/bullmq/bullmq-relay.js';
import { createConnections } from '../../lib/bullmq/connections.js';
import type { ContenderModule } from '../contenders/forked.js';
import { type Application, application } from '../outbox/application.js';

/** `bullmq()` in one process that sends and delivers, its settings as they come. */
export function contender(
  name: string,
  options: DataSourceOptions,
  port: number,
  urls: readonly string[],
): Promise<Application> {
  const bullmq = { queue: `bench-${process.pid}`, connection: { host: '127.0.0.1', port } };
  const relay = new BullMqRelay(queueSettings(bullmq), createConnections(bullmq, undefined));
  return application(name, options, urls, { relay });
}

/** {@link contender} for a process of its own. */
export const ours: ContenderModule<Parameters<typeof contender>> = {
  url: import.meta.url,
  open: contender,
};
