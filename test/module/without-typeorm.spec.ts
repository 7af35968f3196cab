import { Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import pg from 'pg';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Subscribers,
  ThornModule,
  type ThornModuleExtras,
  type ThornModuleOptions,
  WebhookDispatcher,
  WebhookEvent,
} from '../../lib/index.js';
import { Portal, thornPage } from '../../lib/page/index.js';
import {
  ensureSchema,
  fromDrizzle,
  fromPg,
  fromPrisma,
  fromTypeOrm,
  type SqlClientDefinition,
} from '../../lib/sql/index.js';
import { type FreshDatabase, freshPostgres } from '../services/database.js';
import { type Api, BearerGuard, startApi } from '../support/apps/api-app.js';
import { Receiver } from '../support/receiver.js';

interface Opened {
  readonly database: SqlClientDefinition<never>;
  transaction(work: (tx: object) => Promise<void>): Promise<void>;
  close(): Promise<unknown>;
}

type Transactional<Method extends string> = Readonly<
  Record<Method, (work: (tx: object) => Promise<void>) => Promise<void>>
>;

interface Kind {
  readonly name: string;
  /** Of the line at start-up. */
  readonly line: string;
  readonly ownConnections: number;
  open(url: string): Promise<Opened>;
}

const APPLICATIONS = "the application's connections";
const kinds: readonly Kind[] = [
  {
    name: 'pg',
    line: `pg (postgres by pg, ${APPLICATIONS}, commits looked up)`,
    ownConnections: 0,
    open: async (connectionString) => {
      const pool = openPool(connectionString);
      return {
        database: fromPg(pool, { schema: 'thorn' }),
        transaction: async (work) => {
          const client = await pool.connect();
          await client.query('BEGIN');
          const end = await work(client).then(
            () => 'COMMIT',
            () => 'ROLLBACK',
          );
          await client.query(end);
          client.release();
        },
        close: () => pool.end(),
      };
    },
  },
  {
    name: 'Drizzle',
    line: `Drizzle (postgres by pg, ${APPLICATIONS}, commits looked up)`,
    ownConnections: 0,
    open: async (connectionString) => {
      const pool = openPool(connectionString);
      const db = (await openBy('drizzle'))['openDrizzle']!(pool) as Transactional<'transaction'>;
      return {
        database: fromDrizzle(db as never, { schema: 'thorn' }),
        transaction: (work) => db.transaction(work).catch(() => undefined),
        close: () => pool.end(),
      };
    },
  },
  {
    name: 'Prisma',
    line: 'Prisma (postgres by pg, 2 connections of its own, commits looked up)',
    ownConnections: 2,
    open: async (url) => {
      const prisma = (await openBy('prisma-7'))['openPrisma']!(
        url,
        2,
      ) as Transactional<'$transaction'> & { $disconnect(): Promise<void> };
      return {
        database: fromPrisma(prisma as never, { url, connections: 2, schema: 'thorn' }),
        transaction: (work) => prisma.$transaction(work).catch(() => undefined),
        close: () => prisma.$disconnect(),
      };
    },
  },
];

/** Of a workspace, whose packages the compiler sees in test/tooling/client-types.spec.ts alone. */
async function openBy(folder: string) {
  const path = `../clients/${folder}/open.ts`;
  return (await import(path)) as Record<string, (...given: unknown[]) => object>;
}

/** A pool that bears the end of its database, which may come before its last connection has left. */
function openPool(connectionString: string): pg.Pool {
  return new pg.Pool({ connectionString }).on('error', () => undefined);
}

async function query(url: string, sql: string): Promise<readonly object[]> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<object>(sql);
  await client.end();
  return rows;
}

/** Those of the library. One that lies idle in an open pool would stay for ten seconds. */
function sessions(url: string): Promise<readonly object[]> {
  return query(
    url,
    "SELECT FROM pg_stat_activity WHERE application_name = 'thorn' AND datname = current_database()",
  );
}

