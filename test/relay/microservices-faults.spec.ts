import { Logger } from '@nestjs/common';
import { connect } from 'amqplib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import {
  type MicroservicesAppOptions,
  openMicroservicesApp,
  type RabbitQueue,
} from '../support/apps/microservices-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { Article, type OutboxApp } from '../support/apps/outbox-app.js';
import type { RelayProcessTask } from '../support/processes/relay.js';
import { measureCommits, RELAY_TEST_TIMEOUT, RelayLoad } from '../support/relay-load.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import {
  RABBITMQ_START_TIMEOUT,
  type RabbitMqServer,
  startRabbitMq,
} from '../services/rabbitmq.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const SEEDS = IS_LONG ? 10 : 1;
const DOWN = IS_LONG ? 60_000 : 2_000;
const WINDOW = 20;
// What is lost by a crash is found after it. A process that does not get on for so long loses what it holds.
const LEASE = 5000;
/** On a busy machine too, no request is made again because time was up. */
const PATIENT = { lease: 60_000, timeout: 30_000, drainTimeout: 30_000 };
const PATHS = ['/a', '/b', '/c'];

let program: string;
let server: RabbitMqServer;
beforeAll(async () => {
  Logger.overrideLogger(false);
  [program, server] = await Promise.all([
    bundleProgram('test/support/processes/relay.ts'),
    startRabbitMq(),
  ]);
}, RABBITMQ_START_TIMEOUT);

afterAll(() => server.stop());

let place: TestDatabase;
let receiver: ScriptedReceiver;
let rabbit: RabbitQueue;
let sender: OutboxApp;
let load: RelayLoad;
let children: Child[];
let queues = 0;

beforeEach(async () => {
  [place, receiver] = [await createDatabase('postgres'), await ScriptedReceiver.start()];
  receiver.otherwise({ delay: 3 });
  rabbit = { url: server.url, queue: `faults-${queues++}` };
  sender = await openMicroservicesApp(place, { rabbit, worker: false, lease: LEASE });
  load = new RelayLoad(sender, receiver, PATHS);
  children = [];
});

afterEach(async () => {
  for (const child of children) await child.end('SIGKILL');
  await sender.close();
  await receiver.stop();
  await place.drop();
});

/** A worker in a process of its own. */
function work(options: Omit<MicroservicesAppOptions, 'rabbit'> = {}): Child {
  const task: RelayProcessTask = {
    options: place.options,
    microservices: { rabbit, lease: LEASE, window: WINDOW, ...options },
    urls: PATHS.map((path) => new URL(path, receiver.url).href),
  };
  const child = startChild(program, JSON.stringify(task));
  children.push(child);
  return child;
}

async function workers(count: number): Promise<Child[]> {
  const started = Array.from({ length: count }, () => work());
  await Promise.all(started.map((child) => child.printed('ready')));
  return started;
}

describe('workers that die', () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => ({ seed })))(
    'loses no message when one of two is killed, seed $seed',
    async ({ seed }) => {
      const [victim] = await workers(2);
      await load.sendDuring(150, 30 + ((seed * 37) % 200), () => victim!.end('SIGKILL'));
      const { lost, duplicates } = await load.settled();
      expect(lost).toEqual([]);
      expect(duplicates).toBeLessThanOrEqual(WINDOW);
    },
    RELAY_TEST_TIMEOUT,
  );

  it(
    'finishes requests in flight on SIGTERM: none lost, none repeated',
    async () => {
      receiver.otherwise({ delay: 500 });
      const patient = { window: 500, ...PATIENT };
      const worker = work(patient);
      await worker.printed('ready');
      await load.send(Array.from({ length: 50 }, () => sender.message()));
      await receiver.waitFor(50);
      expect(await worker.end('SIGTERM')).toBe(0);
      work(patient);
      expect(await load.settled()).toEqual({ lost: [], duplicates: 0, unknown: [] });
    },
    RELAY_TEST_TIMEOUT,
  );

  it(
    'skips events that cannot be read, and drops them',
    async () => {
      const connection = await connect(rabbit.url);
      const channel = await connection.createChannel();
      await channel.assertQueue(rabbit.queue, { durable: true });
      const unknown = { id: 'msg_unknown', source: 7, lease: 'x' };
      for (const data of [
        'nonsense',
        { version: 99, tickets: {} },
        { version: 1, tickets: [unknown] },
      ]) {
        const event = JSON.stringify({ pattern: 'thorn', data });
        channel.sendToQueue(rabbit.queue, Buffer.from(event));
      }
      const worker = work(PATIENT);
      await worker.printed('ready');
      await load.sendDuring(20, 3, async () => undefined);
      expect(await load.settled()).toMatchObject({ lost: [], duplicates: 0 });
      // What it had not answered for would be back in the queue.
      expect(await worker.end('SIGTERM')).toBe(0);
      await expect
        .poll(() => channel.checkQueue(rabbit.queue))
        .toMatchObject({ messageCount: 0, consumerCount: 0 });
      await connection.close();
    },
    RELAY_TEST_TIMEOUT,
  );
});

describe('a RabbitMQ that dies', () => {
  it(
    'loses no message when it is killed under load and restarted',
    async () => {
      await workers(2);
      await load.sendDuring(200, 60, async () => {
        await server.kill('SIGKILL');
        await server.restart();
      });
      const { lost, duplicates } = await load.settled();
      expect(lost).toEqual([]);
      // Nobody has died who was delivering: none, unless a process stood still for as long as a lease.
      expect(duplicates).toBeLessThanOrEqual(WINDOW);
    },
    2 * RELAY_TEST_TIMEOUT,
  );

  it(
    'lets no commit wait for it while it is down, and is used again',
    async () => {
      await workers(1);
      const commit = () =>
        sender.dataSource.transaction((manager) =>
          manager.save(Object.assign(new Article(), { title: 'one' })),
        );
      await commit();
      await receiver.waitFor(3);
      await server.kill('SIGKILL');
      await expect
        .poll(() =>
          sender.strategy.checkRelay().then(
            () => 'there',
            () => 'gone',
          ),
        )
        .toBe('gone');
      const times = await measureCommits(100, DOWN / 100, commit);
      // They are delivered meanwhile: workers find them in the database.
      await receiver.waitFor(303);
      await server.restart();
      await load.takeStored();
      expect(load.sent).toHaveLength(101);
      expect((await load.settled()).lost).toEqual([]);
      // The time-out of the queue is two seconds.
      expect(Math.max(...times)).toBeLessThan(2000);
      await expect
        .poll(() => sender.strategy.checkRelay().then(() => 'there', String), {
          timeout: RELAY_TEST_TIMEOUT / 4,
        })
        .toBe('there');
    },
    DOWN + 2 * RELAY_TEST_TIMEOUT,
  );
});
