import { Logger } from '@nestjs/common';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { outbox, Subscribers, ThornModule, WebhookDispatcher } from '../../lib/index.js';
import { fromDrizzle, fromPrisma, type SqlClientDefinition } from '../../lib/sql/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { type FreshDatabase, freshPostgres } from '../services/database.js';
import { migrate, openBy, type OpenedClient, SQL_CLIENTS } from '../support/sql-clients.js';

/** Long enough that no claim is mistaken for a look at commits. */
const POLL_INTERVAL = 300;
const KINDS = SQL_CLIENTS.filter(({ name }) =>
  process.env['THORN_LONG'] === '1'
    ? name !== 'TypeORM'
    : ['pg', 'Prisma 7', 'Drizzle 0.45', 'Kysely'].includes(name),
);

let place: FreshDatabase;
let elsewhere: FreshDatabase;
let asked: pg.Pool;

beforeAll(async () => {
  [place, elsewhere] = await Promise.all([freshPostgres(), freshPostgres()]);
  asked = new pg.Pool({ connectionString: place.url, max: 1 });
  await migrate(place.url);
  await asked.query(
    'CREATE TABLE purchase (id text PRIMARY KEY, paid_by text REFERENCES purchase DEFERRABLE INITIALLY DEFERRED)',
  );
  await asked.query('CREATE TABLE article (id serial PRIMARY KEY, title text NOT NULL)');
  await asked.query("INSERT INTO article (title) VALUES ('contended')");
});
afterAll(async () => {
  await asked.end();
  await Promise.all([place.drop(), elsewhere.drop()]);
});

