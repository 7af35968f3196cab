import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type ScriptedAnswer, ScriptedReceiver } from '../../lib/testing/index.js';
import { connectionTo, openBullMqApp, type BullMqAppOptions } from '../support/apps/bullmq-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { Article, type OutboxApp } from '../support/apps/outbox-app.js';
import type { RelayProcessTask } from '../support/processes/relay.js';
import {
  measureCommits,
  DELIVERIES,
  RELAY_TEST_TIMEOUT,
  RelayLoad,
} from '../support/relay-load.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import { type RedisServer, startRedis } from '../services/redis.js';
import { startSentinel } from '../services/sentinel.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const SEEDS = IS_LONG ? 10 : 1;
const DOWN = IS_LONG ? 60_000 : 2_000;
const WINDOW = 20;
// What is lost by a crash is found after it. A process that does not get on for so long loses what it holds.
const LEASE = IS_LONG ? 5000 : 3000;
/** On a busy machine too, no request is made again because time was up. */
const PATIENT = { lease: 60_000, timeout: 30_000, drainTimeout: 30_000 };
const PATHS = ['/a', '/b', '/c'];

let program: string;
beforeAll(async () => {
  program = await bundleProgram('test/support/processes/relay.ts', { bullmq: inject('bullmq') });
});

let place: TestDatabase;
let receiver: ScriptedReceiver;
let redis: RedisServer;
let sender: OutboxApp;
let children: Child[];
let load: RelayLoad;

beforeEach(async () => {
  [place, receiver] = [await createDatabase('postgres'), await ScriptedReceiver.start()];
  receiver.otherwise({ delay: 3 });
  children = [];
});

afterEach(async () => {
  for (const child of children) await child.end('SIGKILL');
  await sender.close();
  await redis.stop();
  await receiver.stop();
  await place.drop();
});

const urls = () => PATHS.map((path) => new URL(path, receiver.url).href);

/** A process that sends, in this one, and workers in processes of their own. */
async function open(
  settings: {
    readonly appendOnly?: boolean;
    readonly connection?: BullMqAppOptions['connection'];
  },
  workers: number,
): Promise<Child[]> {
  const connection = settings.connection ?? connectionTo(redis.port);
  sender = await openBullMqApp(place, { connection, worker: false, lease: LEASE });
  load = new RelayLoad(sender, receiver, PATHS);
  const started = Array.from({ length: workers }, () => work({ connection }));
  await Promise.all(started.map((child) => child.printed('ready')));
  return started;
}

function work(bullmq: BullMqAppOptions = { connection: connectionTo(redis.port) }): Child {
  const task: RelayProcessTask = {
    options: place.options,
    bullmq: { lease: LEASE, window: WINDOW, ...bullmq },
    urls: urls(),
  };
  const child = startChild(program, JSON.stringify(task));
  children.push(child);
  return child;
}

