import { createPostgresBackend } from 'bullmq';
import type { DataSourceOptions } from 'typeorm';
import { queueSettings } from '../../lib/bullmq/bullmq-options.js';
import { BullMqRelay } from '../../lib/bullmq/bullmq-relay.js';
import { connectionsOf } from '../../lib/bullmq/connections.js';
import { type ContenderModule, forked } from '../contenders/forked.js';
import { ratio, reportFigure } from '../harness.js';
import { type Application, application } from '../outbox/application.js';
import type { Ground } from '../outbox/ground.js';
import { measured, SUBSCRIBERS } from '../outbox/throughput.js';
import { ours } from './contender.js';

/** What it costs to keep the queue in the database of the messages instead of in Redis. */
export async function postgresBackend({ services, endpoints }: Ground): Promise<void> {
  const urls = endpoints.fast(SUBSCRIBERS);
  const found = await measured(
    [
      await forked(inPostgres, 'queue in PostgreSQL', await services.postgres(), urls),
      await forked(ours, 'queue in Redis', await services.postgres(), await services.redis(), urls),
    ],
    { warmUp: 3000, turn: 2000, rounds: 5, inFlight: 100 },
  );
  const of = (name: string) => found.get(name)!;
  const value = ratio(of('queue in PostgreSQL'), of('queue in Redis'));
  reportFigure('bullmq.postgres-backend', value, 'times the deliveries/s with Redis');
}

/** `bullmq()` with its queue in the database, in one process that sends and delivers. */
export function postgresContender(
  name: string,
  options: DataSourceOptions,
  urls: readonly string[],
): Promise<Application> {
  const { url } = options as { readonly url: string };
  const bullmq = {
    connection: { connectionString: url, migrate: true },
    backend: createPostgresBackend,
  };
  const relay = new BullMqRelay(queueSettings(bullmq), connectionsOf(bullmq, undefined));
  return application(name, options, urls, { relay });
}

const inPostgres: ContenderModule<Parameters<typeof postgresContender>> = {
  url: import.meta.url,
  open: postgresContender,
};