describe.each(KINDS)(
  'what is sent in a transaction of $name',
  ({ name, open, define, nested, execute }) => {
    let client: OpenedClient<never>;
    let app: INestApplicationContext;
    let receiver: ScriptedReceiver;
    let dispatcher: WebhookDispatcher;

    beforeAll(async () => {
      client = await open(place.url, 3);
      app = await startApp(define(client.bare, place.url));
      dispatcher = app.get(WebhookDispatcher);
    });
    afterAll(async () => {
      await app?.close();
      await client?.close();
    });
    beforeEach(async () => {
      receiver = await ScriptedReceiver.start();
      // One after another: a worker that holds one table may wait for the next.
      for (const table of [
        'purchase',
        'thorn_subscribers',
        'thorn_messages',
        'thorn_pending_messages',
      ]) {
        await asked.query(`TRUNCATE ${table} CASCADE`);
      }
      await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    });
    afterEach(async () => {
      await receiver.stop();
    });

    const send = (tx: unknown, name: string) => dispatcher.send(name, {}, { tx });
    const insert = (tx: never, values: string) =>
      execute(tx, `INSERT INTO purchase VALUES ${values}`);
    const code = async (work: Promise<unknown>) =>
      work.then(
        () => 'none',
        (error: unknown) => (error as { readonly code?: unknown }).code,
      );
    /** What arrived when everything that was sent before has, and how many messages are stored. */
    async function outcome() {
      await dispatcher.send('fence', {}, { tx: null });
      await receiver.waitFor(({ event }) => event === 'fence');
      await expect.poll(pending).toBe(0);
      const { rows } = await asked.query('SELECT FROM thorn_messages');
      const arrived = receiver.received.map(({ event }) => event).sort();
      return { arrived, stored: rows.length };
    }
    async function pending() {
      const { rows } = await asked.query('SELECT FROM thorn_pending_messages');
      return rows.length;
    }

    it('is sent once after the commit, and not at all when anything was rolled back', async () => {
      await client.begin(async (tx) => {
        await insert(tx, "('kept', NULL)");
        expect(await send(tx, 'kept')).toMatchObject({ state: 'staged', attempts: [] });
      });
      const thrown = client.begin(async (tx) => {
        await send(tx, 'thrown');
        throw new Error('thrown');
      });
      await expect(thrown).rejects.toThrow('thrown');
      await client.begin(async (tx) => {
        await send(tx, 'outer');
        const inner = nested(tx, async (within) => {
          await send(within, 'inner');
          throw new Error('inner');
        });
        await expect(inner).rejects.toThrow('inner');
        await nested(tx, async (within) => void (await send(within, 'inner.kept')));
      });
      // PostgreSQL makes a ROLLBACK of this COMMIT. With most clients the promise resolves.
      const swallowed = client.begin(async (tx) => {
        await send(tx, 'swallowed');
        await execute(tx, 'SELECT 1 / 0').catch(() => undefined);
      });
      await swallowed.catch(() => undefined);
      const unpaid = client.begin(async (tx) => {
        await send(tx, 'unpaid');
        await insert(tx, "('unpaid', 'nobody')");
      });
      expect(await code(unpaid)).not.toBe('none');

      expect(await outcome()).toEqual({
        arrived: ['fence', 'inner.kept', 'kept', 'outer'],
        stored: 4,
      });
    });

    it('is sent once when the transaction outlasts several poll intervals, and not before', async () => {
      await client.begin(async (tx) => {
        await send(tx, 'late');
        await execute(tx, `SELECT pg_sleep(${(2.5 * POLL_INTERVAL) / 1000})::text`);
        expect(receiver.received).toEqual([]);
      });

      await receiver.waitFor(({ event }) => event === 'late');
      expect(await outcome()).toEqual({ arrived: ['fence', 'late'], stored: 2 });
    });

    it('is refused where it would not be part of it, and leaves nothing behind', async () => {
      let ended: unknown;
      await client.begin(async (tx) => void (ended = tx));
      // The last two are what there is of a batch.
      for (const bare of [client.bare, {}, 'tx', [], Promise.resolve()]) {
        expect(await code(send(bare, 'refused'))).toBe('THORN_TRANSACTION_REQUIRED');
      }
      expect(await code(send(ended, 'refused'))).toMatch(/^THORN_TRANSACTION_(?:ENDED|REQUIRED)$/);
      const other = await open(elsewhere.url, 1);
      await other.begin(async (tx) => {
        expect(await code(send(tx, 'refused'))).toBe('THORN_DATABASE_OTHER');
        await execute(tx, 'SELECT 1');
      });
      await other.close();
      let refusal: unknown;
      const aborted = client.begin(async (tx) => {
        await send(tx, 'aborted');
        await execute(tx, 'SELECT 1 / 0').catch(() => undefined);
        refusal = await code(send(tx, 'refused'));
      });
      await aborted.catch(() => undefined);
      expect(refusal).toBe('THORN_TRANSACTION_ENDED');
      await asked.query('ALTER TABLE thorn_messages RENAME TO elsewhere');
      const withoutTable = client.begin(async (tx) => {
        refusal = await send(tx, 'refused').catch((error: unknown) => error);
      });
      await withoutTable.catch(() => undefined);
      await asked.query('ALTER TABLE elsewhere RENAME TO thorn_messages');
      expect(refusal).toMatchObject({
        code: 'THORN_TABLES_MISSING',
        message: expect.stringContaining('npx thorn migrations postgres') as string,
      });

      expect(await outcome()).toEqual({ arrived: ['fence'], stored: 1 });
    });

    // The object of a transaction of pg is its connection, which looks the same in each of its transactions.
    it.each(name.startsWith('pg') ? [] : ['the next transaction'])(
      'is not taken for a part of %s of its connection',
      async () => {
        const one = await open(place.url, 1);
        let ended: unknown;
        await one.begin(async (tx) => {
          ended = tx;
          await send(tx, 'early');
        });
        await one.begin(async (tx) => {
          expect(await code(send(ended, 'late'))).toBe('THORN_TRANSACTION_ENDED');
          await execute(tx, 'SELECT 1');
        });
        await one.close();

        expect(await outcome()).toEqual({ arrived: ['early', 'fence'], stored: 2 });
      },
    );

    if (name !== 'Prisma 7') return;
    const transact: Prisma['$transaction'] = (work, options) =>
      (client.bare as Prisma).$transaction(work, options);

    it('is gone when Prisma ends the transaction because it lasts too long', async () => {
      const late = transact(
        async (tx) => {
          await send(tx, 'early');
          await execute(tx as never, 'SELECT pg_sleep(4.2)::text');
          expect(await code(send(tx, 'late'))).toBe('THORN_TRANSACTION_ENDED');
        },
        // Enough to send on a busy machine.
        { timeout: 4000 },
      );
      expect(await code(late)).toBe('P2028');

      expect(await outcome()).toEqual({ arrived: ['fence'], stored: 1 });
    });

    it.each([
      { conflict: 'a row', keyed: false },
      { conflict: 'a key', keyed: true },
    ])(
      'is sent once when the application repeats a conflict about $conflict',
      async ({ keyed }) => {
        const orderBy = keyed && { orderBy: { key: 'contended' } };
        const order = (tx: unknown) => dispatcher.send('ordered', {}, { tx, ...orderBy });
        const codes: unknown[] = [];
        do {
          const work = async (tx: Prisma) => {
            await tx.article.findMany();
            if (codes.length === 0) {
              if (keyed) await order(null);
              else await asked.query("UPDATE article SET title = 'theirs'");
            }
            await order(tx);
            await tx.article.updateMany({ data: { title: 'ours' } });
          };
          codes.push(await code(transact(work, { isolationLevel: 'RepeatableRead' })));
        } while (codes.length < 5 && codes.at(-1) !== 'none');
        expect(codes).toEqual(['P2034', 'none']);

        const ordered = keyed ? ['ordered', 'ordered'] : ['ordered'];
        expect(await outcome()).toEqual({
          arrived: ['fence', ...ordered],
          stored: 1 + ordered.length,
        });
      },
    );
  },
);

