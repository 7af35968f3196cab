// Plays a story by itself: the API in one process, two workers in others, PostgreSQL and Redis. A worker is killed, then
// Redis is, and still every webhook arrives, verified by its receiver.
import { strictEqual } from 'node:assert';
import { startPostgres } from '../../test/services/postgres.js';
import { startRedis } from '../../test/services/redis.js';
import { clientOf } from '../blog/play/client.js';
import { Inbox } from '../blog/play/inbox.js';
import { start } from '../blog/play/processes.js';
import { TOKENS } from '../blog/users/demo-users.js';

const TIME_LIMIT_MS = 120_000;
setTimeout(() => {
  console.error(`\nThe demo took longer than ${TIME_LIMIT_MS} ms`);
  process.exit(1);
}, TIME_LIMIT_MS).unref();

const postgres = await startPostgres();
const redis = await startRedis({ appendOnly: true });
try {
  process.env['DATABASE_URL'] = postgres.url;
  process.env['REDIS_URL'] = redis.url;
  await play();
  console.log('\nThe demo is complete: every webhook arrived and was verified.');
} catch (error) {
  console.error(`\nThe demo failed: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await redis.stop();
  await postgres.stop();
}
process.exit();

async function play(): Promise<void> {
  const inbox = new Inbox();
  const consumer = await start('consumer', 0, (report) => inbox.add(report));
  const api = await start('../blog-distributed/main', 0);
  const worker = () => start('../blog-distributed/worker', 0);
  const workers = [await worker(), await worker()];
  console.log(
    `The API listens on ${api.url}; ${workers.map(({ url }) => url).join(' and ')} deliver.`,
  );
  const alice = clientOf(api.url, TOKENS.alice);
  const { body: subscriber } = await alice('POST', '/hooks/', {
    event: 'article.created',
    url: `${consumer.url}/hooks`,
  });
  await fetch(`${consumer.url}/secret`, { method: 'PUT', body: String(subscriber['secret']) });
  const write = async (title: string) => {
    const { status } = await alice('POST', '/articles', { title, body: '…' });
    strictEqual(status, 201);
  };
  const all = async (titles: readonly string[]) => {
    for (const title of titles) await inbox.take(['article.created'], title);
  };

  title('Alice writes articles, and whichever worker is free delivers');
  const few = titles('Article', 4);
  for (const one of few) await write(one);
  await all(few);

  title('A worker is killed (-9): the other one goes on');
  await workers[0]!.kill();
  const more = titles('Killed', 4);
  for (const one of more) await write(one);
  await all(more);

  title('Redis is killed (-9): the API answers, and the worker finds the messages in the database');
  await redis.kill('SIGKILL');
  const without = titles('Without Redis', 3);
  for (const one of without) await write(one);
  await all(without);

  title('Redis is back, and a new worker');
  await redis.restart();
  workers[0] = await worker();
  const last = titles('Again', 4);
  for (const one of last) await write(one);
  await all(last);

  await api.stop();
  for (const one of workers) await one.stop();
  await consumer.stop();
  // What the killed worker had no time to write down has arrived twice, with the same id: at least once is the promise.
  inbox.assertNothing('rejected');
}

function titles(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${name} ${n + 1}`);
}

function title(text: string): void {
  console.log(`\n${text}`);
}
