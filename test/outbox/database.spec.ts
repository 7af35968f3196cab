import pg, { type Pool } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import { SystemClock } from '../../lib/common/time.js';
import { createStore } from '../../lib/database/pooled-store.js';
import { TypeOrmClient } from '../../lib/database/typeorm-client.js';
import { ThornSubscriber } from '../../lib/typeorm/index.js';
import { keyOf } from '../../lib/outbox/tables/keys.js';
import { DatabaseSubscriberRepository } from '../../lib/subscriber/index.js';
import { MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { freePort } from '../services/free-port.js';
import { TcpProxy } from '../services/tcp-proxy.js';
import { analyzeTables, insertDueDeliveries } from '../support/seed-due-deliveries.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import {
  Article,
  openOutboxApp,
  type OutboxApp,
  type OutboxAppOptions,
  subscriber,
} from '../support/apps/outbox-app.js';
import { STORED_ATTEMPTS } from '../support/stored-attempts.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const MESSAGES = `SELECT * FROM ${STORED_MESSAGES}`;
const DELIVERIES = 'SELECT * FROM thorn_deliveries ORDER BY id';
const DAY = 24 * 60 * 60_000;
const isDone = (rows: Record<string, unknown>[]) => rows.every(({ due_at: due }) => due === null);

let place: TestDatabase;
let receiver: ScriptedReceiver;
let rigs: OutboxApp[];

async function open(
  kind: DatabaseKind,
  options: OutboxAppOptions = {},
  extra: object = {},
): Promise<OutboxApp> {
  if (rigs.length === 0) place = await createDatabase(kind);
  const database = { ...place, options: { ...place.options, extra } as DataSourceOptions };
  const rig = await openOutboxApp(database, { synchronize: rigs.length === 0, ...options });
  rigs.push(rig);
  return rig;
}

beforeEach(async () => {
  rigs = [];
  receiver = await ScriptedReceiver.start();
});

afterEach(async () => {
  vi.restoreAllMocks();
  for (const rig of rigs) await rig.close();
  await receiver.stop();
  await place.drop();
});

