import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectionTo, openBullMqApp } from '../support/apps/bullmq-app.js';
import { openMicroservicesApp } from '../support/apps/microservices-app.js';
import { type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { RestartedHost } from '../support/restarted-host.js';
import { OrderedReceiver } from '../support/ordered-receiver.js';
import {
  RABBITMQ_START_TIMEOUT,
  type RabbitMqServer,
  startRabbitMq,
} from '../services/rabbitmq.js';
import { type RedisServer, startRedis } from '../services/redis.js';

const COUNT = 40;
const SCHEDULE = Array.from({ length: 100 }, () => 50);
const ENDPOINTS = { failures: 3, probeInterval: 500 };

let redis: RedisServer;
let rabbit: RabbitMqServer;
beforeAll(async () => {
  [redis, rabbit] = await Promise.all([startRedis(), startRabbitMq()]);
}, RABBITMQ_START_TIMEOUT);
afterAll(async () => {
  await Promise.all([redis.stop(), rabbit.stop()]);
});

const strategies = [
  {
    name: 'bullmq()',
    open: (place: TestDatabase, synchronize: boolean) =>
      openBullMqApp(place, {
        ...{ queue: 'ordered', connection: connectionTo(redis.port) },
        ...{ synchronize, schedule: SCHEDULE, endpoints: ENDPOINTS },
      }),
  },
  {
    name: 'microservices()',
    open: (place: TestDatabase, synchronize: boolean) =>
      openMicroservicesApp(place, {
        ...{ rabbit: { url: rabbit.url, queue: 'ordered' } },
        ...{ synchronize, schedule: SCHEDULE, endpoints: ENDPOINTS },
      }),
  },
];

describe.each(strategies)('an ordered subscriber through $name', ({ open }) => {
  let place: TestDatabase;
  let receiver: OrderedReceiver;
  let apps: OutboxApp[];

  beforeEach(async () => {
    [place, receiver] = [await createDatabase('postgres'), await OrderedReceiver.start()];
    apps = [];
    for (const isFirst of [true, false, false]) {
      const app = await open(place, isFirst);
      await app.subscribers.create(subscriber(receiver.url(), { id: 'sub_1', ordered: true }));
      apps.push(app);
    }
  });
  afterEach(async () => {
    for (const app of apps) await app.close();
    await receiver.stop();
    await place.drop();
  });

  it('gets each key in order from several workers', async () => {
    receiver.reply = ({ sequence, attempt }) => ({
      status: sequence % 5 === 0 && attempt === 1 ? 500 : 204,
      after: (sequence * 7) % 10,
    });
    const keys = ['a', 'b', 'c'];
    for (let at = 0; at < COUNT; at++) {
      const app = apps[at % apps.length]!;
      await Promise.all(keys.map((key) => app.send({ orderBy: { key } })));
    }
    const all = Array.from({ length: COUNT }, (_, at) => at + 1);
    for (const key of keys) {
      await vi.waitFor(() => expect(receiver.accepted(key)).toEqual(all));
    }
    expect(receiver.overlaps).toEqual([]);
  });

  it('gets its own, and one beside it that is not ordered too, though the host of that was down', async () => {
    const host = await RestartedHost.start('resets');
    for (const app of apps) {
      await app.subscribers.create(subscriber(host.url, { id: 'sub_2' }));
    }
    const ids: string[] = [];
    for (let at = 0; at < COUNT; at++) {
      for (const app of apps) ids.push((await app.send({ orderBy: { key: 'a' } })).id);
    }
    const all = ids.map((_, at) => at + 1);
    await vi.waitFor(() => expect(receiver.accepted('a')).toEqual(all));
    await expect.poll(() => apps.some((app) => app.strategy.activity().broken > 0)).toBe(true);
    await host.goUp();
    await expect.poll(() => ids.filter((id) => !host.ids.has(id))).toEqual([]);
    await host.stop();
  });
});
