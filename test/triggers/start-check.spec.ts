import { randomUUID } from 'node:crypto';
import { Test } from '@nestjs/testing';
import Database from 'better-sqlite3';
import { int, mysqlTable, text } from 'drizzle-orm/mysql-core';
import { integer, pgTable, varchar } from 'drizzle-orm/pg-core';
import { integer as sqliteInteger, sqliteTable, text as sqliteText } from 'drizzle-orm/sqlite-core';
import { createPool } from 'mysql2/promise';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readReportedRow } from '../../lib/database/triggers/reported-values.js';
import { readTableShape } from '../../lib/database/triggers/table-shape.js';
import { compileCondition } from '../../lib/event/index.js';
import { defineTableEvents, ThornModule } from '../../lib/index.js';
import {
  createTableTriggers,
  dropTableTriggers,
  ensureSchema,
  fromBetterSqlite3,
  fromDrizzle,
  fromMysql2,
  fromPg,
} from '../../lib/sql/index.js';
import {
  openTriggerPlace,
  type TriggerDatabase,
  type TriggerPlace,
} from '../support/trigger-place.js';

interface Order {
  id: number;
  state: string;
  note: string | null;
}

/** Tables of Drizzle, with an `id` and another column. */
const TABLES = {
  postgres: (name: string, column: string) =>
    pgTable(name, { id: integer().primaryKey(), note: varchar(column) }),
  mariadb: (name: string, column: string) =>
    mysqlTable(name, { id: int().primaryKey(), note: text(column) }),
  sqlite: (name: string, column: string) =>
    sqliteTable(name, { id: sqliteInteger().primaryKey(), note: sqliteText(column) }),
};

const given = {
  key: 'id',
  omit: ['note'],
  payload: ({ id }: Order) => ({ id }),
  events: { 'order.placed': { on: 'create' } },
} as const;
const orders = defineTableEvents<Order>('orders', given);