describe.each<{ kind: DatabaseKind }>([
  { kind: 'file' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
])('the outbox on $kind', ({ kind }) => {
  it('finishes the attempts under way before it shuts down', async () => {
    receiver.otherwise({ delay: 200 });
    const rig = await open(kind);
    await rig.subscribers.create(subscriber(receiver.url));
    for (let n = 0; n < 50; n++) await rig.send();
    await receiver.waitFor(50);
    await rig.strategy.onModuleDestroy();
    await rig.strategy.onApplicationShutdown();
    const rows = await rig.rows(DELIVERIES);
    expect(rows).toHaveLength(50);
    expect(rows.every(({ status }) => status === 'succeeded')).toBe(true);
    expect((await rig.rows(MESSAGES)).every(({ due_at: due }) => due === null)).toBe(true);
  });

  it('stops waiting at its time-out, and lets other workers claim the rest at once', async () => {
    receiver.answer('hang');
    const rig = await open(kind, { drainTimeout: 200, timeout: 60_000, perHost: 1, window: 1 });
    await rig.subscribers.create(subscriber(receiver.url));
    for (let n = 0; n < 3; n++) await rig.send();
    await receiver.waitFor(1);
    const began = performance.now();
    await rig.strategy.onApplicationShutdown();
    expect(performance.now() - began).toBeLessThan(10_000);
    const next = await open(kind, { subscribers: rig.subscribers });
    await receiver.waitFor(4);
    await next.until(MESSAGES, isDone);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(3);
    // Ends the request that hangs, for which the first one would wait when it closes.
    await receiver.stop();
  });

  it('survives failing queries, and records outcomes as soon as the database is back', async () => {
    const errors = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const clock = new MovableClock();
    const rig = await open(kind, { clock, schedule: [1000] });
    await rig.subscribers.create(subscriber(receiver.url));
    receiver.answer(500);
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 1);
    await rig.rows('ALTER TABLE thorn_deliveries RENAME TO thorn_away');
    clock.advance(2000);
    await rig.send();
    await receiver.waitFor(2);
    const lines = () => errors.mock.calls.map(([line]) => String(line));
    await vi.waitFor(() => {
      expect(lines()).toContainEqual(expect.stringMatching(/^Looking for due deliveries failed/));
      expect(lines()).toContainEqual(expect.stringMatching(/^Writing \d+ outcome\(s\) failed/));
    });
    await rig.rows('ALTER TABLE thorn_away RENAME TO thorn_deliveries');
    await rig.until(DELIVERIES, (rows) => rows.length === 2 && isDone(rows));
    expect(receiver.received).toHaveLength(3);
  });

  it('deletes old finished messages, never pending ones', async () => {
    const clock = new MovableClock();
    const rig = await open(kind, { clock, schedule: [30 * DAY], retentionDays: 20 });
    await rig.subscribers.create(subscriber(receiver.url));
    receiver.answer(204, 500);
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 1);
    const pending = await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 2);
    await rig.until(MESSAGES, isDone);
    clock.advance(21 * DAY);
    await rig.close();
    const next = await open(kind, { clock, subscribers: rig.subscribers, retentionDays: 20 });
    const left = await next.until(MESSAGES, (rows) => rows.length === 1);
    expect(left[0]!['id']).toBe(keyOf('msg_', pending.id));
    expect(await next.rows(DELIVERIES)).toMatchObject([
      { message_id: keyOf('msg_', pending.id), status: 'pending' },
    ]);
    expect(await next.rows(`SELECT * FROM ${STORED_ATTEMPTS}`)).toHaveLength(1);
  });

  it('drops bodies and answers earlier, as configured', async () => {
    const clock = new MovableClock();
    receiver.otherwise({ body: 'thanks' });
    const rig = await open(kind, { clock });
    const one = await rig.subscribers.create(subscriber(receiver.url));
    const own = { ...one, id: 'own_1', url: `${receiver.url}?token=s3cret` };
    await rig.send({ recipients: [own] });
    await rig.until(MESSAGES, (rows) => rows.length === 1 && isDone(rows));
    expect(await rig.rows(`SELECT response FROM ${STORED_ATTEMPTS}`)).toEqual([
      { response: 'thanks' },
      { response: 'thanks' },
    ]);
    clock.advance(3 * DAY);
    await rig.close();
    const next = await open(kind, { clock, expunge: { payloadDays: 2, responseDays: 1 } });
    await next.until('SELECT body FROM thorn_messages', ([row]) => row!['body'] === null);
    // With the body, the secrets of those that the message has named itself.
    expect(JSON.stringify(await next.rows(MESSAGES))).not.toContain('s3cret');
    await next.until(`SELECT response FROM ${STORED_ATTEMPTS}`, (rows) =>
      rows.every(({ response }) => response === null),
    );
    expect(await next.rows(DELIVERIES)).toHaveLength(2);
  });

  it('delivers to a host with few due deliveries at once, however many another host has', async () => {
    const rig = await open(kind, { worker: false });
    const closed = { url: `http://127.0.0.1:${await freePort()}/hooks` };
    const dead = await rig.subscribers.create(subscriber(closed.url));
    const alive = await rig.subscribers.create(subscriber(receiver.url));
    await insertDueDeliveries(rig, kind, {
      count: 50_000,
      subscriber: dead.id,
      hosts: [new URL(closed.url).host],
    });
    await insertDueDeliveries(rig, kind, {
      count: 1,
      subscriber: alive.id,
      hosts: [new URL(receiver.url).host],
    });
    await analyzeTables(rig, kind);
    await open(kind, { subscribers: rig.subscribers });
    const began = performance.now();
    await receiver.waitFor(1);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describe('SQLite', () => {
  it('loses and blocks no message while a transaction of the application is open', async () => {
    const rig = await open('file');
    await rig.subscribers.create(subscriber(receiver.url));
    await rig.send();
    await rig.until(MESSAGES, isDone);
    const runner = rig.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query(`INSERT INTO article (title) VALUES ('open')`);
    let longest = 0;
    let last = performance.now();
    const pulse = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const sending = [rig.send(), rig.send(), rig.send()];
    await new Promise((resolve) => setTimeout(resolve, 200));
    clearInterval(pulse);
    await runner.rollbackTransaction();
    const sent = (await Promise.all(sending)).map(({ id }) => id);
    await rig.until(MESSAGES, (rows) => rows.length === 4 && isDone(rows));
    await receiver.waitFor(4);
    expect(receiver.received.map(({ id }) => id)).toEqual(expect.arrayContaining(sent));
    expect(await rig.rows('SELECT * FROM article')).toEqual([]);
    // SQLite itself would wait for five seconds.
    expect(longest).toBeLessThan(2000);
  });

  it('does not fail a transaction that has only read so far', async () => {
    const rig = await open('file');
    await rig.subscribers.create(subscriber(receiver.url));
    receiver.otherwise({ delay: 50 });
    await rig.send();
    await receiver.waitFor(1);
    await rig.dataSource.transaction(async (manager) => {
      await manager.find(Article);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await manager.save(Object.assign(new Article(), { title: 'Late' }));
    });
    await rig.until(MESSAGES, (rows) => rows.length === 2 && isDone(rows));
    expect(await rig.rows('SELECT title FROM article')).toEqual([{ title: 'Late' }]);
  });

  it('does not write into a transaction of the application in a database in memory', async () => {
    const rig = await open('memory');
    await rig.subscribers.create(subscriber(receiver.url));
    receiver.otherwise({ delay: 20 });
    await rig.send();
    await receiver.waitFor(1);
    const runner = rig.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query(`INSERT INTO article (title) VALUES ('open')`);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await rig.rows(DELIVERIES)).toEqual([]);
    await runner.rollbackTransaction();
    await rig.until(DELIVERIES, (rows) => rows.length === 1);
    await rig.until(MESSAGES, isDone);
  });
});

describe.each([
  { kind: 'postgres' as const, connectionId: 'pg_backend_pid()', sleep: 'pg_sleep(3)' },
  { kind: 'mariadb' as const, connectionId: 'CONNECTION_ID()', sleep: 'SLEEP(3)' },
])('the pool of $kind', ({ kind, connectionId, sleep }) => {
  it('keeps its connections when the outbox has waited for one for too long', async () => {
    const errors = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    place = await createDatabase(kind);
    const options = { ...place.options, poolSize: 1 } as DataSourceOptions;
    const rig = await openOutboxApp({ options }, { queryTimeout: 5000 });
    rigs.push(rig);
    await rig.subscribers.create(subscriber(receiver.url));
    const runner = rig.dataSource.createQueryRunner();
    const [before] = (await runner.query(`SELECT ${connectionId} AS id`)) as unknown[];
    await vi.waitFor(() => expect(errors).toHaveBeenCalled());
    expect(String(errors.mock.calls[0]?.[0])).toMatch(/no free connection within 5000 ms/);
    await runner.release();
    await rig.send();
    await receiver.waitFor(1);
    expect(await rig.rows(`SELECT ${connectionId} AS id`)).toEqual([before]);
  });

  it('gives a statement its whole time, however long the pool took to give a connection', async () => {
    place = await createDatabase(kind);
    const dataSource = new DataSource({ ...place.options, poolSize: 1 } as DataSourceOptions);
    await dataSource.initialize();
    const store = createStore(new TypeOrmClient(dataSource), 5500);
    const runner = dataSource.createQueryRunner();
    const [before] = (await runner.query(`SELECT ${connectionId} AS id`)) as unknown[];
    const answer = store.execute([{ sql: `SELECT ${sleep} AS slept`, parameters: [] }]);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await runner.release();
    expect(await answer).toHaveLength(1);
    expect(await dataSource.query(`SELECT ${connectionId} AS id`)).toEqual([before]);
    await dataSource.destroy();
  });
});

describe('PostgreSQL', () => {
  it('reconnects when a connection has died silently', async () => {
    const errors = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const direct = await open('postgres', { worker: false });
    const proxy = await TcpProxy.start((place.options as { url: string }).url);
    const { options } = place;
    const rig = await openOutboxApp(
      // Without its own timeout pg waits for ever for a connection that dies while it is being opened.
      {
        options: {
          ...options,
          ...{ url: proxy.url, poolSize: 2, connectTimeoutMS: 1000 },
        } as DataSourceOptions,
      },
      { synchronize: false, queryTimeout: 1000, lease: 3000, subscribers: direct.subscribers },
    );
    await direct.subscribers.create(subscriber(receiver.url));
    await direct.send();
    await receiver.waitFor(1);
    proxy.swallow();
    await vi.waitFor(() => expect(errors).toHaveBeenCalled());
    await direct.send();
    await receiver.waitFor(2);
    await direct.until(MESSAGES, isDone);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(2);
    await rig.close();
    await proxy.stop();
  });
});

describe.each<{ kind: 'postgres' | 'mariadb'; lock: string; waiting: string }>([
  {
    kind: 'postgres',
    lock: 'LOCK TABLE thorn_subscribers IN ACCESS EXCLUSIVE MODE',
    waiting: `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  },
  {
    kind: 'mariadb',
    lock: 'LOCK TABLES thorn_subscribers WRITE',
    waiting: `SELECT id FROM information_schema.PROCESSLIST WHERE db = DATABASE() AND state = 'Waiting for table metadata lock'`,
  },
])('the subscribers on $kind', ({ kind, lock, waiting }) => {
  it('are known while a connection that reads them dies silently', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const entities = [Article, ThornSubscriber];
    const direct = await open(kind, { worker: false, entities });
    const proxy = await TcpProxy.start((place.options as { url: string }).url);
    const rig = await openOutboxApp(
      { options: { ...place.options, url: proxy.url } as DataSourceOptions },
      {
        ...{ synchronize: false, entities, queryTimeout: 1000, lease: 3000 },
        subscribers: (tables) =>
          new DatabaseSubscriberRepository(tables, new SystemClock(), { maxStaleness: 0 }),
      },
    );
    await rig.subscribers.create(subscriber(receiver.url));
    await direct.send();
    await receiver.waitFor(1);
    const runner = direct.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query(lock);
    await direct.send();
    await direct.until(waiting, (rows) => rows.length > 0);
    proxy.swallow();
    if (kind === 'mariadb') await runner.query('UNLOCK TABLES');
    await runner.rollbackTransaction();
    await runner.release();
    await receiver.waitFor(2);
    await direct.until(MESSAGES, isDone);
    expect(warn.mock.calls.map(([line]) => String(line))).toContainEqual(
      expect.stringMatching(/^The table thorn_subscribers could not be read: .* did not answer/),
    );
    await rig.close();
    await proxy.stop();
  });
});

describe('the outbox on PostgreSQL', () => {
  it('survives an error of a connection that the pool has just handed out', async () => {
    const rig = await open('postgres');
    await rig.send();
    const { master } = rig.dataSource.driver as unknown as { master: Pool };
    // The moment between pg's listener and TypeORM's: without a listener, emitting throws and would end the process.
    const thrown = await new Promise<unknown>((resolve) => {
      master.connect((_, client, release) => {
        try {
          client!.emit('error', Object.assign(new Error('terminated'), { code: '57P01' }));
          resolve(null);
        } catch (error) {
          resolve(error);
        } finally {
          release(true);
        }
      });
    });

    expect(thrown).toBeNull();
    expect((await rig.send()).id).toMatch(/^msg_/);
  });

  const prepared = async (pool: Pool): Promise<number[]> => {
    const clients = await Promise.all(
      Array.from({ length: pool.totalCount }, () => pool.connect()),
    );
    const counts = clients.map(async (client) => {
      const { rows } = await client.query<{ count: number }>(
        "SELECT count(*)::int FROM pg_prepared_statements WHERE name LIKE 'thorn%'",
      );
      client.release();
      return rows[0]!.count;
    });
    return Promise.all(counts);
  };

  it('prepares its statements, and goes on when the application throws them away', async () => {
    const rig = await open('postgres');
    const pool = (rig.dataSource.driver as unknown as { master: Pool }).master;
    await rig.subscribers.create(subscriber(receiver.url));
    // Each by itself: together they would be few runs of the statements.
    for (let sent = 1; sent <= 20; sent++) {
      await rig.send();
      await rig.until(DELIVERIES, (rows) => rows.length === sent && isDone(rows));
    }
    expect(Math.max(...(await prepared(pool)))).toBeGreaterThan(0);
    const clients = await Promise.all(
      Array.from({ length: pool.totalCount }, () => pool.connect()),
    );
    await Promise.all(clients.map((client) => client.query('DEALLOCATE ALL')));
    for (const client of clients) client.release();
    for (let n = 0; n < 20; n++) await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 40 && isDone(rows));
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(40);
  });

  it('prepares no statements through a pooler, whose connections are of other processes', async () => {
    // A pooler gives a number of its own, from the first connection on.
    class PooledClient extends pg.Client {
      get processID() {
        return 0x7fffffff;
      }

      set processID(_: number | null) {}
    }
    const rig = await open('postgres', {}, { Client: PooledClient });
    const pool = (rig.dataSource.driver as unknown as { master: Pool }).master;
    await rig.subscribers.create(subscriber(receiver.url));
    for (let n = 0; n < 40; n++) await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 40 && isDone(rows));
    expect(Math.max(...(await prepared(pool)))).toBe(0);
  });
});
