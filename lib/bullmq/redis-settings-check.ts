import { Logger } from '@nestjs/common';
import type { Queue } from 'bullmq';

interface Server {
  info(): Promise<string>;
}

/** What a queue talks to its server with; undefined where that is no Redis. */
export async function clientOf(queue: Queue): Promise<object | undefined> {
  const { client, getBackend } = queue as unknown as WithClient;
  return getBackend === undefined ? client : getBackend.call(queue).client;
}

/** BullMQ 6 keeps its client in a backend; that of PostgreSQL has none. */
interface WithClient {
  readonly client?: Promise<Partial<Server>>;
  getBackend?(): { readonly client?: Promise<Partial<Server>> };
}

/** Says what of the server's settings makes it lose jobs. */
export async function checkServer(queue: Queue): Promise<void> {
  const server: Partial<Server> | undefined = await clientOf(queue);
  if (server?.info === undefined) return;
  const info = await server.info();
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
