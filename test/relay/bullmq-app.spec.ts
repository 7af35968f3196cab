import { setImmediate } from 'node:timers/promises';
import { BullModule } from '@nestjs/bullmq';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Redis } from 'ioredis';
import type { DataSourceOptions } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bullmq, type BullMqOptions } from '../../lib/bullmq/index.js';
import {
  Deliveries,
  Subscribers,
  ThornConfigurationError,
  ThornModule,
  WebhookDispatcher,
} from '../../lib/index.js';
import { DispatchStrategy } from '../../lib/extending/index.js';
import type { OutboxStrategy } from '../../lib/outbox/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { freePort } from '../services/free-port.js';
import { type RedisServer, startRedis } from '../services/redis.js';
import { Article, createBlogDatabase, startBlog } from '../support/apps/blog.js';
import { sendInTransactions, startPrismaApp } from '../support/apps/prisma-app.js';
import { migrate } from '../support/sql-clients.js';

let redis: RedisServer;
let client: Redis;
let database: { options: DataSourceOptions; drop(): Promise<void> };
let receiver: ScriptedReceiver;
let apps: INestApplication[];

beforeAll(async () => {
  redis = await startRedis({ appendOnly: true });
  client = new Redis(redis.port);
});

afterAll(async () => {
  client.disconnect();
  await redis.stop();
});

beforeEach(async () => {
  apps = [];
  await client.flushall();
  [database, receiver] = [await createBlogDatabase('postgres'), await ScriptedReceiver.start()];
});

afterEach(async () => {
  for (const app of apps) await app.close();
  await receiver.stop();
  await database.drop();
});

const connection = () => ({ host: '127.0.0.1', port: redis.port });

async function start(options: BullMqOptions = {}, imports: object[] = []) {
  const { app } = await startBlog(
    database.options,
    { dispatch: bullmq({ pollInterval: 25, ...options }), maxStaleness: 50 },
    imports,
  );
  apps.push(app);
  return app;
}

function subscribe(app: INestApplication, secret?: string) {
  return app.get(Subscribers).create({
    url: receiver.url,
    events: ['*'],
    ...(secret === undefined ? {} : { secret }),
  });
}

const save = (app: INestApplication, title: string) =>
  app.get(WebhookDispatcher).send('article.published', { title });

describe('an application with bullmq()', () => {
  it('delivers events of entities, and lists them in the delivery log', async () => {
    const { app, dataSource } = await startBlog(database.options, {
      dispatch: bullmq({ connection: connection() }),
    });
    apps.push(app);
    await subscribe(app);
    await dataSource.manager.save(Object.assign(new Article(), { title: 'One' }));

    const [arrived] = await receiver.waitFor(1);
    expect(arrived!.json).toMatchObject({ type: 'article.created', data: { title: 'One' } });
    await expect
      .poll(async () => (await app.get(Deliveries).list({}, 'any')).items)
      .toMatchObject([{ status: 'succeeded', attemptCount: 1 }]);
  });

  it('sends in one process and delivers in another', async () => {
    const api = await start({ connection: connection(), worker: false });
    await subscribe(api);
    await save(api, 'waits');
    expect(receiver.received).toEqual([]);

    await start({ connection: connection() });
    const [arrived] = await receiver.waitFor(1);
    expect(arrived!.json).toMatchObject({ data: { title: 'waits' } });
  });

  it('brings what Prisma commits to another process, and nothing of what is rolled back', async () => {
    const { url } = database.options as { readonly url: string };
    await migrate(url);
    // So long that only a job in Redis brings a message in time.
    const options = { connection: connection(), pollInterval: 60_000 };
    const api = await startPrismaApp(url, bullmq({ ...options, worker: false }));
    const worker = await startPrismaApp(url, bullmq({ ...options, producer: false }));
    apps.push(api.app, worker.app);

    const sent = await sendInTransactions(api, receiver);
    expect(sent).toEqual({ events: ['kept', 'last'], isSigned: true });
  });

  it('is not healthy while its worker cannot reach Redis', async () => {
    const nowhere = { host: '127.0.0.1', port: await freePort() };
    const worker = await start({ connection: nowhere, producer: false });
    await expect(worker.get<OutboxStrategy>(DispatchStrategy).checkRelay()).rejects.toThrow(/\S/);
    const other = await start({ connection: connection(), producer: false });
    const check = () => other.get<OutboxStrategy>(DispatchStrategy).checkRelay();
    await expect.poll(() => check().then(() => 'there', String)).toBe('there');
  });

  it('uses the connection of BullModule.forRoot(), or another one by its key', async () => {
    const one = BullModule.forRoot({ connection: connection(), prefix: 'one' });
    const two = BullModule.forRoot('hooks', { connection: connection(), prefix: 'two' });
    const api = await start({ worker: false, configKey: 'hooks' }, [one, two]);
    await subscribe(api);
    await save(api, 'by key');
    await expect.poll(() => client.keys('*')).toContainEqual(expect.stringMatching(/^two:thorn:/));
    expect(await client.keys('one:*')).toEqual([]);

    await start({ prefix: 'two' }, [BullModule.forRoot({ connection: connection() })]);
    await receiver.waitFor(1);
  });

  it('stores no content of a message in Redis, and no secret', async () => {
    const api = await start({ connection: connection(), worker: false });
    await subscribe(api, 'a-secret-of-more-than-16-characters');
    await api.get(WebhookDispatcher).send('article.published', { title: 'private' });
    await expect.poll(async () => (await client.keys('bull:thorn:msg_*')).length).toBe(1);

    const dump = JSON.stringify(
      await Promise.all((await client.keys('bull:thorn:msg_*')).map((key) => client.hgetall(key))),
    );
    expect(dump).not.toMatch(/private|secret|article|hooks|whsec/);
  });

  it('leaves no job in the queue after delivery', async () => {
    const app = await start({ connection: connection() });
    await subscribe(app);
    for (let n = 0; n < 25; n++) await save(app, `${n}`);
    await receiver.waitFor(25);
    await expect.poll(() => client.keys('bull:thorn:msg_*')).toEqual([]);
  });

  it.each<BullMqOptions>([{}, { worker: false }, { producer: false }])(
    'uses a client of the application, %o, and closes those that it made itself',
    async (options) => {
      const own = new Redis(redis.port);
      const names = async () => (await client.client('LIST')) as string;
      const count = async () => (await names()).trim().split('\n').length;
      await own.ping();
      // Redis may not have heard yet of those that were closed before.
      await expect.poll(count).toBe(2);
      const app = await start({ connection: own, ...options });
      await subscribe(app);
      await save(app, 'by a client');
      if (options.worker !== false) await receiver.waitFor(1);
      else await expect.poll(() => client.keys('bull:thorn:msg_*')).toHaveLength(1);
      await app.close();
      await expect.poll(count).toBe(2);
      expect(await own.ping()).toBe('PONG');
      own.disconnect();
    },
  );

  it('starts, answers and delivers without Redis', async () => {
    const nobody = { host: '127.0.0.1', port: await freePort() };
    const app = await start({ connection: nobody });
    await subscribe(app);
    await save(app, 'without');
    const [arrived] = await receiver.waitFor(1);
    expect(arrived!.json).toMatchObject({ data: { title: 'without' } });
  });
});

