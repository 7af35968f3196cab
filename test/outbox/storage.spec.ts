import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterEach, describe, expect, it } from 'vitest';
import { outboxEntities } from '../../lib/outbox/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
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
    await rig.dataSource.transaction(async (manager) => {
      const twice = [rig.message({ id: 'order_1' }), rig.message({ id: 'order_2' })];
      await rig.strategy.stage(twice, manager);
      await rig.strategy.release(twice);
    });
    await rig.until(MESSAGES, DONE(2));
    expect(receiver.received.map(({ id }) => id).sort()).toEqual(['order_1', 'order_2']);
  });
});

it('finds no schema change where synchronize made the tables and the outbox has run', async () => {
  [place, receiver] = [await createDatabase('mariadb'), await ScriptedReceiver.start()];
  rig = await openOutboxApp(place);
  const [made] = await rig.rows('SHOW CREATE TABLE thorn_messages');
  expect(made!['Create Table']).not.toMatch(/json/i);
  const next = await new DataSource({ ...place.options, entities: outboxEntities }).initialize();
  const { upQueries } = await next.driver.createSchemaBuilder().log();
  expect(upQueries.filter(({ query }) => query.includes('thorn_'))).toEqual([]);
  await next.destroy();
});
