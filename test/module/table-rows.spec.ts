import type { INestApplicationContext } from '@nestjs/common';
import { Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  defineEvents,
  disabled,
  outbox,
  type SendOptions,
  Subscribers,
  type TableRow,
  ThornModule,
  WebhookDispatcher,
} from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import type { FreshDatabase } from '../services/database.js';
import { useRunningBlog } from '../support/apps/running-blog.js';
import { CLIENT_DATABASES, type OwnConnection } from '../support/client-databases.js';
import { migrate, type OpenedClient } from '../support/sql-clients.js';

const ID = '0194a1c2-7d3e-7abc-8def-0123456789ab';
const TYPES = {
  postgres: 'id uuid, line int, total bigint, price numeric(10, 2), paid boolean, body json',
  mysql: 'id varchar(36), line int, total bigint, price decimal(10, 2), paid boolean, body json',
  sqlite: 'id text, line int, total integer, price numeric, paid boolean, body text',
};
const events = defineEvents({
  'order.{id}.placed': {
    description: 'A customer has ordered',
    schema: {
      type: 'object',
      properties: {
        id: { type: 'string' },
        line: { type: 'integer' },
        total: { type: ['string', 'null'] },
        price: { type: 'number' },
        isPaid: { type: 'boolean' },
        items: { type: 'array', items: { type: 'string' } },
      },
    },
  },
  'order.counted': {
    description: 'A total that no number carries',
    schema: { properties: { total: { type: 'integer' } } },
  },
  'order.spelt': {
    description: 'A text that is no JSON',
    schema: { properties: { id: { type: 'object' } } },
  },
  'order.bare': { description: 'An event without a schema' },
});
const row: TableRow = {
  table: 'order_line',
  key: { id: ID, line: 2 },
  columns: { isPaid: 'paid', items: 'body' },
};

