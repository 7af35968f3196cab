import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CreateThornReceivedMessages1767312060000,
  InMemoryReceivedMessages,
  type ReceivedMessages,
  RedisReceivedMessages,
} from '../../lib/receiver/index.js';
import { receivedMessagesConformance } from './received-messages.js';
import {
  DatabaseReceivedMessages,
  ReceivedTable,
} from '../../lib/receiver/processing/received-table.js';
import { TypeOrmClient } from '../../lib/database/typeorm-client.js';
import { ensureSchema, fromPg, type SqlClient } from '../../lib/sql/index.js';
import { type FreshDatabase, freshMariadb, freshPostgres } from '../services/database.js';
import { SQL_CLIENTS } from '../support/sql-clients.js';
import { type RedisServer, startRedis } from '../services/redis.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
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

describe.each<{
  type: string;
  open: () => Promise<[DataSourceOptions, drop?: () => Promise<void>]>;
}>([
  { type: 'SQLite', open: async () => [{ type: 'better-sqlite3', database: ':memory:' }] },
  {
    type: 'MariaDB',
    open: async () => {
      const { url, drop } = await freshMariadb();
      return [{ type: 'mariadb', url }, drop];
    },
  },
])('TypeORM', ({ type, open }) => {
  let dataSource: DataSource;
  let drop: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    const [options, end] = await open();
    drop = end;
    dataSource = await new DataSource({
      ...options,
      migrations: [CreateThornReceivedMessages1767312060000],
      migrationsRun: true,
    }).initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await drop?.();
  });

  receivedMessagesConformance(
    {
      name: `a table by TypeORM on ${type}`,
      makeFixture: async () => ({
        stores: [
          tableStore(new TypeOrmClient(dataSource)),
          tableStore(new TypeOrmClient(dataSource)),
        ],
        close: () => dataSource.query('DELETE FROM thorn_received_messages'),
      }),
    },
    runner,
  );
});

// By default, one client beside TypeORM: the stores work on the driver below, which all others share.
const kinds = SQL_CLIENTS.filter(({ name }) => IS_LONG || ['TypeORM', 'Prisma 7'].includes(name));

describe.each(kinds)('PostgreSQL', ({ name, open, define }) => {
  let database: FreshDatabase;
  let own: pg.Pool;

  beforeAll(async () => {
    database = await freshPostgres();
    own = new pg.Pool({ connectionString: database.url, max: 1 });
    await ensureSchema(fromPg(own), { receiver: true });
  });
  afterAll(async () => {
    await own.end();
    await database.drop();
  });

  receivedMessagesConformance(
    {
      name: `a table by ${name} on PostgreSQL`,
      makeFixture: async () => {
        const opened = await Promise.all([open(database.url, 3), open(database.url, 3)]);
        const [one, other] = await Promise.all(
          opened.map(({ bare }) => define(bare, database.url).useFactory()),
        );
        return {
          stores: [tableStore(one!), tableStore(other!)],
          close: async () => {
            for (const client of [one, other]) await client!.close?.();
            for (const { close } of opened) await close();
            await own.query('DELETE FROM thorn_received_messages');
          },
        };
      },
    },
    runner,
  );
});

describe('Redis', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedis();
  });
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
    const claim = {
      ...{ kind: 'message' as const, receiver: 'shop', key: 'msg_expiry', sequence: 1, token: 'a' },
    } as const;

    await store.claim(claim, { now: 1000, leasedUntil: 61_000, keptUntil: 601_000 });
    const [key] = await client.keys('*msg_expiry');
    expect(await client.pttl(key!)).toBeGreaterThan(59_000);
    await store.complete(claim, { now: 2000, leasedUntil: 62_000, keptUntil: 602_000 });
    // Less by what has passed meanwhile.
    const left = await client.pttl(key!);
    expect(left).toBeGreaterThan(570_000);
    expect(left).toBeLessThanOrEqual(600_000);
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

function tableStore(client: SqlClient<never>): ReceivedMessages {
  return new DatabaseReceivedMessages(new ReceivedTable(client));
}
