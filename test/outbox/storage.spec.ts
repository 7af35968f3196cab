import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { outboxEntities } from '../../lib/typeorm/schema/thorn-schema.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import { joined, openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const DONE = (count: number) => (rows: Record<string, unknown>[]) =>
  rows.filter((row) => row['due_at'] === null).length === count;
const MESSAGES = `SELECT id, due_at FROM ${STORED_MESSAGES}`;

let place: TestDatabase;
let rig: OutboxApp;
let receiver: ScriptedReceiver;

afterEach(async () => {
  await rig.close();
  await receiver.stop();
  await place.drop();
});

// The last is what MySQL gets, on the server that there is.
const ON: readonly { readonly kind: DatabaseKind; readonly type?: 'mysql' }[] = [
  { kind: 'file' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
  { kind: 'mariadb', type: 'mysql' },
];

describe.each(ON)('stored messages on $kind $type', ({ kind, type }) => {
  const open = async () => {
    [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
    if (type !== undefined) {
      place = { ...place, options: { ...place.options, type } as DataSourceOptions };
    }
    rig = await openOutboxApp(place);
    await rig.subscribers.create(subscriber(receiver.url));
  };

  it('keeps a body of any length byte for byte', async () => {
    await open();
    const text = `\u{1F339}\ud800 "\\" \u0001 ?`.repeat(20_000);
    receiver.answer(500);
    await rig.close();
    rig = await openOutboxApp(place, { schedule: [1], subscribers: rig.subscribers });
    await rig.send({ data: { text } });

    const [first, again] = await receiver.waitFor(2);
    expect(first!.json).toMatchObject({ data: { text } });
    expect(again!.body.equals(first!.body)).toBe(true);
  });

  it('tells ids apart that differ in case alone', async () => {
    await open();
    await rig.send({ id: 'order_a' });
    await rig.send({ id: 'order_A' });
    await rig.until(MESSAGES, DONE(2));
    expect(receiver.received.map(({ id }) => id).sort()).toEqual(['order_A', 'order_a']);
  });

  it('notices a known id, in a transaction and without one', async () => {
    await open();
    await rig.send({ id: 'order_1' });
    await rig.send({ id: 'order_1' });
    const twice = [rig.message({ id: 'order_1' }), rig.message({ id: 'order_2' })];
    await rig.dataSource.transaction(async (manager) => rig.strategy.stage(twice, joined(manager)));
    await rig.strategy.release(twice);
    await rig.until(MESSAGES, DONE(2));
    expect(receiver.received.map(({ id }) => id).sort()).toEqual(['order_1', 'order_2']);
  });

  it('notices a known id that looks like a generated one, and lets the transaction go on', async () => {
    await open();
    const { id } = await rig.send();
    const [again, other] = [rig.message({ id }), rig.message()];
    await rig.dataSource.transaction(async (manager) => {
      await rig.strategy.stage([again], joined(manager));
      await rig.strategy.stage([other], joined(manager));
    });
    const released = await rig.strategy.release([again, other]);
    expect(released.map(({ state }) => state)).toEqual(['duplicate', 'accepted']);
    await rig.until(MESSAGES, DONE(2));
    expect(receiver.received.map((one) => one.id).sort()).toEqual([id, other.id].sort());
  });

  it('knows a message of its own again, whose set is written once more', async () => {
    await open();
    const [lost, other] = [rig.message(), rig.message()];
    await rig.strategy.stage([lost], undefined);
    // As after a connection that was lost with the answer to the first.
    await rig.strategy.stage([lost, other], undefined);
    const released = await rig.strategy.release([lost, other]);
    expect(released.map(({ state }) => state)).toEqual(['duplicate', 'accepted']);
    expect(await rig.rows('SELECT id FROM thorn_messages')).toHaveLength(2);
  });

  it('finishes a message that was deleted by hand while it was under way', async () => {
    await open();
    await rig.close();
    rig = await openOutboxApp(place, { worker: false, subscribers: rig.subscribers });
    await rig.send();
    await rig.rows('DELETE FROM thorn_messages');
    await rig.close();
    rig = await openOutboxApp(place, { subscribers: rig.subscribers });
    await rig.until('SELECT id FROM thorn_pending_messages', (rows) => rows.length === 0);
    expect(receiver.received).toEqual([]);
  });
});

describe.each(ON.slice(1))('messages stored at the same time, on $kind $type', ({ kind, type }) => {
  it('notices an id that another transaction is storing', async () => {
    [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
    if (type !== undefined) {
      place = { ...place, options: { ...place.options, type } as DataSourceOptions };
    }
    rig = await openOutboxApp(place);
    await rig.subscribers.create(subscriber(receiver.url));
    const [first, second] = [rig.message({ id: 'order_1' }), rig.message({ id: 'order_1' })];
    const stored = /INSERT INTO \W?thorn_messages/;
    const runner = rig.dataSource.createQueryRunner();
    await runner.startTransaction();
    // Within a savepoint: PostgreSQL would get the message with the COMMIT alone.
    await runner.startTransaction();
    await rig.strategy.stage([first], joined(runner.manager));
    await runner.commitTransaction();
    const staging = () =>
      rig.dataSource.transaction(async (manager) => rig.strategy.stage([second], joined(manager)));
    // MariaDB 11.6 and newer ask to restart a transaction that meets a row which it cannot see.
    const waiting = staging().catch(staging);
    await vi.waitFor(() =>
      expect(rig.log.statements.filter((sql) => stored.test(sql))).toHaveLength(2),
    );
    await runner.commitTransaction();
    await runner.release();
    await waiting;
    const released = await rig.strategy.release([first, second]);
    expect(released.map(({ state }) => state)).toEqual(['accepted', 'duplicate']);
    await rig.until(MESSAGES, DONE(1));
    expect(receiver.received).toHaveLength(1);
  });
});

it('finds no schema change on MariaDB where synchronize made the tables and the outbox has run', async () => {
  [place, receiver] = [await createDatabase('mariadb'), await ScriptedReceiver.start()];
  rig = await openOutboxApp(place);
  const [made] = await rig.rows('SHOW CREATE TABLE thorn_messages');
  expect(made!['Create Table']).not.toMatch(/json/i);
  const next = await new DataSource({ ...place.options, entities: outboxEntities }).initialize();
  const { upQueries } = await next.driver.createSchemaBuilder().log();
  expect(upQueries.filter(({ query }) => query.includes('thorn_'))).toEqual([]);
  await next.destroy();
});
