import { startOwnPostgres } from '../../test/services/postgres.js';
import { startRedis } from '../../test/services/redis.js';
import { clientOf } from '../blog/play/client.js';
import { start } from '../blog/play/processes.js';
import { TOKENS } from '../blog/users/demo-users.js';
import { curlOf } from './blog.js';
import type { Stage } from './start.js';

/** The blog as an API and two workers, with PostgreSQL and Redis servers of its own, and the endpoint of a user. */
export async function startDistributed({ port, consumerPort, running }: Stage): Promise<string> {
  const [postgres, redis] = [await startOwnPostgres(), await startRedis({ appendOnly: true })];
  running.push(redis, postgres);
  process.env['DATABASE_URL'] = postgres.url;
  process.env['REDIS_URL'] = redis.url;
  const consumer = await start('consumer', consumerPort);
  running.unshift(consumer);
  const api = await start('../blog-distributed/main', port);
  running.unshift(api);
  for (let n = 0; n < 2; n++) running.unshift(await start('../blog-distributed/worker', 0));

  const hook = { event: 'article.*', url: `${consumer.url}/webhooks` };
  const { body } = await clientOf(api.url, TOKENS.alice)('POST', '/hooks/', hook);
  await fetch(`${consumer.url}/secret`, { method: 'PUT', body: String(body['secret']) });
  return `
The API listens on ${api.url}, and two workers deliver. Alice has subscribed ${hook.url} to article.*.

Write, and see here which worker delivered, and what her endpoint verified:
  ${curlOf(TOKENS.alice)} -d '{"title": "Hello", "body": "…"}' ${api.url}/articles`;
}
