import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { connectionTo, openBullMqApp, type BullMqAppOptions } from '../support/apps/bullmq-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { type RedisServer, startRedis } from '../services/redis.js';

let redis: RedisServer;
let place: TestDatabase;
let receivers: ScriptedReceiver[];
let rigs: OutboxApp[];

beforeEach(async () => {
  rigs = [];
  [redis, place] = [await startRedis(), await createDatabase('postgres')];
  receivers = [await ScriptedReceiver.start(), await ScriptedReceiver.start()];
});

afterEach(async () => {
  for (const rig of rigs) await rig.close();
  for (const receiver of receivers) await receiver.stop();
  await place.drop();
  await redis.stop();
});

async function open(options: BullMqAppOptions): Promise<OutboxApp> {
  const rig = await openBullMqApp(place, {
    connection: connectionTo(redis.port),
    synchronize: rigs.length === 0,
    ...options,
  });
  for (const [at, { url }] of receivers.entries()) {
    await rig.subscribers.create(
      subscriber(url, { id: `sub_${at}`, events: [at === 0 ? 'slow' : 'fast'] }),
    );
  }
  rigs.push(rig);
  return rig;
}

it('delays no other delivery of a job behind a slow subscriber', async () => {
  const [slow, fast] = receivers as [ScriptedReceiver, ScriptedReceiver];
  slow.otherwise('hang');
  const sender = await open({ worker: false });
  // The slow ones first, in each job.
  const events = ['slow', ...Array.from({ length: 9 }, () => 'fast')];
  await sender.pipeline.send([...events, ...events].map((event) => sender.message({ event })));
  const client = new Redis(redis.port);
  await expect.poll(() => client.keys('bull:thorn:msg_*')).toHaveLength(2);

  // One job after the other.
  await open({ producer: false, concurrency: 1, timeout: 60_000 });
  await fast.waitFor(18);
  // Both requests to it are still under way: neither job has waited for its own.
  expect(
    await sender.rows("SELECT id FROM thorn_deliveries WHERE given_subscriber_id = 'sub_0'"),
  ).toEqual([]);
  await slow.waitFor(2);
  // Nothing is left in the queue, and it is not kept either.
  await expect.poll(() => client.keys('bull:thorn:msg_*')).toEqual([]);
  client.disconnect();
  await slow.stop();
});

it('delivers a message once that the queue brings twice', async () => {
  const [, fast] = receivers as [ScriptedReceiver, ScriptedReceiver];
  fast.answer({ delay: 900 });
  const sender = await open({ worker: false });
  await sender.pipeline.send([sender.message({ event: 'fast' })]);
  const queue = new Queue('thorn', { connection: connectionTo(redis.port) });
  await expect.poll(() => queue.getJobCounts('waiting')).toMatchObject({ waiting: 1 });
  const [job] = await queue.getJobs(['waiting']);
  await open({ producer: false, concurrency: 1 });
  await fast.waitFor(1);

  // It is under way now, and its worker takes nothing else.
  await queue.add('deliver', job!.data);
  await open({ producer: false });
  await sender.pipeline.send([sender.message({ event: 'fast' })]);
  await fast.waitFor(2);
  await expect
    .poll(() => queue.getJobCounts('waiting', 'active'))
    .toMatchObject({ waiting: 0, active: 0 });
  await queue.close();
  for (const rig of rigs.splice(0).reverse()) await rig.close();
  expect(fast.received).toHaveLength(2);
});

it('makes first attempts without waiting for the retries of a worker', async () => {
  const [failing, fast] = receivers as [ScriptedReceiver, ScriptedReceiver];
  failing.otherwise({ status: 500, delay: 300 });
  const sender = await open({ worker: false });
  await open({ producer: false, window: 4, schedule: Array.from({ length: 100 }, () => 1) });
  await sender.pipeline.send(Array.from({ length: 40 }, () => sender.message({ event: 'slow' })));
  // From here on it is retries that the worker is busy with.
  await failing.waitFor(60);
  await sender.pipeline.send(Array.from({ length: 5 }, () => sender.message({ event: 'fast' })));
  const before = failing.received.length;
  await fast.waitFor(5);
  // A window of four requests of 300 ms: a few rounds of them, and not the forty that wait.
  expect(failing.received.length - before).toBeLessThan(40);
});
