import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { BullMqRelay } from '../../lib/bullmq/bullmq-relay.js';
import { queueSettings } from '../../lib/bullmq/bullmq-options.js';
import { createConnections } from '../../lib/bullmq/connections.js';
import { FallbackRateLimiter } from '../../lib/bullmq/fallback-rate-limiter.js';
import { RedisRateLimiter } from '../../lib/bullmq/redis-rate-limiter.js';
import { outboxEntities, type RateLimiter } from '../../lib/outbox/index.js';
import { DatabaseRateLimiter } from '../../lib/outbox/rate-limit/database-rate-limiter.js';
import { PooledDatabase } from '../../lib/outbox/database/pooled-database.js';
import { SqliteDatabase } from '../../lib/outbox/database/sqlite-database.js';
import { tableNames } from '../../lib/outbox/entities/table-names.js';
import { connectionTo } from '../support/apps/bullmq-app.js';
import { type DatabaseKind, createDatabase } from '../support/databases.js';
import {
  rateLimiterSuite,
  type SharedRateLimiters,
  tenPerSecond,
} from '../support/rate-limiter-suite.js';
import { type RedisServer, startRedis } from '../services/redis.js';

const PROCESSES = 3;
const START = 1_700_000_000_000;

let redis: RedisServer;
let queues = 0;

beforeAll(async () => {
  redis = await startRedis();
}, 60_000);

afterAll(async () => {
  await redis.stop();
});

rateLimiterSuite('Redis', inRedis);

it('grants no permit after Redis was emptied until the forgotten time is past', async () => {
  const { limiters, close } = await inRedis();
  const client = new Redis(redis.port);
  const take = async (now: number) => {
    const answers = await limiters[0]!.grant(
      new Map([['sub_1', tenPerSecond({ waited: 10 })]]),
      now,
    );
    return answers.get('sub_1')!.permits.reduce((sum, { count }) => sum + count, 0);
  };
  expect(await take(START)).toBe(10);
  await client.flushall();
  expect(await take(START + 100)).toBe(0);
  expect(await take(START + 5000)).toBeGreaterThan(0);
  client.disconnect();
  await close();
});

it('replaces a limiter that is down by another, and grants no permit twice', async () => {
  const [first, second] = [await inRedis(), await inDatabase('file')];
  let isAway = false;
  const flaky: RateLimiter = {
    grant: (asks, now) =>
      isAway ? Promise.reject(new Error('away')) : first.limiters[0]!.grant(asks, now),
  };
  const limiter = new FallbackRateLimiter(flaky, second.limiters[0]!, () => undefined);
  const take = async (now: number) => {
    const answers = await limiter.grant(new Map([['sub_1', tenPerSecond({ waited: 5 })]]), now);
    return answers.get('sub_1')!.permits.reduce((sum, { count }) => sum + count, 0);
  };
  expect(await take(START)).toBe(5);
  isAway = true;
  expect(await take(START + 100)).toBe(0);
  expect(await take(START + 7500)).toBe(5);
  await first.close();
  await second.close();
});

it('grants no permit to a worker that asks again after Redis was away and others may have used the database', async () => {
  const [server, second] = [await startRedis(), await inDatabase('file')];
  const options = { connection: connectionTo(server.port) };
  const relay = new BullMqRelay(queueSettings(options), createConnections(options, undefined));
  const limiter = relay.rateLimiter(second.limiters[0]!);
  const take = async (now: number) => {
    const answers = await limiter.grant(new Map([['sub_1', tenPerSecond({ waited: 5 })]]), now);
    return answers.get('sub_1')!.permits.reduce((sum, { count }) => sum + count, 0);
  };
  const isConnected = () =>
    relay.check().then(
      () => true,
      () => false,
    );
  expect(await take(START)).toBe(5);
  await server.kill('SIGKILL');
  await server.restart();
  await expect.poll(isConnected).toBe(true);
  expect(await take(START + 60_000)).toBe(0);
  expect(await take(START + 67_500)).toBe(5);
  await relay.close();
  await second.close();
  await server.stop();
}, 30_000);

async function inRedis(): Promise<SharedRateLimiters> {
  const prefix = `rate:${++queues}:`;
  const clients = Array.from({ length: PROCESSES }, () => new Redis(redis.port));
  return {
    limiters: clients.map((client) => new RedisRateLimiter(async () => client, prefix)),
    close: async () => {
      for (const client of clients) client.disconnect();
    },
  };
}

for (const kind of ['file', 'postgres', 'mariadb'] as const) {
  rateLimiterSuite(`a database, ${kind}`, () => inDatabase(kind));
}

async function inDatabase(kind: DatabaseKind): Promise<SharedRateLimiters> {
  const place = await createDatabase(kind);
  const opened: (() => Promise<unknown>)[] = [];
  const limiters: DatabaseRateLimiter[] = [];
  for (let n = 0; n < PROCESSES; n++) {
    const dataSource = new DataSource({
      ...place.options,
      entities: outboxEntities,
      synchronize: n === 0,
    });
    await dataSource.initialize();
    const database =
      kind === 'file' ? new SqliteDatabase(dataSource) : new PooledDatabase(dataSource, 10_000);
    await database.open();
    opened.push(
      () => database.close(),
      () => dataSource.destroy(),
    );
    limiters.push(new DatabaseRateLimiter(database, tableNames(dataSource).rateLimits));
  }
  return {
    limiters,
    close: async () => {
      for (const close of opened) await close();
      await place.drop();
    },
  };
}
