import type { INestApplicationContext } from '@nestjs/common';
import { Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { outbox, ThornModule, WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS } from '../../lib/testing/index.js';
import type { FreshDatabase } from '../services/database.js';
import { CLIENT_DATABASES, type OwnConnection } from '../support/client-databases.js';
import type { OpenedClient } from '../support/client-kind.js';
import { migrate } from '../support/sql-clients.js';

/** Every third transaction waits for its message, and commits. Together, 200 do not wait, and are rolled back. */
const WAITS = (round: number) => round % 3 === 0;
const [ONE_BY_ONE, AT_ONCE] = [101, 200].map((length) =>
  Array.from({ length }, (_, round) => round),
) as [number[], number[]];

describe.each(CLIENT_DATABASES)('on $database', ({ kinds, create, connect, database }) => {
  let place: FreshDatabase;
  let own: OwnConnection;

  beforeAll(async () => {
    vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    place = await create();
    await migrate(place.url);
    own = connect(place.url);
    await own.query('CREATE TABLE orders (id int PRIMARY KEY)');
  });
  afterAll(async () => {
    await own.end();
    await place.drop();
  });

  // TypeORM writes messages right before its COMMIT: test/module/own-transactions.spec.ts.
  describe.each(kinds.filter(({ name }) => name !== 'TypeORM'))(
    'what nobody waits for in a transaction of $name',
    ({ open, define, execute }) => {
      let client: OpenedClient<never>;
      let app: INestApplicationContext;
      let dispatcher: WebhookDispatcher;

      beforeAll(async () => {
        client = await open(place.url, 3);
        const options = {
          database: define(client.bare, place.url),
          dispatch: outbox({ worker: false }),
          recipients: LOOPBACK_RECIPIENTS,
          // Stored though nobody is subscribed.
          keep: true,
        };
        const module = await Test.createTestingModule({
          imports: [ThornModule.forRoot(options)],
        }).compile();
        app = await module.init();
        dispatcher = app.get(WebhookDispatcher);
      });
      afterAll(async () => {
        await app?.close();
        await client?.close();
      });

      /** @param before of the caller, between the message and the error */
      async function run(round: number, forgotten: Promise<unknown>[]): Promise<void> {
        const work = client.begin(async (tx) => {
          if (round % 2 === 0) await execute(tx, `INSERT INTO orders VALUES (${round})`);
          const options = {
            tx,
            id: `order-${round}`,
            ...(round % 5 === 0 && { orderBy: { key: `order-${round}` } }),
            // Answers later, by the event loop.
            ...(round % 7 === 1 &&
              database !== 'sqlite' && {
                subscribers: async () => new Promise<never[]>((done) => setImmediate(done, [])),
              }),
          };
          const sending = dispatcher.send('order.placed', { round }, options);
          if (WAITS(round)) return void (await sending);
          forgotten.push(
            sending.then(
              ({ state }) => state,
              (error: unknown) => (error as { readonly code?: unknown }).code,
            ),
          );
          for (let tick = round % 4; tick > 0; tick--) await Promise.resolve();
          throw new Error('rolled back');
        });
        await work.catch((error: unknown) => {
          if ((error as Error).message !== 'rolled back') throw error;
        });
      }

      async function check(
        rounds: readonly number[],
        forgotten: readonly Promise<unknown>[],
      ): Promise<void> {
        const codes = new Set<unknown>();
        const settled = forgotten.map(async (one) => codes.add(await one));
        // Drizzle on `postgres` never answers what comes after the end.
        const fence = async () => {
          for (let round = 0; round < 20; round++) await client.begin(async () => null);
        };
        await Promise.race([Promise.all(settled), fence()]);
        // What was written before the rollback is gone with it.
        codes.delete('staged');
        expect([...codes].filter((code) => !String(code).startsWith('THORN_TRANSACTION_'))).toEqual(
          [],
        );
        const rows = await own.query('SELECT given_id FROM thorn_messages');
        const stored = rows.map(({ given_id: id }) => String(id)).sort();
        expect(stored).toEqual(
          rounds
            .filter(WAITS)
            .map((round) => `order-${round}`)
            .sort(),
        );
        const pending = await own.query('SELECT COUNT(*) AS count FROM thorn_pending_messages');
        expect(Number(pending[0]!['count'])).toBe(stored.length);
        const keys = await own.query('SELECT COUNT(*) AS count FROM thorn_sequences');
        expect(Number(keys[0]!['count'])).toBe(
          rounds.filter((id) => WAITS(id) && id % 5 === 0).length,
        );
        await clear();
      }

      async function clear(): Promise<void> {
        for (const table of [
          'thorn_pending_messages',
          'thorn_messages',
          'thorn_sequences',
          'orders',
        ]) {
          await own.query(`DELETE FROM ${table}`);
        }
      }

      it('is not stored, when transactions come one after another', async () => {
        const forgotten: Promise<unknown>[] = [];
        for (const round of ONE_BY_ONE) await run(round, forgotten);
        await check(ONE_BY_ONE, forgotten);
      });

      it('is not stored, when twenty share three connections', async () => {
        const forgotten: Promise<unknown>[] = [];
        const left = [...AT_ONCE];
        const next = async () => {
          for (let round = left.shift(); round !== undefined; round = left.shift()) {
            await run(round, forgotten);
          }
        };
        await Promise.all(Array.from({ length: 20 }, next));
        await check(AT_ONCE, forgotten);
      });

      it('is numbered in the order of the calls, where messages of a key do not wait for each other', async () => {
        const sent: string[][] = [];
        for (let round = 0; round < 12; round++) {
          await client.begin(async (tx) => {
            // Some are the first that their transaction writes, and some have an id of the application.
            if (round % 2 === 0) await execute(tx, `INSERT INTO orders VALUES (${round})`);
            const sending = ['one', 'two', 'three'].map((name) => {
              const orderBy = { key: `order-${round}` };
              const given = round % 3 === 0 ? { id: `${name}-${round}` } : {};
              return dispatcher.send('order.placed', {}, { tx, orderBy, ...given });
            });
            sent.push((await Promise.all(sending)).map(({ id }) => id));
          });
        }
        const rows = await own.query('SELECT id, given_id, sequence FROM thorn_messages');
        const numbers = new Map(
          rows.map(({ id, given_id: given, sequence }) => [
            typeof given === 'string' ? given : `msg_${String(id)}`,
            Number(sequence),
          ]),
        );
        expect(sent.map((ids) => ids.map((id) => numbers.get(id)))).toEqual(
          sent.map(() => [1, 2, 3]),
        );
        await clear();
      });
    },
  );
});