describe.each<TriggerDatabase>(['postgres', 'mariadb', 'sqlite'])('the start on %s', (database) => {
  let place: TriggerPlace;
  let close: () => unknown;
  let client: ReturnType<typeof fromPg> | ReturnType<typeof fromMysql2>;
  beforeEach(async () => {
    place = await openTriggerPlace(database);
    await place.sql(
      'CREATE TABLE orders (id int NOT NULL PRIMARY KEY, state varchar(20), note varchar(20))',
    );
    if (database === 'postgres') {
      const pool = new Pool({ connectionString: place.url });
      [client, close] = [fromPg(pool), () => pool.end()];
    } else if (database === 'mariadb') {
      const pool = createPool(place.url);
      [client, close] = [fromMysql2(pool), () => pool.end()];
    } else {
      const handle = new Database(place.url.replace('file:', ''));
      [client, close] = [fromBetterSqlite3(handle) as never, () => handle.close()];
    }
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await close();
    await place.end();
  });

  const start = async (options: object = {}, tables: readonly unknown[] = [orders]) => {
    const module = await Test.createTestingModule({
      imports: [ThornModule.forRoot({ database: client, tables, ...options } as never)],
    }).compile();
    const app = module.createNestApplication({ logger: false });
    try {
      await app.init();
    } finally {
      await app.close();
    }
  };
  const write = async (id: number) => {
    await place.sql(`INSERT INTO orders VALUES (${id}, 'NEW', 'secret')`);
    return (await place.changes()).map((change) => JSON.parse(change.new_row!) as unknown);
  };

  it('needs the triggers, and says how they are made', async () => {
    const command = `npx thorn triggers ${database} orders:id --omit orders.note --url`;
    await expect(start()).rejects.toMatchObject({
      code: 'THORN_TABLES_OUTDATED',
      message: expect.stringMatching(/The table orders lacks .*thorn_insert/),
    });
    await expect(start()).rejects.toThrow(command);
    await createTableTriggers(client, [orders]);
    await start();
    expect(await write(1)).toEqual([{ id: 1, state: 'NEW' }]);
    await createTableTriggers(client, [{ name: 'orders', key: 'id' }]);
    await expect(start()).rejects.toThrow(/orders has .*thorn_.* of other columns/);
    await dropTableTriggers(client, [orders]);
    expect(await write(2)).toEqual([]);
  });

  it('makes them where it is asked to, but not in production', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    await expect(start({ makeTriggers: true })).rejects.toThrow(
      /makeTriggers.*NODE_ENV is production/,
    );
    await expect(ensureSchema(client, { tables: [orders] })).rejects.toThrow('production');
    vi.unstubAllEnvs();
    await place.sql('DROP TABLE thorn_changes');
    await start({ makeTriggers: true });
    await start();
    expect(await write(1)).toEqual([{ id: 1, state: 'NEW' }]);
    await dropTableTriggers(client, [orders]);
    await ensureSchema(client, { tables: [orders] });
    expect(await write(2)).toEqual([{ id: 2, state: 'NEW' }]);
  });

  const roles = { postgres: ['ROLE'], mariadb: ['USER'], sqlite: [] }[database];
  it.each(roles)(
    'says what to run where makeTriggers is given to a %s without DDL',
    async (kind) => {
      const user = `app_${randomUUID().slice(0, 8)}`;
      const url = new URL(place.url);
      [url.username, url.password] = [user, 'secret'];
      if (database === 'postgres') {
        await place.sql(`CREATE ROLE ${user} LOGIN PASSWORD 'secret'`);
        await place.sql(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${user}`);
      } else {
        await place.sql(`CREATE USER ${user}@'%' IDENTIFIED BY 'secret'`);
        const all = `\`${url.pathname.slice(1)}\`.*`;
        await place.sql(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${all} TO ${user}@'%'`);
      }
      const pool =
        database === 'postgres' ? new Pool({ connectionString: url.href }) : createPool(url.href);
      const restricted = pool instanceof Pool ? fromPg(pool) : fromMysql2(pool);
      const starting = start({ database: restricted, makeTriggers: true });
      await expect(starting).rejects.toMatchObject({
        code: 'THORN_OPTION_INVALID',
        data: { option: 'makeTriggers' },
        message: expect.stringMatching(
          /lacks the rights \(.*denied.*\)\. Leave makeTriggers out.*`npx thorn triggers \w+ orders:id --omit orders\.note --url …`/,
        ),
      });
      await pool.end();
      if (database === 'postgres') await place.sql(`DROP OWNED BY ${user}`);
      await place.sql(`DROP ${kind} ${user}`);
    },
  );

  const tools = { postgres: ['drizzle'], mariadb: [], sqlite: [] }[database];
  it.each(tools)('prints the command with the migrations of the client, %s', async (tool) => {
    const pool = new Pool({ connectionString: place.url });
    const command = `npx thorn triggers postgres orders:id --omit orders.note --for ${tool} --url …`;
    await expect(start({ database: fromDrizzle(drizzle(pool)) })).rejects.toThrow(command);
    await pool.end();
  });

  const otherNames = { postgres: ['public.orders'], sqlite: ['ORDERS'], mariadb: [] };
  it.each(otherNames[database])('refuses the same table under the name %s', async (name) => {
    const events = { 'order.removed': { on: 'delete' } } as const;
    const other = defineTableEvents<Order>(name, { ...given, events });
    const text = `Events of ${name}: events of orders are declared as well, and both names are of one`;
    await expect(start({ makeTriggers: true }, [orders, other])).rejects.toThrow(text);
  });

  it('refuses declared columns that are not there', async () => {
    for (const [changes, text] of [
      [{ omit: ['nothing'] }, 'omit names nothing, which is not a column of the table'],
      [{ key: 'nothing' }, 'key names nothing, which is not a column of the table'],
      [{ columns: { state: 'nothing' } }, 'columns names nothing, which is not a column of'],
    ] as const) {
      const table = defineTableEvents<Order>('orders', { ...given, ...changes } as never);
      await expect(start({}, [table])).rejects.toThrow(`defineTableEvents('orders'): ${text}`);
    }
  });

  it('refuses what no value of a row can equal, with a text that does', async () => {
    const bytes = { postgres: 'bytea', mariadb: 'blob', sqlite: 'blob' }[database];
    const time = { postgres: 'timestamptz', mariadb: 'datetime(3)', sqlite: 'datetime' }[database];
    await place.sql(`ALTER TABLE orders ADD COLUMN seal ${bytes}`);
    await place.sql(`ALTER TABLE orders ADD COLUMN placed_at ${time}`);
    const when = (condition: object) =>
      defineTableEvents('orders', {
        ...{ key: 'id', payload: ({ id }: Order) => ({ id }) },
        events: { 'order.placed': { on: 'create', when: condition } },
      } as never);
    const time2026 = new Date('2026-02-03T10:20:30Z');
    await expect(start({}, [when({ placed_at: { gt: time2026 } })])).rejects.toMatchObject({
      code: 'THORN_CONDITION_INVALID',
      message:
        "The condition of defineTableEvents('orders'), event order.placed: placed_at.gt can never hold: it is a Date, and " +
        "rows have times as texts. Write the text as the row has it, such as '2026-02-03T10:20:30'",
    });
    await expect(start({}, [when({ seal: Uint8Array.of(0, 255, 16) })])).rejects.toThrow(
      "seal.eq can never hold: it is a value of bytes, and rows have bytes as texts in base64. Write .toString('base64') of a Buffer",
    );

    const fixed = {
      placed_at: { gt: '2026-02-03T10:20:30' },
      seal: Buffer.of(0, 255, 16).toString('base64'),
    };
    await start({ makeTriggers: true }, [when(fixed)]);
    const seal = database === 'postgres' ? String.raw`'\x00ff10'` : "x'00ff10'";
    for (const [id, at] of ['10:20:29', '10:20:30.5', '10:20:31'].entries()) {
      const zone = database === 'postgres' ? '+00' : '';
      await place.sql(
        `INSERT INTO orders VALUES (${id}, 'NEW', '', ${seal}, '2026-02-03 ${at}${zone}')`,
      );
    }
    const { columns } = (await readTableShape(place.executor, 'orders'))!;
    const { holds } = compileCondition(fixed);
    const rows = (await place.changes()).map((one) => readReportedRow(one.new_row!, columns));
    expect(rows.map((row) => holds(row, null))).toEqual([false, true, true]);
  });

  it('refuses what a table of Drizzle says and the database does not', async () => {
    const table = TABLES[database];
    const declared = (name: string, column: string) =>
      defineTableEvents(table(name, column), {
        payload: ({ id }: { id: number }) => ({ id }),
        events: given.events,
      } as never);
    await expect(start({}, [declared('order', 'note')])).rejects.toThrow(
      "Events of defineTableEvents('order'): there is no table order. Correct the name",
    );
    await expect(start({}, [declared('orders', 'remark')])).rejects.toThrow(
      "defineTableEvents('orders'): columns names remark, which is not a column of the table",
    );
    await place.sql('CREATE VIEW paid_orders AS SELECT * FROM orders');
    await expect(start({}, [declared('paid_orders', 'note')])).rejects.toThrow('this is a view');
    const twice = start({}, [declared('orders', 'note'), orders]);
    await expect(twice).rejects.toThrow('has two declarations of orders');
  });

  it('prints a command that a shell reads as it is meant', async () => {
    const name = `orders"; drop it's`;
    await place.sql(`CREATE TABLE ${place.executor.dialect.identifier(name)} (id int PRIMARY KEY)`);
    const table = defineTableEvents<Order>(name, { ...given, omit: [] });
    const quoted = `npx thorn triggers ${database} 'orders"; drop it'\\''s:id' --url`;
    await expect(start({}, [table])).rejects.toThrow(quoted);
    await start({ makeTriggers: true }, [table]);
    await place.sql(`INSERT INTO ${place.executor.dialect.identifier(name)} VALUES (7)`);
    expect(await place.changes()).toMatchObject([{ source: name }]);
  });

  it.each<[string, string, { readonly key?: 'state' }, string]>([
    ['a table that is not there', 'order', {}, 'there is no table order'],
    ['a view', 'paid_orders', {}, 'this is a view'],
    ['a key that is not unique', 'orders', { key: 'state' }, 'the key state is not unique'],
  ])('refuses %s, also with makeTriggers', async (_, name, other, text) => {
    await place.sql('CREATE VIEW paid_orders AS SELECT * FROM orders');
    const table = defineTableEvents<Order>(name, { ...given, ...other });
    await expect(start({}, [table])).rejects.toThrow(text);
    await expect(start({ makeTriggers: true }, [table])).rejects.toThrow(text);
  });
});