describe.each(CLIENT_DATABASES)('on $database', ({ database, kinds, create, connect }) => {
  let place: FreshDatabase;
  let own: OwnConnection;

  beforeAll(async () => {
    place = await create();
    await migrate(place.url);
    own = connect(place.url);
    await own.query(
      `CREATE TABLE order_line (${TYPES[database]}, secret varchar(20), PRIMARY KEY (id, line))`,
    );
    await own.query(
      `INSERT INTO order_line VALUES ('${ID}', 1, NULL, 0, false, '[]', 'hidden'),
        ('${ID}', 2, 9007199254740993, 12.5, true, '["a"]', 'hidden')`,
    );
    vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await own.end();
    await place.drop();
  });

  const clients = kinds.filter(({ name }) => name !== 'TypeORM');
  describe.each(clients)('sendFor() of a row, with $name', ({ open, define, execute }) => {
    let client: OpenedClient<never>;
    let app: INestApplicationContext;
    let receiver: ScriptedReceiver;
    let dispatcher: WebhookDispatcher;

    beforeAll(async () => {
      client = await open(place.url, 2);
      receiver = await ScriptedReceiver.start();
      const thorn = ThornModule.forRoot({
        database: define(client.bare, place.url),
        dispatch: outbox({ pollInterval: 100 }),
        recipients: LOOPBACK_RECIPIENTS,
        events,
      });
      app = await (await Test.createTestingModule({ imports: [thorn] }).compile()).init();
      dispatcher = app.get(WebhookDispatcher);
      await app.get(Subscribers).create({ url: receiver.url, events: ['*'], owner: null });
    });
    beforeEach(() => own.query('DELETE FROM thorn_messages'));
    afterAll(async () => {
      await app?.close();
      await client.close();
      await receiver.stop();
      await own.query('DELETE FROM thorn_subscribers');
    });

    const send = (given: object = {}, event = 'order.7.placed', options: SendOptions = {}) =>
      client.begin(async (tx) =>
        dispatcher.sendFor({ ...row, ...given }, event, { tx, ...options }),
      );

    it('sends the properties of the schema, as the transaction sees them, with its types', async () => {
      const result = await client.begin(async (tx) => {
        await execute(tx, `UPDATE order_line SET price = 7.25 WHERE id = '${ID}' AND line = 2`);
        return dispatcher.sendFor(row, 'order.7.placed', { tx, ref: '/orders/7' });
      });
      await receiver.waitFor(({ id }) => id === result!.id);

      const sent = receiver.received.at(-1)!.json as { readonly data: unknown };
      expect(sent).toMatchObject({ ref: expect.stringContaining('/orders/7') });
      expect(sent.data).toEqual({
        ...{ id: ID, line: 2, total: '9007199254740993', price: 7.25, isPaid: true },
        items: ['a'],
      });
    });

    it('passes on what the database says of a table that is not there', async () => {
      const thrown = await send({ table: 'order_lines' }).catch((error: unknown) => error);

      expect(String(thrown)).toContain('order_lines');
      expect(String(thrown)).not.toContain('npx thorn');
    });

    it('sends nothing for a row that is not there', async () => {
      await expect(send({ key: { id: ID, line: 3 } })).resolves.toBeNull();
      expect(await own.query('SELECT id FROM thorn_messages')).toEqual([]);
    });

    it.each<[string, object, string, RegExp]>([
      ['a key of several rows', { key: { id: ID } }, 'order.7.placed', /^key matches several rows/],
      ['a number that is not exact', {}, 'order.counted', /^total of the row is not a number/],
      ['a text that is no JSON', {}, 'order.spelt', /^id of the row is not JSON/],
    ])('refuses %s', async (_, given, event, text) => {
      const columns = event === 'order.7.placed' ? row.columns : {};
      await expect(send({ columns, ...given }, event)).rejects.toThrow(text);
      expect(await own.query('SELECT id FROM thorn_messages')).toEqual([]);
    });
  });

  if (database !== 'postgres') return;
  it.each<[string, object, string, object, RegExp]>([
    ['no key', { key: {} }, 'order.7.placed', {}, /^key must name columns/],
    ['a key of null', { key: { id: null } }, 'order.7.placed', {}, /^key must name columns/],
    ['no table', { table: '' }, 'order.7.placed', {}, /^table must be the name/],
    ['an unknown field', { where: {} }, 'order.7.placed', {}, /^where is not a field of a row/],
    ['columns of no text', { columns: { id: 1 } }, 'order.7.placed', {}, /^columns must name/],
    [
      'other properties',
      { columns: { secret: 'x' } },
      'order.7.placed',
      {},
      /must not name secret/,
    ],
    ['an event without a schema', {}, 'order.bare', {}, /order\.bare has no schema/],
    ['an event that is not declared', {}, 'order.lost', {}, /order\.lost has no schema/],
    [
      'an unknown option',
      {},
      'order.7.placed',
      { when: 1 },
      /^when is not an option of sendFor\(\)/,
    ],
    ['no transaction', {}, 'order.7.placed', { tx: null }, /pass the transaction by the option tx/],
  ])('refuses %s', async (_, given, event, options, text) => {
    const kind = kinds.find(({ name }) => name === 'pg')!;
    const client = await kind.open(place.url, 2);
    const thorn = ThornModule.forRoot({
      database: kind.define(client.bare, place.url),
      dispatch: disabled(),
      events,
    });
    const app = await (await Test.createTestingModule({ imports: [thorn] }).compile()).init();
    const work = client.begin((tx) =>
      app
        .get(WebhookDispatcher)
        .sendFor({ ...row, ...given } as TableRow, event, { tx, ...options }),
    );
    await expect(work).rejects.toThrow(text);
    await app.close();
    await client.close();
  });
});

describe('sendFor() of a row, with TypeORM', () => {
  const blog = useRunningBlog('better-sqlite3', ['order.*'], { events });

  it('is refused: entities are passed there', async () => {
    const work = blog.dataSource.transaction(() => blog.dispatcher.sendFor(row, 'order.7.placed'));

    await expect(work).rejects.toThrow(/^table is for clients of the option database/);
  });
});
