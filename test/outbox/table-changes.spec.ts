import * as postgres from 'drizzle-orm/pg-core';
import * as postgres1 from 'drizzle-orm-1/pg-core';
import * as sqlite from 'drizzle-orm/sqlite-core';
import * as sqlite1 from 'drizzle-orm-1/sqlite-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReportedSources } from '../../lib/capture/index.js';
import { DispatchStrategy } from '../../lib/extending/index.js';
import { FanOut } from '../../lib/dispatch/index.js';
import { defineTableEvents, Subscribers } from '../../lib/index.js';
import { HeardTables } from '../../lib/outbox/changes/heard-tables.js';
import type { OutboxStrategy } from '../../lib/outbox/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import type { FreshDatabase } from '../services/database.js';
import {
  makeTriggers,
  type OrderRow,
  ORDERS,
  startTablesApp,
  type TablesApp,
} from '../support/apps/tables-app.js';
import { CLIENT_DATABASES, type OwnConnection } from '../support/client-databases.js';

interface Told {
  readonly type: string;
  readonly data: { readonly id: number; readonly state: string; readonly total: number };
}

describe.each(CLIENT_DATABASES)('changes of tables on $database', (place) => {
  const { database } = place;
  let fresh: FreshDatabase;
  /** Another program, as far as applications can tell. */
  let own: OwnConnection;
  let receiver: ScriptedReceiver;
  let apps: TablesApp[];

  beforeEach(async () => {
    fresh = await place.create();
    own = place.connect(fresh.url);
    receiver = await ScriptedReceiver.start();
    await own.query(ORDERS);
    await makeTriggers(place, fresh.url);
    apps = [];
  });
  afterEach(async () => {
    for (const app of apps) await app.close();
    await own.end();
    await receiver.stop();
    await fresh.drop();
  });

  async function start(options: Parameters<typeof startTablesApp>[2] = {}) {
    const app = await startTablesApp(place, fresh.url, options);
    apps.push(app);
    return app;
  }
  const subscribe = (app: TablesApp, ordered = false) =>
    app.app.get(Subscribers).create({ url: receiver.url, events: ['order.*'], ordered });
  const told = () => receiver.received.map(({ json }) => json as Told);
  const changes = async () =>
    Number((await own.query('SELECT COUNT(*) AS n FROM thorn_changes'))[0]!['n']);
  const quiet = () => vi.waitFor(async () => expect(await changes()).toBe(0));

  it('are delivered, signed, whoever makes them', async () => {
    const app = await start();
    const { secrets } = await subscribe(app);
    await own.query("INSERT INTO orders VALUES (1, 'NEW', 5)");
    await receiver.waitFor(1);
    await own.query("UPDATE orders SET state = 'PAID' WHERE id = 1");
    await receiver.waitFor(2);
    await own.query('DELETE FROM orders WHERE id = 1');
    await receiver.waitFor(3);

    expect(told().map(({ type, data }) => [type, data.state])).toEqual([
      ['order.placed', 'NEW'],
      ['order.changed', 'PAID'],
      ['order.removed', 'PAID'],
    ]);
    expect(receiver.received.every((one) => one.isSignedWith(secrets[0]!.value))).toBe(true);
    await quiet();
  });

  it('take a changed key for a removal and a creation', async () => {
    await subscribe(await start());
    await own.query("INSERT INTO orders VALUES (1, 'NEW', 5)");
    await receiver.waitFor(1);
    await own.query('UPDATE orders SET id = 2 WHERE id = 1');
    await receiver.waitFor(3);

    expect(told().map(({ type, data }) => `${type} ${data.id}`)).toEqual(
      expect.arrayContaining(['order.placed 1', 'order.removed 1', 'order.placed 2']),
    );
  });

  it.each(database === 'postgres' ? [database] : [])(
    'tell a row as its transaction has left it, though a trigger has changed it once more: %s',
    async () => {
      await own.query(`
        CREATE FUNCTION pay() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN UPDATE orders SET state = NEW.state || '!' WHERE id = NEW.id; RETURN NULL; END $$;
        CREATE TRIGGER pay AFTER INSERT OR UPDATE OF total ON orders FOR EACH ROW EXECUTE FUNCTION pay()`);
      await subscribe(await start());
      await own.query("INSERT INTO orders VALUES (1, 'NEW', 5)");
      await receiver.waitFor(1);
      await own.query('UPDATE orders SET total = 6 WHERE id = 1');
      await receiver.waitFor(2);
      await quiet();
      expect(told().map(({ type, data }) => [type, data.state, data.total])).toEqual([
        ['order.placed', 'NEW!', 5],
        ['order.changed', 'NEW!!', 6],
      ]);
    },
  );

  it.each(database === 'sqlite' ? [sqlite, sqlite1] : [])(
    'tell what Drizzle keeps in bytes as its types say: %#',
    async (core) => {
      const { sqliteTable, integer, blob } = core as typeof sqlite;
      const notes = defineTableEvents(
        sqliteTable('notes', {
          id: integer().primaryKey(),
          body: blob({ mode: 'json' }),
          number: blob({ mode: 'bigint' }),
          bytes: blob({ mode: 'buffer' }),
        }),
        { payload: (row) => row, events: { 'note.placed': { on: 'create' } } },
      );
      await own.query(
        'CREATE TABLE notes (id integer PRIMARY KEY, body blob, number blob, bytes blob)',
      );
      await makeTriggers(place, fresh.url, [notes]);
      const app = await start({ tables: [notes] });
      await app.app.get(Subscribers).create({ url: receiver.url, events: ['note.*'] });
      await own.query(
        `INSERT INTO notes VALUES (1, CAST('{"y":2}' AS blob), CAST('9007199254740993' AS blob), x'00FF')`,
      );
      await receiver.waitFor(1);
      expect(told()[0]!.data).toEqual({
        ...{ id: 1, body: { y: 2 }, number: '9007199254740993', bytes: 'AP8=' },
      });
    },
  );

  it.each(database === 'postgres' ? [postgres, postgres1 as unknown as typeof postgres] : [])(
    'tell points and lists of Drizzle as its types say: %#',
    async ({ pgTable, integer, point, bigint, numeric }) => {
      const places = defineTableEvents(
        pgTable('places', {
          id: integer().primaryKey(),
          at: point().notNull(),
          seen: point({ mode: 'xy' }),
          way: point().array().notNull(),
          ids: bigint({ mode: 'bigint' }).array().notNull(),
          sizes: numeric({ mode: 'number' }).array().notNull(),
        }),
        {
          payload: ({ at, seen, way, ids, sizes }) => ({
            ...{ at: at[0] + at[1], seen: seen!.x, way: way.map(([x]) => x) },
            ...{ ids: ids.map((id) => id.padStart(2, '0')), sizes: sizes.map((one) => one + 1) },
          }),
          events: { 'place.found': { on: 'create' } },
        },
      );
      await own.query(
        `CREATE TABLE places (id int PRIMARY KEY, at point, seen point, way point[], ids bigint[],
          sizes numeric[])`,
      );
      await makeTriggers(place, fresh.url, [places]);
      const app = await start({ tables: [places] });
      await app.app.get(Subscribers).create({ url: receiver.url, events: ['place.*'] });
      await own.query(
        `INSERT INTO places VALUES (1, '(1.5,-2)', '(3e20,4)', '{"(1,2)","(3,4)"}',
          '{1,9007199254740993}', '{1.50,2}')`,
      );
      await receiver.waitFor(1);
      expect(told()[0]!.data).toEqual({
        ...{ at: -0.5, seen: 3e20, way: [1, 3] },
        ...{ ids: ['01', '9007199254740993'], sizes: [2.5, 3] },
      });
    },
  );

  it('are kept when their payload throws, and hold up no others', async () => {
    await subscribe(await start());
    await own.query("INSERT INTO orders VALUES (1, 'BAD', 5)");
    await own.query("INSERT INTO orders VALUES (2, 'NEW', 5)");
    await receiver.waitFor(1);
    await vi.waitFor(async () =>
      expect(await own.query('SELECT fault FROM thorn_changes')).toEqual([
        { fault: expect.stringContaining('cannot be told') },
      ]),
    );
    expect(told().map(({ data }) => data.id)).toEqual([2]);
  });

  it('are left to a newer version of the application, which declares more events', async () => {
    const older = defineTableEvents<OrderRow>('orders', {
      ...{ key: 'id', payload: ({ id }) => ({ id }) },
      events: { 'order.placed': { on: 'create' } },
    });
    const before = await start({ tables: [older] });
    await subscribe(before);
    await own.query("INSERT INTO orders VALUES (1, 'NEW', 5)");
    await receiver.waitFor(1);
    const after = await start();
    const { id } = await after.app
      .get(Subscribers)
      .create({ url: receiver.url, events: ['order.changed'] });
    const { items } = await after.app.get(Subscribers).list({}, 'any');
    const first = items.find((one) => one.id !== id);
    await after.app.get(Subscribers).delete(first!.id, 'any');
    await sweepOf(before).silence();
    expect(await heard()).toBe(1);
    await own.query("UPDATE orders SET state = 'PAID' WHERE id = 1");
    await receiver.waitFor(2);
    expect(told()[1]).toMatchObject({ type: 'order.changed', data: { id: 1, state: 'PAID' } });
    await quiet();
  });

  const silence = () => own.query('UPDATE thorn_captured_tables SET heard = FALSE');
  const heard = async () =>
    Number((await own.query('SELECT heard FROM thorn_captured_tables'))[0]!['heard']);
  const settled = async (work: Promise<unknown>) =>
    Promise.race([
      work.then(() => true),
      new Promise((resolve) => setTimeout(resolve, 300, false)),
    ]);

  it('are told from the commit of the first subscription on, whoever was writing', async () => {
    const app = await start();
    await silence();
    await own.query('BEGIN');
    await own.query("INSERT INTO orders VALUES (1, 'BEFORE', 1)");
    const subscribing = subscribe(app);
    expect(await settled(subscribing)).toBe(false);
    await own.query('COMMIT');
    await subscribing;
    expect([await heard(), await changes()]).toEqual([1, 0]);
    await own.query("INSERT INTO orders VALUES (2, 'AFTER', 1)");
    await receiver.waitFor(1);
    expect(told().map(({ data }) => data.state)).toEqual(['AFTER']);
  });

  it('are told of a transaction that began to read before the first subscription, or it fails', async () => {
    const app = await start();
    await silence();
    await own.query(
      { postgres: 'BEGIN ISOLATION LEVEL REPEATABLE READ', mysql: 'BEGIN', sqlite: 'BEGIN' }[
        database
      ],
    );
    await own.query('SELECT * FROM orders');
    await subscribe(app);
    const writing = own
      .query("INSERT INTO orders VALUES (1, 'LATE', 1)")
      .then(() => own.query('COMMIT'));
    // As the database says it where a transaction would overlook what others have committed.
    const code = await writing.then(
      () => null,
      (error: { readonly code: string }) => error.code,
    );
    expect([null, '40001', 'ER_CHECKREAD', 'SQLITE_BUSY_SNAPSHOT']).toContain(code);
    const isWritten = code === null;
    if (!isWritten) await own.query('ROLLBACK');
    await own.query("INSERT INTO orders VALUES (2, 'AFTER', 1)");
    await receiver.waitFor(isWritten ? 2 : 1);
    const states = told().map(({ data }) => data.state);
    expect(states.sort()).toEqual(isWritten ? ['AFTER', 'LATE'] : ['AFTER']);
  });

  const sweepOf = ({ app }: TablesApp, fanOut: Pick<FanOut, 'refresh'> = app.get(FanOut)) => {
    const { database: store, client } = app.get<OutboxStrategy>(DispatchStrategy).store;
    const reported = app.get(ReportedSources).of(client)!;
    return new HeardTables(store, reported, fanOut as FanOut);
  };
  const toldAfter = async () => {
    await own.query("INSERT INTO orders VALUES (9, 'AFTER', 1)");
    await receiver.waitFor(1);
  };

  // SQLite has one writer: the others would wait for it, with triggers or without.
  const ofServer = database === 'sqlite' ? [] : [database];

  it.each(ofServer)('wait for no writer when they are heard already: %s', async () => {
    const app = await start();
    await own.query(
      database === 'postgres' ? 'BEGIN ISOLATION LEVEL REPEATABLE READ' : 'START TRANSACTION',
    );
    await own.query("INSERT INTO orders VALUES (1, 'NEW', 1)");
    await own.query("INSERT INTO thorn_captured_tables VALUES ('others', FALSE, '[\"x\"]')");
    const subscribing = subscribe(app);
    expect(await settled(subscribing)).toBe(true);
    await own.query('COMMIT');
    await receiver.waitFor(1);
  });

  it.each(ofServer)('stay heard while somebody subscribes: %s', async () => {
    const app = await start();
    // The subscription waits in its last statement.
    await own.query('BEGIN');
    await own.query('UPDATE thorn_leases SET due_at = due_at');
    const subscribing = subscribe(app);
    expect(await settled(subscribing)).toBe(false);
    expect(await sweepOf(app).silence()).toBe(false);
    await own.query('ROLLBACK');
    await subscribing;
    expect(await heard()).toBe(1);
    await toldAfter();
  });

  it('stay heard when another process has stored a subscriber since they were read', async () => {
    const app = await start();
    const other = await start({ outbox: { worker: false } });
    const refresh = async () => {
      await app.app.get(FanOut).refresh();
      await subscribe(other);
    };
    await sweepOf(app, { refresh }).silence();
    expect(await heard()).toBe(1);
    await toldAfter();
  });

  it.each(ofServer)('are heard again by a subscription that finds them silenced: %s', async () => {
    const app = await start();
    await own.query('BEGIN');
    await silence();
    const subscribing = subscribe(app);
    expect(await settled(subscribing)).toBe(false);
    await own.query('COMMIT');
    await subscribing;
    expect(await heard()).toBe(1);
    await toldAfter();
  });

  it.each(ofServer)(
    'refuse a subscription while a transaction stays open, and hold up nobody: %s',
    async () => {
      const app = await start();
      await silence();
      const other = place.connect(fresh.url);
      try {
        await own.query('BEGIN');
        await own.query("INSERT INTO orders VALUES (1, 'BEFORE', 1)");
        const refused = subscribe(app).catch((error: { readonly code: string }) => error.code);
        await settled(refused);
        const since = performance.now();
        await other.query("INSERT INTO orders VALUES (2, 'OTHER', 1)");
        expect(performance.now() - since).toBeLessThan(2000);
        expect(await refused).toBe('THORN_TABLE_LOCKED');
        expect(await other.query('SELECT id FROM thorn_subscribers')).toEqual([]);
        await own.query('COMMIT');
        await subscribe(app);
      } finally {
        await other.end();
      }
    },
  );

  it('reach those who have subscribed in another process a moment before', async () => {
    const worker = await start();
    await subscribe(worker);
    await own.query("INSERT INTO orders VALUES (1, 'NEW', 1)");
    await receiver.waitFor(1);
    const late = await ScriptedReceiver.start();
    try {
      const caller = await start({ outbox: { worker: false } });
      await caller.app.get(Subscribers).create({ url: late.url, events: ['order.*'] });
      await own.query("INSERT INTO orders VALUES (2, 'NEW', 1)");
      await late.waitFor(1);
      expect(late.received.map(({ json }) => (json as Told).data.id)).toEqual([2]);
    } finally {
      await late.stop();
    }
  });

  it('write nothing down when nobody could hear of them any more', async () => {
    const app = await start();
    const { id } = await subscribe(app);
    const tables = sweepOf(app);
    await tables.silence();
    expect(await heard()).toBe(1);
    await app.app.get(Subscribers).delete(id, 'any');
    await tables.silence();
    expect(await heard()).toBe(0);
    await own.query("INSERT INTO orders VALUES (1, 'NEW', 1)");
    expect(await changes()).toBe(0);
    await subscribe(app);
    expect(await heard()).toBe(1);
  });

  it.each(
    place.writers
      .map(({ name }) => name)
      .filter((name) => name !== 'pg 8.16' && name !== 'TypeORM'),
  )('are delivered of transactions of %s', async (name) => {
    const app = await start({ client: name });
    await subscribe(app, true);
    const kind = place.writers.find((one) => one.name === name)!;
    const run = (sql: string) => app.client.begin((tx) => kind.execute(tx, sql));
    await run("INSERT INTO orders VALUES (1, 'NEW', 5)");
    await run("UPDATE orders SET state = 'PAID' WHERE id = 1");
    const undone = app.client.begin(async (tx) => {
      await kind.execute(tx, "UPDATE orders SET state = 'UNDONE' WHERE id = 1");
      throw new Error('rolled back');
    });
    await expect(undone).rejects.toThrow('rolled back');
    await run('DELETE FROM orders WHERE id = 1');
    await receiver.waitFor(3);
    await quiet();
    expect(told().map(({ type, data }) => [type, data.state])).toEqual([
      ['order.placed', 'NEW'],
      ['order.changed', 'PAID'],
      ['order.removed', 'PAID'],
    ]);
  });
});
