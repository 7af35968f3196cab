import BetterSqlite3 from 'better-sqlite3';
import { DefaultNamingStrategy } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InMemorySubscriberRepository } from '../../lib/subscriber/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { Article, openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';

const STAGED = 'SELECT id FROM thorn_staged_messages';
const STORED = 'SELECT id FROM thorn_messages';

describe('messages staged on SQLite', () => {
  let place: TestDatabase;
  let receiver: ScriptedReceiver;
  const apps: OutboxApp[] = [];

  beforeEach(async () => {
    [place, receiver] = [await createDatabase('file'), await ScriptedReceiver.start()];
  });

  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    await receiver.stop();
    await place.drop();
  });

  /** A process that leaves deliveries to others, and looks for nothing by itself. */
  const sender = async () => {
    const app = await openOutboxApp(place, { worker: false, pollInterval: 60_000 });
    apps.push(app);
    expect(await pending(app)).toBe(0);
    return app;
  };
  const save = ({ dataSource }: OutboxApp) =>
    dataSource.manager.save(dataSource.manager.create(Article, { title: 'One' }));
  const pending = async ({ deliveries }: OutboxApp) => (await deliveries.stats()).pendingMessages;

  const stageMore = (app: OutboxApp, amount: number) =>
    app.rows(`INSERT INTO thorn_staged_messages (id, event, time, audience, headers, settings, recipients, body, due_at)
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${amount})
      SELECT printf('00000000-0000-7000-8000-%012d', i), event, time, audience, headers, settings, recipients, body, due_at FROM n, thorn_staged_messages`);

  it('are in a table of their own until the outbox reads or writes something', async () => {
    const app = await sender();
    await save(app);
    expect([await app.rows(STAGED), await app.rows(STORED)]).toMatchObject([[{}], []]);
    expect(await pending(app)).toBe(1);
    expect([await app.rows(STAGED), await app.rows(STORED)]).toMatchObject([[], [{}]]);
  });

  it('are delivered once, by the worker of another process', async () => {
    await save(await sender());
    const subscribers = new InMemorySubscriberRepository();
    await subscribers.create(subscriber(receiver.url));
    const worker = await openOutboxApp(place, { subscribers });
    apps.push(worker);
    await receiver.waitFor(1);
    await worker.until('SELECT id FROM thorn_pending_messages', (rows) => rows.length === 0);
    expect(await worker.rows(STORED)).toHaveLength(1);
    expect(receiver.received).toHaveLength(1);
  });

  it('are those that were sent outside of transactions as well, by a process that delivers', async () => {
    const subscribers = new InMemorySubscriberRepository();
    receiver.otherwise({ delay: 60_000 });
    await subscribers.create(subscriber(receiver.url));
    const app = await openOutboxApp(place, { subscribers, pollInterval: 60_000 });
    apps.push(app);
    expect(await pending(app)).toBe(0);
    await app.pipeline.send([app.message(), app.message()]);
    await receiver.waitFor(2);
    expect([await app.rows(STAGED), await app.rows(STORED)]).toMatchObject([[{}, {}], []]);
    await app.send({ id: 'given' });
    expect([await app.rows(STAGED), await app.rows(STORED)]).toMatchObject([[], [{}, {}, {}]]);
    await receiver.waitFor(3);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toHaveLength(3);
  });

  it('are left to nobody else: a process without a worker writes them where they stay', async () => {
    const app = await sender();
    await app.send();
    expect([await app.rows(STAGED), await app.rows(STORED)]).toMatchObject([[], [{}]]);
  });

  it('vanish with their transaction', async () => {
    const app = await sender();
    await app.dataSource
      .transaction(async (manager) => {
        await app.strategy.stage([app.message()], manager);
        expect(await manager.query(STAGED)).toHaveLength(1);
        throw new Error('rolled back');
      })
      .catch(() => undefined);
    expect(await app.rows(STAGED)).toEqual([]);
    expect(await pending(app)).toBe(0);
  });

  it('are found by another message of their id', async () => {
    const app = await sender();
    const first = app.message();
    await app.dataSource.transaction(async (manager) => app.strategy.stage([first], manager));
    expect(await app.rows(STAGED)).toHaveLength(1);
    const second = app.message({ id: first.id });
    await app.dataSource.transaction(async (manager) => app.strategy.stage([second], manager));
    expect(await app.strategy.release([first, second])).toMatchObject([
      { state: 'accepted' },
      { state: 'duplicate' },
    ]);
    expect(await pending(app)).toBe(1);
  });

  it('are found by another message of their id, however many were staged before', async () => {
    const app = await sender();
    await save(app);
    await stageMore(app, 2500);
    const first = app.message();
    await app.dataSource.transaction(async (manager) => app.strategy.stage([first], manager));
    expect(await app.rows(STAGED)).toHaveLength(2502);
    const second = app.message({ id: first.id });
    await app.dataSource.transaction(async (manager) => app.strategy.stage([second], manager));
    const released = await app.strategy.release([first, second]);
    expect(released.map(({ state }) => state)).toEqual(['accepted', 'duplicate']);
    expect(await pending(app)).toBe(2502);
  });

  it('stay where they are for a message whose id none of them can have', async () => {
    const app = await sender();
    await save(app);
    const given = app.message({ id: 'given' });
    await app.dataSource.transaction(async (manager) => app.strategy.stage([given], manager));
    expect([await app.rows(STAGED), await app.rows(STORED)]).toMatchObject([[{}], [{}]]);
    expect(await pending(app)).toBe(2);
  });

  it('are written where they stay when they are long', async () => {
    const app = await sender();
    const long = app.message({ data: { text: 'x'.repeat(20_000) } });
    await app.dataSource.transaction(async (manager) => app.strategy.stage([long], manager));
    expect([await app.rows(STAGED), await app.rows(STORED)]).toMatchObject([[], [{}]]);
    expect(await pending(app)).toBe(1);
  });

  it('need few prepared statements, however many there are, and whether they are staged or not', async () => {
    const app = await sender();
    const prepared = new Set<string>();
    const handle = Reflect.get(
      app.dataSource.driver,
      'databaseConnection',
    ) as BetterSqlite3.Database;
    const { prepare } = handle;
    handle.prepare = ((sql: string) => {
      if (sql.includes('INTO "thorn_')) prepared.add(sql);
      return prepare.call(handle, sql);
    }) as typeof prepare;
    for (let count = 1; count < 60; count++) {
      const titles = Array.from({ length: count }, (_, at) => ({ title: `Title ${at}` }));
      await app.dataSource.manager.save(Article, titles);
      const given = titles.map((_, at) => app.message({ id: `given-${count}-${at}` }));
      await app.dataSource.transaction(async (manager) => app.pipeline.stage(given, manager));
    }
    expect(prepared.size).toBeLessThan(10);
    expect(await pending(app)).toBe(2 * ((59 * 60) / 2));
  });

  it('have their table again after all tables were dropped', async () => {
    const app = await sender();
    await save(app);
    await app.dataSource.synchronize(true);
    await save(app);
    expect(await app.rows(STAGED)).toHaveLength(1);
    await app.dataSource.synchronize(true);
    expect(await pending(app)).toBe(0);
  });

  it('are moved with all that was written before, however many they are', async () => {
    const app = await sender();
    await save(app);
    await stageMore(app, 2500);
    let turns = 0;
    const counting = setInterval(() => turns++, 0);
    expect(await pending(app)).toBe(2501);
    clearInterval(counting);
    expect(turns).toBeGreaterThan(1);
    expect(await app.rows(STAGED)).toEqual([]);
  });

  it('are not overlooked while another process writes: who reads waits for it', async () => {
    const app = await sender();
    await save(app);
    const other = new BetterSqlite3(place.options.database as string);
    other.exec('BEGIN IMMEDIATE');
    const counted = pending(app);
    await new Promise((resolve) => setImmediate(resolve));
    other.exec('ROLLBACK');
    other.close();
    expect(await counted).toBe(1);
  });

  it('are seen by nobody whose data source may only read', async () => {
    await save(await sender());
    const options = { ...place.options, readonly: true };
    const reader = await openOutboxApp({ options }, { worker: false, synchronize: false });
    apps.push(reader);
    expect(await pending(reader)).toBe(0);
    expect(await reader.rows(STAGED)).toHaveLength(1);
  });

  it('have their table in a transaction that was begun by hand, too', async () => {
    const app = await sender();
    const runner = app.dataSource.createQueryRunner();
    for (const draft of [{}, { id: 'given' }]) {
      await app.dataSource.synchronize(true);
      await runner.query('BEGIN');
      await runner.manager.insert(Article, { title: 'One' });
      await app.strategy.stage([app.message(draft)], runner.manager);
      await runner.query('COMMIT');
    }
    await runner.release();
    // Of the second transaction.
    expect(await pending(app)).toBe(2);
  });

  it('of two applications on one file are kept apart by the prefixes of their tables', async () => {
    class Prefixed extends DefaultNamingStrategy {
      constructor(private readonly prefix: string) {
        super();
      }

      override tableName(target: string, name: string | undefined): string {
        return this.prefix + super.tableName(target, name);
      }
    }
    const open = async (prefix: string) => {
      const options = { ...place.options, namingStrategy: new Prefixed(prefix) };
      const app = await openOutboxApp({ options }, { worker: false, pollInterval: 60_000 });
      apps.push(app);
      return app;
    };
    const [one, other] = [await open('a_'), await open('b_')];
    await save(one);
    expect([await pending(other), await pending(one)]).toEqual([0, 1]);
  });
});