const options: ThornModuleOptions & ThornModuleExtras = {
  recipients: 'development',
  operatorApi: { guards: [BearerGuard] },
  page: thornPage(),
};

describe.each(kinds)(
  'an application of $name, without TypeORM',
  ({ line, ownConnections, open }) => {
    let place: FreshDatabase;
    let opened: Opened;
    let receiver: Receiver;
    let api: Api;
    const lines: unknown[] = [];

    const start = () =>
      startApi('express', {
        thorn: { ...options, database: opened.database },
      });
    const send = async (count: number) => {
      const dispatcher = api.app.get(WebhookDispatcher);
      for (let index = 0; index < count; index++) {
        await dispatcher.send(
          'article.created',
          { title: `No. ${index}` },
          { tx: null, owner: 'alice' },
        );
      }
    };

    beforeAll(async () => {
      place = await freshPostgres();
      opened = await open(place.url);
      const pool = openPool(place.url);
      await ensureSchema(fromPg(pool), { schema: 'thorn' });
      await pool.end();
      vi.spyOn(Logger.prototype, 'log').mockImplementation((text) => void lines.push(text));
      api = await start();
      receiver = await Receiver.start();
    });
    afterAll(async () => {
      vi.restoreAllMocks();
      await api?.app.close();
      await receiver?.stop();
      await opened?.close();
      await place?.drop();
    });

    it('delivers, signs, logs and keeps everything over a restart', async () => {
      expect(lines).toContainEqual(
        expect.stringContaining(`strategy outbox() with a worker; ${line}; `),
      );
      const body = { url: receiver.url, events: ['article.*'], rateLimit: { max: 1, per: 9000 } };
      const headers = { 'idempotency-key': 'one' };
      const created = await api.send('POST', '/hooks', { body, headers });
      const again = await api.send('POST', '/hooks', { body, headers });
      expect(created.status).toBe(201);
      expect(again.body).toEqual(created.body);

      await send(3);
      const [first] = await receiver.waitFor(1);
      const { secret, self } = created.body as { secret: string; self: string };
      expect(
        new Webhook(secret).verify(
          first!.body.toString(),
          first!.headers as Record<string, string>,
        ),
      ).toMatchObject({ type: 'article.created', owner: 'alice' });

      const statuses = async () => {
        const { body } = await api.send('GET', `${self}/deliveries`);
        const items = body.items as readonly { status: string; rateLimited: boolean }[];
        return items
          .map(({ status, rateLimited }) => (rateLimited ? 'rate-limited' : status))
          .sort();
      };
      await expect.poll(statuses).toEqual(['rate-limited', 'rate-limited', 'succeeded']);

      await api.app.close();
      await expect.poll(() => sessions(place.url), { timeout: 5000 }).toEqual([]);
      api = await start();
      const { length: count } = await sessions(place.url);
      expect(count).toBeLessThanOrEqual(ownConnections);
      expect(count > 0).toBe(ownConnections > 0);
      const faster = { rateLimit: { max: 100, per: 1000 } };
      expect((await api.send('PATCH', self, { body: faster })).status).toBe(200);
      await send(1);
      await receiver.waitFor(4);
      await expect.poll(statuses).toEqual(Array.from({ length: 4 }, () => 'succeeded'));
      expect((await api.send('GET', '/hooks-operator/report')).body).toMatchObject({
        dataSources: [{ name: line.split(' ')[0], type: 'postgres' }],
      });

      const portal = await api.app.get(Portal).link({ owner: 'alice' });
      expect((await fetch(new URL(portal.url, api.url))).status).toBe(200);
    });

    it('sends what was sent in a transaction that commits, and nothing of one that rolls back', async () => {
      const sender = api.app.get(WebhookDispatcher);
      const before = receiver.requests.length;
      const begin = (title: string, error?: Error) =>
        opened.transaction(async (tx) => {
          await sender.send('article.created', { title }, { owner: 'alice', tx });
          if (error !== undefined) throw error;
        });
      await begin('lost', new Error('the work failed'));
      await begin('kept');
      await receiver.waitFor(before + 1);
      await api.app.close();
      api = await start();
      expect(receiver.requests.slice(before).map(({ body }) => body.toString())).toEqual([
        expect.stringContaining('"title":"kept"'),
      ]);
    });

    it('shuts down while the database does not answer', async () => {
      const other = new pg.Client(place.url);
      await other.connect();
      try {
        await other.query('BEGIN; LOCK TABLE thorn.thorn_subscribers IN ACCESS EXCLUSIVE MODE');
        const listed = api.app.get(Subscribers).list({}, 'any');
        const refusal = listed.then(
          () => null,
          ({ message }: Error) => message,
        );
        const waiting = () =>
          query(
            place.url,
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
          );
        await expect.poll(waiting).not.toEqual([]);
        const before = performance.now();
        await api.app.close();
        // A statement may take ten seconds.
        expect(performance.now() - before).toBeLessThan(8000);
        expect(await refusal).toContain('is closed');
      } finally {
        await other.end();
      }
    });
  },
);

