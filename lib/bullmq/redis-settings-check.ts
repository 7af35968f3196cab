import { Logger } from '@nestjs/common';
import type { Queue, Worker } from 'bullmq';

/** A client of Redis, as far as Thorn uses it. */
interface Client {
  info(): Promise<string>;
}

/** BullMQ 5 has its client on the queue, BullMQ 6 on the queue's backend. */
interface WithClient {
  readonly client?: Promise<object>;
  getBackend?(): { readonly client: Promise<object> };
}

/** The client with which a queue or a worker talks to Redis. Resolves once it is connected. */
export async function redisClient(queue: Queue | Worker): Promise<Client> {
  const { client, getBackend } = queue as object as WithClient;
  return (await (getBackend === undefined ? client : getBackend.call(queue).client)) as Client;
}

/** Logs which settings of Redis make it lose jobs. */
export async function checkRedisSettings(queue: Queue): Promise<void> {
  const info = await (await redisClient(queue)).info();
  const logger = new Logger('Thorn');
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy !== undefined && policy !== 'noeviction') {
    logger.error(
      `Redis may drop jobs: its maxmemory-policy is ${policy}. Set it to noeviction; until then workers find dropped messages in the database, late`,
    );
  }
  if (/^aof_enabled:0/m.test(info)) {
    logger.warn(
      'Redis forgets the queue when it ends: appendonly is off. Workers then find its messages in the database, as late as a lease lasts',
    );
  }
}