it.each([0, 1, 2, 5, 20])(
  'leaves no worker behind when the application closes %i turns of the event loop after its start',
  async (turns) => {
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...database.options, autoLoadEntities: true }),
        ThornModule.forRoot({ dispatch: bullmq({ connection: connection() }) }),
      ],
    }).compile();
    const app = module.createNestApplication({ logger: false });
    const starting = app.get<OutboxStrategy>(DispatchStrategy).start();
    for (let turn = 0; turn < turns; turn++) await setImmediate();
    await app.close();
    await starting;
    const clients = async () =>
      String(await client.client('LIST'))
        .trim()
        .split('\n').length;
    await expect.poll(clients).toBe(1);
  },
);

describe('the options of bullmq()', () => {
  it.each<[BullMqOptions, RegExp]>([
    [null as never, /The options of bullmq\(\) must be an object, not null/],
    [{ queue: 'a:b' }, /`queue` of bullmq\(\)/],
    [{ queue: '' }, /`queue` of bullmq\(\)/],
    [{ concurrency: 0 }, /`concurrency` of bullmq\(\)/],
    [{ producer: 'yes' as never }, /`producer` of bullmq\(\)/],
    [{ enqueueTimeout: 1.5 }, /`enqueueTimeout` of bullmq\(\)/],
    [{ producer: false, worker: false }, /nothing to do with the queue/],
    [{ connection: {}, configKey: 'x' }, /two connections/],
    [{ telemetry: {} as never }, /`telemetry` of bullmq\(\)/],
  ])('rejects %o', (options, message) => {
    expect(() => bullmq(options)).toThrow(ThornConfigurationError);
    expect(() => bullmq(options)).toThrow(message);
  });

  it.each([['localhost:6379'], [[]]])('rejects a connection that is %o', async (given) => {
    await expect(start({ connection: given as object })).rejects.toThrow(
      /a client of Redis or its options/,
    );
  });

  it('rejects a connection whose url is undefined', async () => {
    await expect(start({ connection: { url: undefined } as object })).rejects.toThrow(
      '`connection.url` of bullmq() must be a text',
    );
  });

  it.each<[string, object]>([
    ['expunge', { expunge: null }],
    ['expunge', { expunge: 7 }],
    ['endpoints', { endpoints: 'gently' }],
  ])('rejects %s that is not an object', async (name, given) => {
    const options = { connection: connection(), ...given };
    await expect(start(options)).rejects.toThrow(`\`${name}\` of outbox() must be an object`);
  });

  it('require a connection, unless BullModule has one', async () => {
    await expect(start()).rejects.toThrow(/bullmq\(\) has no connection/);
    await expect(start({ configKey: 'hooks' })).rejects.toThrow(/BullModule.forRoot\('hooks'/);
  });
});