describe('the option database', () => {
  const pool = new pg.Pool({ connectionString: 'postgres://127.0.0.1:1/none' });
  afterAll(() => pool.end());
  const refused = async (given: ThornModuleOptions & ThornModuleExtras) =>
    Test.createTestingModule({ imports: [ThornModule.forRoot(given)] }).compile();

  it.each<[string, object, RegExp]>([
    ['dataSources', { dataSources: ['default'] }, /`dataSources` .* is for TypeORM: leave it out/],
    [
      'serializeTransactions',
      { serializeTransactions: false },
      /`serializeTransactions` .* is for TypeORM/,
    ],
    ['a client', { database: pool }, /`database` .* must be the result of fromPrisma\(\)/],
    [
      'a data source',
      { database: fromTypeOrm({ options: { type: 'postgres' } } as never) },
      /`database` .* is for clients other than TypeORM: leave it out/,
    ],
  ])('is refused with %s, and the fix', async (_, given, text) => {
    await expect(async () => refused({ database: fromPg(pool), ...given })).rejects.toThrow(text);
  });
});

describe('an application without tables', () => {
  let place: FreshDatabase;
  let pool: pg.Pool;
  beforeEach(async () => {
    place = await freshPostgres();
    pool = openPool(place.url);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await pool.end();
    await place.drop();
  });

  it('does not start, says what to run, and leaves no connection behind', async () => {
    const opened = await kinds.find(({ name }) => name === 'Prisma')!.open(place.url);
    const { database } = opened;
    const imports = [ThornModule.forRoot({ database })];
    const app = (await Test.createTestingModule({ imports }).compile()).createNestApplication();
    await expect(app.init()).rejects.toMatchObject({
      code: 'THORN_TABLES_MISSING',
      message:
        'The database of Prisma has no table thorn.thorn_messages. Run the SQL that `npx thorn migrations postgres --schema thorn` prints.',
    });
    await expect.poll(() => sessions(place.url), { timeout: 5000 }).toEqual([]);
    await app.close();
    await opened.close();
  });

  it('says that events of entities need TypeORM, once there are tables', async () => {
    @WebhookEvent('parcel.sent', { on: 'create' })
    class Parcel {}
    await ensureSchema(fromPg(pool));
    const warnings: unknown[] = [];
    vi.spyOn(Logger.prototype, 'warn').mockImplementation((text) => void warnings.push(text));
    const { app } = await startApi('express', { thorn: { database: fromPg(pool) } });
    await app.close();
    expect(warnings).toContainEqual(
      expect.stringMatching(
        `Events of entities need TypeORM, .* pg: .*${Parcel.name}.* never sent.*defineTableEvents`,
      ),
    );
  });
});
