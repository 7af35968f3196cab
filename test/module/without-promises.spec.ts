import { setImmediate } from 'node:timers/promises';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineTableEvents, outbox, ThornModule, WebhookDispatcher } from '../../lib/index.js';
import { ensureSchema } from '../../lib/sql/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import type { FreshDatabase } from '../services/database.js';
import { freshSqlite, type OpenedSync, SYNC_CLIENTS } from '../support/sqlite-clients.js';

/** Writes in one run. */
const WRITES = 150;

interface Order {
  readonly id: number;
  readonly total: number;
}

const orders = defineTableEvents<Order>('orders', {
  key: 'id',
  payload: ({ id, total }) => ({ id, total }),
  events: { 'order.placed': { on: 'create' } },
});

describe.each(SYNC_CLIENTS)('an application of $name, without promises', ({ open }) => {
  let place: FreshDatabase;
  let receiver: ScriptedReceiver;
  let app: INestApplicationContext | undefined;
  let client: OpenedSync;
  beforeEach(async () => {
    [place, receiver] = [await freshSqlite(), await ScriptedReceiver.start()];
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    client.close();
    await receiver.stop();
    await place.drop();
  });

  async function start(url: string): Promise<WebhookDispatcher<never>> {
    client = await open(url);
    client.execute(client.bare, 'CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER)');
    const { database } = client;
    await ensureSchema(database, { tables: [orders] });
    const module = await Test.createTestingModule({
      imports: [
        ThornModule.forRoot({
          ...{ database, recipients: LOOPBACK_RECIPIENTS, tables: [orders] },
          ...{ dispatch: outbox({ pollInterval: 100 }), subscribers: { '*': receiver.url } },
        }),
      ],
    }).compile();
    module.useLogger(false);
    app = await module.init();
    return app.get<WebhookDispatcher<never>>(WebhookDispatcher);
  }

  it.each(['file', 'memory'])(
    'sends what rows say and what is sent at once, in a %s',
    async (kind) => {
      const dispatcher = await start(kind === 'file' ? place.url : 'file::memory:');
      const add = (tx: unknown, id: number) =>
        client.execute(tx, `INSERT INTO orders VALUES (${id}, 5)`);
      client.transaction((tx) => {
        add(tx, 1);
        const nested = () =>
          client.nested(tx, (inner) => {
            add(inner, 2);
            throw new Error('of the nested one');
          });
        expect(nested).toThrow('of the nested one');
      });
      const undone = () =>
        client.transaction((tx) => {
          add(tx, 3);
          throw new Error('rolled back');
        });
      expect(undone).toThrow('rolled back');
      await dispatcher.send('order.flagged', { id: 4 }, { tx: null });
      await receiver.waitFor(({ event }) => event === 'order.placed');
      await receiver.waitFor(({ event }) => event === 'order.flagged');
      const got = receiver.received.map(({ json }) => (json as { data: object }).data);
      expect(got).toEqual(expect.arrayContaining([{ id: 1, total: 5 }, { id: 4 }]));
      expect(got).toHaveLength(2);
    },
  );

  it('names the tables that are missing, and shows its connections', async () => {
    client = await open(place.url);
    const { database } = client;
    const log = vi.spyOn(Logger.prototype, 'log').mockReturnValue(undefined);
    const started = () =>
      Test.createTestingModule({ imports: [ThornModule.forRoot({ database })] })
        .compile()
        .then((module) => module.init());
    await expect(started()).rejects.toThrow('npx thorn migrations sqlite');
    await ensureSchema(database);
    app = await started();
    expect(log.mock.calls.flat()).toContainEqual(
      expect.stringContaining('(sqlite by better-sqlite3, 1 connection of its own'),
    );
    log.mockRestore();
  });

  it('loses no write of a connection that it shares a file with', async () => {
    const dispatcher = await start(place.url);
    const sent: Promise<unknown>[] = [];
    for (let id = 1; id <= WRITES; id++) {
      sent.push(dispatcher.send('order.flagged', { id }, { tx: null }));
      client.transaction((tx) => client.execute(tx, `INSERT INTO orders VALUES (${id}, 5)`));
      if (id % 5 === 0) await setImmediate();
    }
    await Promise.all(sent);
    await receiver.waitFor(2 * WRITES);
    expect(client.rows('SELECT COUNT(*) AS count FROM orders')).toEqual([{ count: WRITES }]);
    const ids = (event: string) =>
      new Set(
        receiver.received
          .filter((one) => one.event === event)
          .map(({ json }) => (json as { data: { id: number } }).data.id),
      ).size;
    await expect.poll(() => [ids('order.placed'), ids('order.flagged')]).toEqual([WRITES, WRITES]);
  });

  it('refuses a transaction with the fix, and the transaction goes on', async () => {
    const dispatcher = await start(place.url);
    const refused: Promise<unknown>[] = [];
    const sendIn = (tx: unknown) =>
      void refused.push(dispatcher.send('order.late', {}, { tx: tx as never }));
    client.transaction((tx) => {
      sendIn(tx);
      client.execute(tx, 'INSERT INTO orders VALUES (1, 5)');
    });
    client.execute(client.bare, 'BEGIN');
    sendIn(client.bare);
    client.execute(client.bare, 'COMMIT');
    for (const { status, ...result } of await Promise.allSettled(refused)) {
      expect([status, result]).toMatchObject([
        'rejected',
        {
          reason: {
            code: 'THORN_INVALID_INPUT',
            field: 'tx',
            message: expect.stringMatching(/option tables; .*pass tx: null/) as string,
          },
        },
      ]);
    }
    expect(refused).toHaveLength(2);
    await receiver.waitFor(1);
    expect(receiver.received.map(({ event }) => event)).toEqual(['order.placed']);
  });
});
