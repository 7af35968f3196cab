import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CreateThornProcessedSequences1767312060001,
  DatabaseProcessedSequences,
  InMemoryProcessedSequences,
  RedisProcessedSequences,
} from '../../lib/receiver/index.js';
import { processedSequencesConformance } from '../../lib/testing/index.js';
import { freshMariadb, freshPostgres } from '../services/database.js';
import { type RedisServer, startRedis } from '../services/redis.js';

const runner = { describe, it, expect };

processedSequencesConformance(
  {
    name: 'InMemoryProcessedSequences',
    makeFixture: async () => {
      const store = new InMemoryProcessedSequences();
      return { stores: [store, store], close: async () => undefined };
    },
  },
  runner,
);

processedSequencesConformance(
  {
    name: 'DatabaseProcessedSequences on SQLite',
    makeFixture: () => onDatabase({ type: 'better-sqlite3', database: ':memory:' }),
  },
  runner,
);

processedSequencesConformance(
  {
    name: 'DatabaseProcessedSequences on PostgreSQL',
    makeFixture: async () => {
      const { url, drop } = await freshPostgres();
      return onDatabase({ type: 'postgres', url }, drop);
    },
  },
  runner,
);

processedSequencesConformance(
  {
    name: 'DatabaseProcessedSequences on MariaDB',
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

  processedSequencesConformance(
    {
      name: 'RedisProcessedSequences',
      makeFixture: () => onRedis(server.url),
      pass: (milliseconds) => setTimeout(milliseconds),
    },
    runner,
  );
});

it('drops the oldest keys of the store in memory, and expired ones', async () => {
  const store = new InMemoryProcessedSequences(10);
  const claimOf = (key: number) => ({ receiver: 'a', key: `${key}`, sequence: 1, token: 't' });
  for (let key = 0; key < 100; key++) {
    await store.claim(claimOf(key), { now: key, leasedUntil: 1000, keptUntil: 1000 });
    // The first one is still being processed.
    if (key > 0) {
      await store.complete(claimOf(key), { now: key, leasedUntil: 1000, keptUntil: 1000 });
    }
  }
  expect(store.size).toBe(10);
  const times = { now: 500, leasedUntil: 1000, keptUntil: 1000 };
  expect(await store.claim({ ...claimOf(0), token: 'u' }, times)).toBe('in-progress');
  expect(await store.claim(claimOf(99), times)).toBe('older');
  expect(await store.claim(claimOf(99), { ...times, now: 1001 })).toBe('claimed');
  expect(() => new InMemoryProcessedSequences(0)).toThrow(/capacity/);
});

/** Two processes' stores on one server, emptied at the end. */
async function onRedis(url: string) {
  const clients = [new Redis(url), new Redis(url)] as const;
  const storeOf = (client: Redis) =>
    new RedisProcessedSequences((name, ...args) => client.call(name, ...args));
  return {
    stores: [storeOf(clients[0]), storeOf(clients[1])] as const,
    close: async () => {
      await clients[0].flushall();
      for (const client of clients) client.disconnect();
    },
  };
}

async function onDatabase(options: DataSourceOptions, drop = async (): Promise<void> => undefined) {
  const dataSource = new DataSource({
    ...options,
    migrations: [CreateThornProcessedSequences1767312060001],
    migrationsRun: true,
  });
  await dataSource.initialize();
  return {
    stores: [
      new DatabaseProcessedSequences(dataSource),
      new DatabaseProcessedSequences(dataSource),
    ] as const,
    close: async () => {
      await dataSource.destroy();
      await drop();
    },
  };
}
