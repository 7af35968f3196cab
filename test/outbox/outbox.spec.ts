import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keyOf } from '../../lib/outbox/tables/keys.js';
import { MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import {
  Article,
  openOutboxApp,
  type OutboxApp,
  type OutboxAppOptions,
  SECRET,
  subscriber,
} from '../support/apps/outbox-app.js';
import { STORED_ATTEMPTS } from '../support/stored-attempts.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const MESSAGES = `SELECT * FROM ${STORED_MESSAGES}`;
const DELIVERIES = 'SELECT * FROM thorn_deliveries ORDER BY id';
const ATTEMPTS = `SELECT * FROM ${STORED_ATTEMPTS} ORDER BY delivery_id, number`;
const SECOND = 1000;
/** That store messages: PostgreSQL writes two tables with one of them. */
const STATEMENTS: Readonly<Record<DatabaseKind, number>> = {
  file: 3,
  memory: 3,
  postgres: 1,
  mariadb: 2,
};
/**
 * Of two or three sets with 400 outcomes and 40 messages; one by one they would be 440. SQLite's statements have 64 rows at
 * most, and the rest of a set is split into powers of two.
 */
const STATEMENTS_OF_SETS: typeof STATEMENTS = { file: 40, memory: 40, postgres: 20, mariadb: 20 };
/** Keeps outcomes from being written, as long as a transaction is open. */
const LOCKS: Readonly<Record<DatabaseKind, string>> = {
  file: 'UPDATE thorn_deliveries SET requests = requests',
  memory: 'SELECT 1',
  postgres: 'LOCK TABLE thorn_deliveries IN SHARE MODE',
  mariadb: 'SELECT * FROM thorn_deliveries FOR UPDATE',
};

describe.each<{ kind: DatabaseKind }>([
  { kind: 'file' },
  { kind: 'memory' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
])('outbox on $kind', ({ kind }) => {
  let place: TestDatabase;
  let receiver: ScriptedReceiver;
  let rigs: OutboxApp[];

  beforeEach(async () => {
    [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
    rigs = [];
  });

  afterEach(async () => {
    for (const rig of rigs) await rig.close();
    await receiver.stop();
    await place.drop();
  });

  async function open(options: OutboxAppOptions = {}): Promise<OutboxApp> {
    const rig = await openOutboxApp(place, { synchronize: rigs.length === 0, ...options });
    rigs.push(rig);
    return rig;
  }

  const finished = (count: number) => (rows: Record<string, unknown>[]) =>
    rows.length === count && rows.every(({ due_at: due }) => due === null);

  it('delivers committed messages, signed, and records the outcome', async () => {
    const rig = await open();
    await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_one' }));
    await rig.dataSource.manager.save(Object.assign(new Article(), { title: 'Roses' }));

    const [webhook] = await receiver.waitFor(1);
    expect(webhook!.isSignedWith(SECRET)).toBe(true);
    expect(webhook!.json).toMatchObject({ type: 'article.created', data: { title: 'Roses' } });

    const [message] = await rig.until(MESSAGES, finished(1));
    expect(message).toMatchObject({
      id: keyOf('msg_', webhook!.id),
      event: 'article.created',
      lease: null,
    });
    const text = kind === 'mariadb' ? 'CHAR' : 'TEXT';
    const [stored] = await rig.rows(`SELECT CAST(body AS ${text}) AS body FROM thorn_messages`);
    expect(Buffer.from(stored!['body'] as string).equals(webhook!.body)).toBe(true);
    const [delivery] = await rig.rows(DELIVERIES);
    expect(delivery).toMatchObject({
      id: keyOf('dlv_', webhook!.deliveryId),
      message_id: keyOf('msg_', webhook!.id),
      given_subscriber_id: 'sub_one',
      status: 'succeeded',
      reason: null,
      attempts: 1,
      requests: 1,
      host: null,
      due_at: null,
    });
    expect(await rig.rows(ATTEMPTS)).toMatchObject([
      {
        delivery_id: keyOf('dlv_', webhook!.deliveryId),
        number: 1,
        status: 204,
        error_code: null,
        address: '127.0.0.1',
      },
    ]);
  });

  it('adds few statements to the transaction, however many deliveries follow', async () => {
    const rig = await open();
    for (let n = 0; n < 10; n++) await rig.subscribers.create(subscriber(receiver.url));
    await rig.dataSource.transaction(async (manager) => {
      await manager.save(Object.assign(new Article(), { title: 'One' }));
      await manager.save(Object.assign(new Article(), { title: 'Two' }));
      rig.log.ofRunners.length = 0;
    });
    // Workers look for what is due all the time, on connections of their own.
    const { ofRunners } = rig.log;
    const end = ofRunners.findIndex((sql) => sql.endsWith('COMMIT'));
    const ours = /(?:INSERT INTO|UPDATE|DELETE FROM) \W?thorn_/;
    expect(ofRunners.slice(0, end + 1).filter((sql) => ours.test(sql))).toHaveLength(
      STATEMENTS[kind],
    );
    await receiver.waitFor(20);
  });

  it('records outcomes in batches: those that gather during a write form the next', async () => {
    const rig = await open({ pollInterval: 60_000, timeout: 60_000, queryTimeout: 60_000 });
    let [answered, answer] = [0, () => undefined as void];
    const mayAnswer = new Promise<void>((resolve) => (answer = resolve));
    // It shares this process: one that keeps and reads what arrives would take the time that deliveries need.
    const server = createServer((request, response) => {
      request.resume();
      void mayAnswer.then(() => response.end(() => answered++));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
    for (let n = 0; n < 10; n++) await rig.subscribers.create(subscriber(url));
    rig.log.statements.length = 0;
    await rig.pipeline.send(Array.from({ length: 40 }, () => rig.message()));
    await rig.pipeline.idle();
    expect(rig.log.statements.filter((sql) => /INSERT/.test(sql))).toHaveLength(STATEMENTS[kind]);
    await rig.dataSource.transaction(async (manager) => {
      await manager.query(LOCKS[kind]);
      answer();
      await vi.waitFor(() => expect(answered).toBe(400));
      // The server has sent the answers: the worker has to read them as well.
      await vi.waitFor(() =>
        expect(rig.strategy.activity()).toMatchObject({ inFlight: 0, waiting: 0 }),
      );
      rig.log.statements.length = 0;
    });
    await rig.until(MESSAGES, finished(40));
    const written = rig.log.statements.filter((sql) => /thorn_/.test(sql) && sql !== MESSAGES);
    expect(written.length).toBeLessThanOrEqual(STATEMENTS_OF_SETS[kind]);
    expect(await rig.rows(ATTEMPTS)).toHaveLength(400);
    server.closeAllConnections();
    server.close();
  });

  it('stages and sends no message that is rolled back, savepoints included', async () => {
    const rig = await open();
    await rig.subscribers.create(subscriber(receiver.url));
    await rig.dataSource
      .transaction(async (manager) => {
        await manager.save(Object.assign(new Article(), { title: 'Lost' }));
        throw new Error('no');
      })
      .catch(() => undefined);
    await rig.dataSource.transaction(async (manager) => {
      await manager.save(Object.assign(new Article(), { title: 'Kept' }));
      await manager
        .transaction(async (inner) => {
          await inner.save(Object.assign(new Article(), { title: 'Inner, lost' }));
          throw new Error('no');
        })
        .catch(() => undefined);
    });
    await rig.until(MESSAGES, finished(1));
    expect(receiver.received.map(({ json }) => json)).toMatchObject([{ data: { title: 'Kept' } }]);
  });

  it('retries a failed delivery when it is due and not before', async () => {
    const clock = new MovableClock();
    const rig = await open({ clock, schedule: [5 * SECOND, 60 * SECOND] });
    await rig.subscribers.create(subscriber(receiver.url));
    receiver.answer(500, { status: 400, body: 'not now' });
    await rig.send();
    await receiver.waitFor(1);
    const [waiting] = await rig.until(DELIVERIES, (rows) => rows.length === 1);
    expect(waiting).toMatchObject({ status: 'pending', attempts: 1, lease: null });
    const wait = Number(waiting!['due_at']) - clock.now();
    expect(wait).toBeGreaterThanOrEqual(5 * SECOND);
    expect(wait).toBeLessThanOrEqual(5.5 * SECOND);
    await rig.until(MESSAGES, finished(1));

    clock.advance(5 * SECOND - 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(receiver.received).toHaveLength(1);
    clock.advance(SECOND);
    await receiver.waitFor(2);
    await rig.until(DELIVERIES, ([row]) => row!['lease'] === null && row!['attempts'] === 2);
    clock.advance(66 * SECOND);
    const [one, two, three] = await receiver.waitFor(3);
    expect(new Set([one!.id, two!.id, three!.id]).size).toBe(1);
    expect(new Set([one!.deliveryId, two!.deliveryId, three!.deliveryId]).size).toBe(1);
    expect(one!.headers['webhook-timestamp']).not.toBe(three!.headers['webhook-timestamp']);
    await rig.until(DELIVERIES, finished(1));
    expect(await rig.rows(ATTEMPTS)).toMatchObject([
      { number: 1, status: 500 },
      { number: 2, status: 400, response: 'not now' },
      { number: 3, status: 204 },
    ]);
  });

  it('ends a delivery that the retry policy gives up, and keeps the row', async () => {
    const rig = await open({ schedule: [1] });
    await rig.subscribers.create(subscriber(receiver.url));
    receiver.otherwise(404);
    await rig.send();
    const [row] = await rig.until(DELIVERIES, finished(1));
    expect(row).toMatchObject({
      status: 'failed',
      reason: 'exhausted',
      attempts: 2,
      requests: 2,
    });
  });

  it('delivers what a sender without a worker has stored', async () => {
    const rig = await open({ worker: false });
    await rig.subscribers.create(subscriber(receiver.url));
    await rig.send();
    expect(await rig.rows(MESSAGES)).toHaveLength(1);
    if (kind === 'memory') return;
    await open({ subscribers: rig.subscribers });
    await receiver.waitFor(1);
    await rig.until(MESSAGES, finished(1));
  });

  it('stores a message of a known id once, and sends it once', async () => {
    const rig = await open();
    await rig.subscribers.create(subscriber(receiver.url));
    const first = await rig.send();
    const again = rig.message({ id: first.id });
    await rig.pipeline.send([again]);
    await rig.send();
    await rig.until(MESSAGES, finished(2));
    expect(receiver.received).toHaveLength(2);
  });

  it('does not delay other subscribers behind a slow one', async () => {
    const slow = await ScriptedReceiver.start();
    slow.otherwise('hang');
    const rig = await open({ perHost: 4, timeout: 120_000 });
    await rig.subscribers.create(subscriber(slow.url));
    await rig.subscribers.create(subscriber(receiver.url));
    for (let n = 0; n < 50; n++) await rig.send();
    await receiver.waitFor(50);
    expect(slow.received.length).toBeLessThanOrEqual(4);
    await slow.stop();
  });

  it('drops the staged rows of a buffer scope that threw', async () => {
    const rig = await open();
    const buffering = rig.pipeline.buffer(async () => {
      await rig.dataSource.manager.save(Object.assign(new Article(), { title: 'Lost' }));
      await rig.until(MESSAGES, (rows) => rows.length === 1);
      throw new Error('no');
    }, {});
    await expect(buffering).rejects.toThrow('no');
    expect(await rig.rows(MESSAGES)).toEqual([]);
  });

  it('ends the waiting deliveries of a subscriber that was disabled, and keeps them', async () => {
    const clock = new MovableClock();
    const rig = await open({ clock });
    const one = await rig.subscribers.create(subscriber(receiver.url));
    receiver.otherwise(500);
    await rig.send();
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 2);
    await rig.subscribers.update(one.id, { enabled: false, updatedAt: new Date() }, 'any');
    clock.advance(10 * SECOND);
    const rows = await rig.until(DELIVERIES, finished(2));
    expect(rows).toMatchObject([
      { status: 'failed', reason: 'disabled', attempts: 1 },
      { status: 'failed', reason: 'disabled', attempts: 1 },
    ]);
    expect(receiver.received).toHaveLength(2);
  });

  it('pauses an endpoint that asks for it, and resumes after a probe', async () => {
    const clock = new MovableClock();
    const rig = await open({ clock });
    await rig.subscribers.create(subscriber(receiver.url));
    receiver.answer({ status: 429, headers: { 'Retry-After': '30' } });
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 1);
    for (let n = 0; n < 5; n++) await rig.send();
    const rows = await rig.until(DELIVERIES, (all) => all.length === 6);
    expect(rows.map(({ attempts }) => attempts)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(rows.map(({ requests }) => requests).sort()).toEqual([0, 0, 0, 0, 0, 1]);
    expect(receiver.received).toHaveLength(1);
    clock.advance(40 * SECOND);
    await receiver.waitFor(7);
    await rig.until(DELIVERIES, finished(6));
  });
});
