import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CreateThornReceivedMessages1767312060000,
  DatabaseReceivedMessages,
  InMemoryReceivedMessages,
  type ReceivedMessages,
  RedisReceivedMessages,
} from '../../lib/receiver/index.js';
import { receivedMessagesConformance } from '../../lib/testing/index.js';
import { freshMariadb, freshPostgres } from '../services/database.js';
import { type RedisServer, startRedis } from '../services/redis.js';

const runner = { describe, it, expect };

receivedMessagesConformance(
  {
    name: 'InMemoryReceivedMessages',
    makeFixture: async () => {
      const store = new InMemoryReceivedMessages();
      return { stores: [store, store], close: async () => undefined };
    },
  },
  runner,
);

receivedMessagesConformance(
  {
    name: 'DatabaseReceivedMessages on SQLite',
    makeFixture: () => onDatabase({ type: 'better-sqlite3', database: ':memory:' }),
  },
  runner,
);

receivedMessagesConformance(
  {
    name: 'DatabaseReceivedMessages on PostgreSQL',
    makeFixture: async () => {
      const { url, drop } = await freshPostgres();
      return onDatabase({ type: 'postgres', url }, drop);
    },
  },
  runner,
);

receivedMessagesConformance(
  {
    name: 'DatabaseReceivedMessages on MariaDB',
    makeFixture: async () => {
      const { url, drop } = await freshMariadb();
      return onDatabase({ type: 'mariadb', url }, drop);
    },
  },
  runner,
);

describe('Redis', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedis();
  }, 120_000);
  afterAll(() => server.stop());

  receivedMessagesConformance(
    {
      name: 'RedisReceivedMessages',
      makeFixture: () => onRedis(server.url),
      pass: (milliseconds) => setTimeout(milliseconds),
    },
    runner,
  );

  it('forgets expired ids by itself', async () => {
    const client = new Redis(server.url);
    const store = redisStore(client);
    const claim = { receiver: 'shop', id: 'msg_expiry', token: 'a' };

    await store.claim(claim, { now: 1000, leasedUntil: 61_000, keptUntil: 601_000 });
    const [key] = await client.keys('*msg_expiry');
    expect(await client.pttl(key!)).toBeGreaterThan(59_000);
    await store.complete(claim, { now: 2000, leasedUntil: 62_000, keptUntil: 602_000 });
    expect(await client.pttl(key!)).toBeGreaterThan(599_000);
    client.disconnect();
  });
});

/** Two processes' stores on one server, emptied at the end. */
async function onRedis(url: string) {
  const clients = [new Redis(url), new Redis(url)] as const;
  return {
    stores: [redisStore(clients[0]), redisStore(clients[1])] as const,
    close: async () => {
      await clients[0].flushall();
      for (const client of clients) client.disconnect();
    },
  };
}

function redisStore(client: Redis): ReceivedMessages {
  return new RedisReceivedMessages((name, ...args) => client.call(name, ...args));
}

async function onDatabase(options: DataSourceOptions, drop = async (): Promise<void> => undefined) {
  const dataSource = new DataSource({
    ...options,
    migrations: [CreateThornReceivedMessages1767312060000],
    migrationsRun: true,
  });
  await dataSource.initialize();
  const stores = [
    new DatabaseReceivedMessages(dataSource),
    new DatabaseReceivedMessages(dataSource),
  ] as const;
  return {
    stores,
    close: async () => {
      await dataSource.destroy();
      await drop();
    },
  };
}