describe('workers that die', () => {
  beforeEach(async () => {
    redis = await startRedis();
  });

  it.each(Array.from({ length: SEEDS }, (_, seed) => ({ seed })))(
    'loses no message when one of two is killed, seed $seed',
    async ({ seed }) => {
      const [victim] = await open({}, 2);
      await load.sendDuring(150, 30 + ((seed * 37) % 200), () => victim!.end('SIGKILL'));
      const { lost, duplicates } = await load.settled();
      expect(lost).toEqual([]);
      expect(duplicates).toBeLessThanOrEqual(WINDOW);
    },
    RELAY_TEST_TIMEOUT,
  );

  it(
    'loses no message when both are killed, twice',
    async () => {
      let running = await open({}, 2);
      await load.sendDuring(150, 30, async () => {
        for (let round = 0; round < 2; round++) {
          const before = receiver.received.length;
          await Promise.all(running.map((child) => child.end('SIGKILL')));
          running = [work(), work()];
          await receiver.waitFor(before + 2 * WINDOW + 20, { timeout: RELAY_TEST_TIMEOUT / 4 });
        }
      });
      const { lost, duplicates } = await load.settled();
      expect(lost).toEqual([]);
      expect(duplicates).toBeLessThanOrEqual(4 * WINDOW);
    },
    RELAY_TEST_TIMEOUT,
  );

  it.each<{ attempt: string; script: readonly ScriptedAnswer[] }>([
    { attempt: 'first', script: ['hang'] },
    // Its row is there, and would be changed.
    { attempt: 'second', script: [500, 'hang'] },
  ])(
    'ignores the outcome of a worker that was stopped beyond its lock in a $attempt attempt',
    async ({ script }) => {
      const answers = new Map(PATHS.map((path) => [path, [...script]]));
      receiver.otherwise(({ path }) => answers.get(path)?.shift() ?? 204);
      await open({}, 0);
      const retrying = {
        ...{ connection: connectionTo(redis.port), timeout: 30_000 },
        schedule: [50, 3_600_000],
      };
      const stopped = work(retrying);
      await load.send([sender.message()]);
      await receiver.waitFor(script.length * PATHS.length);
      stopped.process.kill('SIGSTOP');
      const other = work(retrying);
      await other.printed('delivered');
      await load.settled();
      const written = await sender.rows(DELIVERIES);
      expect(written.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
      stopped.process.kill('SIGCONT');
      // Resets the three requests, so that each has an outcome.
      await receiver.stop();
      expect(await stopped.end('SIGTERM')).toBe(0);
      expect(await sender.rows(DELIVERIES)).toEqual(written);
      expect(await other.end('SIGTERM')).toBe(0);
    },
    RELAY_TEST_TIMEOUT,
  );

  it(
    'finishes requests in flight on SIGTERM: none lost, none repeated',
    async () => {
      receiver.otherwise({ delay: 500 });
      await open({}, 0);
      const patient = { connection: connectionTo(redis.port), window: 500, ...PATIENT };
      const worker = work(patient);
      await worker.printed('ready');
      const messages = Array.from({ length: 50 }, () => sender.message());
      await load.send(messages);
      await receiver.waitFor(50);
      expect(await worker.end('SIGTERM')).toBe(0);
      work(patient);
      expect(await load.settled()).toEqual({ lost: [], duplicates: 0, unknown: [] });
    },
    RELAY_TEST_TIMEOUT,
  );

  it(
    'skips jobs that cannot be read, and delivers their messages',
    async () => {
      await open({}, 0);
      const queue = new Queue('thorn', { connection: connectionTo(redis.port) });
      await queue.addBulk([
        { name: 'deliver', data: 'nonsense' },
        // As a later version would write it.
        { name: 'deliver', data: { version: 2, tickets: {} } },
        {
          name: 'deliver',
          data: { version: 1, tickets: [{ id: 'msg_unknown', source: 7, lease: 'x' }] },
        },
      ]);
      work({ connection: connectionTo(redis.port), ...PATIENT });
      await load.sendDuring(20, 3, async () => undefined);
      expect(await load.settled()).toMatchObject({ lost: [], duplicates: 0 });
      await expect
        .poll(() => queue.getJobCounts('failed', 'waiting', 'active'))
        // BullMQ 5 counts the paused ones in any case.
        .toMatchObject({ failed: 2, waiting: 0, active: 0 });
      await queue.close();
    },
    RELAY_TEST_TIMEOUT,
  );

  it(
    'loses no message in a rolling deploy, or in a move from outbox() and back',
    async () => {
      await open({}, 0);
      const patient = { connection: connectionTo(redis.port), ...PATIENT };
      const old = work(patient);
      await old.printed('ready');
      await load.sendDuring(150, 30, async () => {
        const next = work(patient);
        await next.printed('delivered');
        expect(await old.end('SIGTERM')).toBe(0);
        // It takes nothing from the queue, and finds what others leave to the database.
        const plain = work({ ...patient, producer: false });
        await plain.printed('ready');
      });
      expect(await load.settled()).toMatchObject({ lost: [], duplicates: 0 });
    },
    RELAY_TEST_TIMEOUT,
  );
});

describe('a Redis that dies', () => {
  it.each([{ appendOnly: true }, { appendOnly: false }])(
    'loses no message when it is killed and restarted, $appendOnly',
    async (settings) => {
      redis = await startRedis(settings);
      await open(settings, 2);
      await load.sendDuring(200, 60, async () => {
        await redis.kill('SIGKILL');
        await redis.restart();
      });
      const { lost, duplicates } = await load.settled();
      expect(lost).toEqual([]);
      expect(duplicates).toBeLessThanOrEqual(2 * WINDOW);
    },
    RELAY_TEST_TIMEOUT,
  );

  it(
    'loses no message when it is flushed under load',
    async () => {
      redis = await startRedis();
      const workers = await open({}, 2);
      const client = new Redis(redis.port);
      const waiting = () => client.llen('bull:thorn:wait');
      await load.sendDuring(200, 60, async () => {
        // Workers that run leave nothing in the queue that could be lost.
        for (const { process } of workers) process.kill('SIGSTOP');
        // Nobody is left to take it, however many messages wait in one job.
        await load.send([sender.message()]);
        await expect.poll(waiting, { timeout: RELAY_TEST_TIMEOUT / 4 }).toBeGreaterThan(0);
        await client.flushall();
        for (const { process } of workers) process.kill('SIGCONT');
      });
      client.disconnect();
      const { lost, duplicates } = await load.settled();
      expect(lost).toEqual([]);
      expect(duplicates).toBeLessThanOrEqual(2 * WINDOW);
    },
    RELAY_TEST_TIMEOUT,
  );

  it(
    'lets no commit wait for it while it is down',
    async () => {
      redis = await startRedis();
      await open({}, 1);
      const commit = () =>
        sender.dataSource.transaction((manager) =>
          manager.save(Object.assign(new Article(), { title: 'one' })),
        );
      await commit();
      await receiver.waitFor(3);
      await redis.kill('SIGKILL');
      const times = await measureCommits(100, DOWN / 100, commit);
      // They are delivered meanwhile: workers find them in the database.
      await receiver.waitFor(303);
      await redis.restart();
      await load.takeStored();
      expect(load.sent).toHaveLength(101);
      expect((await load.settled()).lost).toEqual([]);
      // The time-out of the queue is two seconds.
      expect(Math.max(...times)).toBeLessThan(2000);
    },
    DOWN + RELAY_TEST_TIMEOUT,
  );

  it(
    'loses no message in a fail-over by a sentinel',
    async () => {
      redis = await startRedis();
      const sentinel = await startSentinel(redis);
      try {
        const connection = {
          sentinels: [connectionTo(sentinel.port)],
          name: sentinel.master,
        } as unknown as NonNullable<BullMqAppOptions['connection']>;
        await open({ connection }, 2);
        await load.sendDuring(200, 60, async () => {
          await redis.kill('SIGKILL');
          await sentinel.failedOver();
        });
        const { lost, duplicates } = await load.settled();
        expect(lost).toEqual([]);
        expect(duplicates).toBeLessThanOrEqual(2 * WINDOW);
        // And the queue is used again.
        const queue = new Queue('thorn', { connection: connectionTo(sentinel.replica.port) });
        await expect
          .poll(() => queue.getJobCounts('waiting', 'active'), { timeout: RELAY_TEST_TIMEOUT / 4 })
          .toMatchObject({ waiting: 0, active: 0 });
        await expect.poll(() => queue.getWorkersCount()).toBeGreaterThan(0);
        await queue.close();
      } finally {
        await sentinel.stop();
      }
    },
    RELAY_TEST_TIMEOUT,
  );
});
