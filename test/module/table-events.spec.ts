import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import Database from 'better-sqlite3';
import * as core from 'drizzle-orm/mysql-core';
import * as core1 from 'drizzle-orm-1/mysql-core';
import * as pg from 'drizzle-orm/pg-core';
import * as pg1 from 'drizzle-orm-1/pg-core';
import * as sqlite from 'drizzle-orm/sqlite-core';
import * as sqlite1 from 'drizzle-orm-1/sqlite-core';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ReportedSources } from '../../lib/capture/index.js';
import {
  defineEvents,
  defineTableEvents,
  EventCatalogue,
  inline,
  type TableEvents,
  ThornModule,
  type ThornModuleExtras,
  type ThornModuleOptions,
  WebhookEvent,
  Webhooks,
} from '../../lib/index.js';
import { fromBetterSqlite3 } from '../../lib/sql/index.js';

@Entity({ name: 'articles' })
@Webhooks<Article>({ payload: ({ id }) => ({ id }) })
@WebhookEvent<Article>('article.created', { on: 'create' })
class Article {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
}

const orders = defineTableEvents<{ id: number; apiToken: string; partnerId: string }>('orders', {
  key: 'id',
  events: { 'order.placed': { on: 'create' }, 'order.gone': { on: 'delete' } },
});

const handles: Database.Database[] = [];

afterEach(() => {
  for (const handle of handles.splice(0)) handle.close();
  vi.restoreAllMocks();
});

async function modulesOf(options: ThornModuleOptions & ThornModuleExtras) {
  return Test.createTestingModule({ imports: [ThornModule.forRoot(options)] }).compile();
}

function compile(
  tables: readonly TableEvents[],
  more: ThornModuleOptions & ThornModuleExtras = {},
) {
  const handle = new Database(':memory:');
  handles.push(handle);
  return modulesOf({ database: fromBetterSqlite3(handle), tables, ...more });
}

describe('events of tables', () => {
  it('are in the catalogue, with what describes them', async () => {
    const described = { 'order.placed': { description: 'Somebody has ordered' } };
    const module = await compile([orders], { events: defineEvents(described) });
    const catalogue = module.get(EventCatalogue);

    expect(catalogue.names()).toEqual(['order.placed', 'order.gone']);
    expect(catalogue.get('order.placed')).toMatchObject({
      source: "defineTableEvents('orders')",
      description: 'Somebody has ordered',
    });
  });

  it('are warned of where they have no data, or may show a secret', async () => {
    const lines: string[] = [];
    vi.spyOn(Logger.prototype, 'warn').mockImplementation((line: string) => void lines.push(line));
    const events = { 'key.made': { on: 'create', payload: (row: object) => row } } as const;
    const keys = defineTableEvents<{ id: number; apiToken: string }>('keys', { key: 'id', events });
    const module = await compile([orders, keys]);
    const { tables } = module.get(ReportedSources).all[0]!;
    const columns = [
      { name: 'id', type: 'integer' },
      { name: 'api_token', type: 'text' },
    ];
    for (const name of ['orders', 'keys']) tables.describe(name, columns);

    expect(lines).toEqual([
      expect.stringMatching(
        /^The data of order\.placed, order\.gone is an empty object: defineTableEv/,
      ),
      expect.stringMatching(/^Payloads of events are given api_token of keys, named like secrets/),
    ]);
  });

  it.each([
    [
      'an event that another table declares',
      () => compile([orders, other('lines', 'order.placed')]),
      "The event order.placed is declared by defineTableEvents('orders') and by defineTableEvents('lines'), which send",
    ],
    [
      'a table that is declared twice',
      () => compile([orders, other('orders', 'order.moved')]),
      '`tables` of ThornModule.forRoot() has two declarations of orders: put the events of both into one',
    ],
    [
      'inline()',
      () => compile([orders], { dispatch: inline() }).then((module) => module.init()),
      '`dispatch` of ThornModule.forRoot() is inline(), which has no worker to read what triggers report',
    ],
    [
      'no database',
      () => modulesOf({ tables: [orders], dataSources: [] }),
      '`tables` of ThornModule.forRoot() needs a database',
    ],
    [
      'a table of Drizzle for another database',
      () => compile([ofDrizzle()]),
      "has defineTableEvents('orders') of a table for postgres, and the database of better-sqlite3 is sqlite",
    ],
    [
      'rules of receivers that are none',
      () => compile([reaching('10.0.0.300/8')]),
      "defineTableEvents('orders'), event order.placed: recipients: ",
    ],
  ])('refuse %s', async (_, start, text) => {
    await expect(start()).rejects.toThrow(text);
  });

  it('refuse a Date where Drizzle reads the number of a column as a time, and name the text', async () => {
    const visits = sqlite.sqliteTable('visits', {
      id: sqlite.integer().primaryKey(),
      at: sqlite.integer({ mode: 'timestamp' }).notNull(),
      day: sqlite.text(),
    });
    const columns = ['id', 'at', 'day'].map((name) => ({
      name,
      type: name === 'day' ? 'date' : 'integer',
    }));
    const starting = async (when: object) => {
      const events = { 'visit.made': { on: 'create', when } };
      const module = await compile([defineTableEvents(visits, { events } as never)]);
      module.get(ReportedSources).all[0]!.tables.describe('visits', columns);
    };
    const date = new Date('2026-02-03T10:20:30Z');
    await expect(starting({ at: { gt: date } })).rejects.toThrow("such as '2026-02-03T10:20:30'");
    await expect(starting({ day: { gt: date } })).rejects.toThrow("such as '2026-02-03'");
    await expect(starting({ id: { gt: date } })).rejects.toThrow('the row has a number. Write one');
  });

  it('refuse a table that is an entity with events at once', async () => {
    const articles = defineTableEvents('articles', {
      key: 'id',
      events: { 'article.written': { on: 'create' } },
    });
    const compiling = Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          type: 'better-sqlite3',
          database: ':memory:',
          synchronize: true,
          autoLoadEntities: true,
        }),
        TypeOrmModule.forFeature([Article]),
        ThornModule.forRoot({ tables: [articles] }),
      ],
    }).compile();

    await expect(compiling).rejects.toThrow(
      "has defineTableEvents('articles'), and the entity Article of that table has events as well",
    );
  });
});