describe('what is sent in the first transaction', () => {
  const openPool = (options: pg.PoolConfig = {}) =>
    new pg.Pool({ connectionString: place.url, max: 1, ...options });

  it.each([
    { name: 'Prisma', folder: 'prisma-7', open: 'openPrismaOn', begin: '$transaction' },
    { name: 'Drizzle', folder: 'drizzle', open: 'openDrizzle', begin: 'transaction' },
  ])('needs no second connection of a pool that $name has, too', async (kind) => {
    const pool = openPool();
    const client = (await openBy(kind.folder))[kind.open]!(pool) as Beginning;
    const define = (kind.name === 'Prisma' ? fromPrisma : fromDrizzle) as typeof fromPrisma;
    const app = await startApp(define(client as never, { pool }));
    const dispatcher = app.get(WebhookDispatcher);
    const sent = client[kind.begin]!((tx) => dispatcher.send('first', {}, { tx }));
    await expect(sent).resolves.toMatchObject({ state: 'staged' });
    await app.close();
    await pool.end();
  });

  it('is refused while the pool of the library gives no connection, and no longer', async () => {
    const { open } = KINDS.find(({ name }) => name === 'Prisma 7')!;
    const client = await open(place.url, 1);
    const pool = openPool({ connectionTimeoutMillis: 1000 });
    const held = await pool.connect();
    const app = await startApp(fromPrisma(client.bare as never, { pool }));
    const send = () => client.begin((tx) => app.get(WebhookDispatcher).send('first', {}, { tx }));
    await expect(send()).rejects.toThrow('timeout');
    held.release();
    // Again where the worker has the only connection for too long.
    await vi.waitFor(async () => expect(await send()).toMatchObject({ state: 'staged' }));
    await app.close();
    await client.close();
    await pool.end();
  });
});

type Beginning = Readonly<
  Record<string, (work: (tx: unknown) => Promise<unknown>) => Promise<unknown>>
>;

interface Prisma {
  readonly article: Readonly<
    Record<'findMany' | 'updateMany', (given?: object) => Promise<unknown>>
  >;
  $transaction(work: (tx: Prisma) => Promise<unknown>, options: object): Promise<unknown>;
}

async function startApp(database: SqlClientDefinition<never>): Promise<INestApplicationContext> {
  vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
  const module = await Test.createTestingModule({
    imports: [
      ThornModule.forRoot({
        database,
        dispatch: outbox({ pollInterval: POLL_INTERVAL }),
        recipients: LOOPBACK_RECIPIENTS,
      }),
    ],
  }).compile();
  return module.init();
}