function other(table: string, event: string): TableEvents {
  return defineTableEvents(table, { key: 'id', events: { [event]: { on: 'create' } } });
}

function reaching(cidr: string): TableEvents {
  const recipients = { allowCidrs: [cidr] };
  const events = { 'order.placed': { on: 'create', recipients } } as const;
  return defineTableEvents('orders', { key: 'id', events });
}

const EVENTS = { 'order.placed': { on: 'create' } } as const;

function ofDrizzle(): TableEvents {
  return defineTableEvents(pg.pgTable('orders', { id: pg.serial().primaryKey() }), {
    events: EVENTS,
  });
}

describe('a table of Drizzle', () => {
  it.each([
    ['0.45', pg, core, sqlite],
    [
      '1.0',
      pg1 as unknown as typeof pg,
      core1 as unknown as typeof core,
      sqlite1 as unknown as typeof sqlite,
    ],
  ])(
    'of %s gives the name, the key and the columns',
    (_, { pgSchema, serial, text }, mysql, lite) => {
      const sales = pgSchema('sales').table('orders', {
        id: serial().primaryKey(),
        partnerId: text('partner_id').notNull(),
        note: text('internal_note'),
      });
      const lines = mysql.mysqlTable(
        'lines',
        { orderId: mysql.int('order_id'), sku: mysql.varchar({ length: 20 }) },
        (table) => [mysql.primaryKey({ columns: [table.orderId, table.sku] })],
      );
      const plain = lite.sqliteTable('plain', { id: lite.integer(), name: lite.text() });
      const ofSales = defineTableEvents(sales, {
        owner: 'partnerId',
        omit: ['note'],
        payload: ({ id, partnerId }) => ({ id, partner: partnerId.toUpperCase() }),
        events: EVENTS,
      });

      expect(ofSales).toMatchObject({
        ...{ name: 'sales.orders', key: ['id'], omit: ['internal_note'], dialect: 'postgres' },
        columns: { id: 'id', partnerId: 'partner_id', note: 'internal_note' },
      });
      expect(defineTableEvents(lines, { events: EVENTS })).toMatchObject({
        ...{ name: 'lines', key: ['order_id', 'sku'], dialect: 'mysql' },
      });
      expect(defineTableEvents(plain, { key: 'name', events: EVENTS })).toMatchObject({
        ...{ name: 'plain', key: ['name'], dialect: 'sqlite' },
      });
      expect(() => defineTableEvents(plain, { events: EVENTS })).toThrow(
        "`key` of defineTableEvents('plain') must be a column such as 'id'",
      );
    },
  );
});
