import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tableLock } from '../../lib/database/triggers/trigger-parts.js';
import { createTriggers, findTriggerFaults } from '../../lib/database/triggers/table-triggers.js';
import {
  openTriggerPlace,
  type TriggerConnection,
  type TriggerDatabase,
  type TriggerPlace,
} from '../support/trigger-place.js';

const ORDERS = { name: 'orders', key: ['id'], omit: [] };

let place: TriggerPlace;
let writer: TriggerConnection;

async function open(database: TriggerDatabase): Promise<void> {
  place = await openTriggerPlace(database);
  writer = await place.connect();
  await place.sql('CREATE TABLE orders (id int NOT NULL PRIMARY KEY, state varchar(20))');
  await createTriggers(place.executor, (name) => place.executor.dialect.identifier(name), [ORDERS]);
  await place.sql(
    `INSERT INTO thorn_captured_tables (name, heard, events) VALUES ('orders', false, '[]')`,
  );
}
afterEach(async () => {
  await writer.end();
  await place.end();
});

const told = async () =>
  (await place.changes()).map(({ old_row: old, new_row: now }) => {
    const row = JSON.parse(now ?? old!) as { readonly id: number };
    return row.id;
  });

describe('a writer on PostgreSQL while somebody subscribes', () => {
  beforeEach(() => open('postgres'));

  const subscribe = async () => {
    await place.sql('BEGIN');
    await place.sql(`SELECT 1 FROM thorn_captured_tables WHERE name = 'orders' FOR UPDATE`);
    await place.sql(`SELECT pg_advisory_xact_lock(${tableLock('orders')})`);
    await place.sql(`UPDATE thorn_captured_tables SET heard = true WHERE name = 'orders'`);
  };

  it('is waited for, when it has written unheard', async () => {
    await writer.sql('BEGIN');
    await writer.sql(`INSERT INTO orders VALUES (1, 'NEW')`);
    const subscribed = subscribe().then(() => place.sql('COMMIT'));
    await expect
      .poll(() =>
        writer.sql(`SELECT 1 AS waits FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`),
      )
      .toHaveLength(1);
    await writer.sql('COMMIT');
    await subscribed;
    await writer.sql(`INSERT INTO orders VALUES (2, 'NEW')`);
    expect(await told()).toEqual([2]);
  });

  it('is told of, when it commits after the subscriber is stored', async () => {
    await writer.sql('BEGIN');
    await writer.sql('SELECT 1 FROM orders');
    await subscribe();
    await writer.sql(`INSERT INTO orders VALUES (1, 'NEW')`);
    await place.sql('COMMIT');
    await writer.sql('COMMIT');
    expect(await told()).toEqual([1]);
  });

  it.each(['REPEATABLE READ', 'SERIALIZABLE'])(
    'has to begin again when its snapshot is older, in %s',
    async (level) => {
      await writer.sql(`BEGIN ISOLATION LEVEL ${level}`);
      await writer.sql('SELECT 1 FROM orders');
      await subscribe();
      await place.sql('COMMIT');
      await expect(writer.sql(`INSERT INTO orders VALUES (1, 'NEW')`)).rejects.toMatchObject({
        code: '40001',
      });
      await writer.sql('ROLLBACK');
      await writer.sql(`BEGIN ISOLATION LEVEL ${level}`);
      await writer.sql(`INSERT INTO orders VALUES (1, 'NEW')`);
      await writer.sql('COMMIT');
      expect(await told()).toEqual([1]);
    },
  );
});

describe('a writer on MariaDB while somebody subscribes', () => {
  beforeEach(() => open('mariadb'));

  it('is told of, when it commits after the subscriber is stored', async () => {
    for (const [id, level] of ['READ COMMITTED', 'REPEATABLE READ'].entries()) {
      await place.sql(`UPDATE thorn_captured_tables SET heard = false`);
      await writer.sql(`SET SESSION TRANSACTION ISOLATION LEVEL ${level}`);
      await writer.sql('SET SESSION innodb_snapshot_isolation = OFF');
      await writer.sql('BEGIN');
      await writer.sql('SELECT 1 FROM thorn_captured_tables');
      await place.sql(`UPDATE thorn_captured_tables SET heard = true`);
      await writer.sql(`INSERT INTO orders VALUES (${id}, 'NEW')`);
      await writer.sql('COMMIT');
    }
    expect(await told()).toEqual([0, 1]);
  });

  it('is waited for, when it has written unheard', async () => {
    await writer.sql('BEGIN');
    await writer.sql(`INSERT INTO orders VALUES (1, 'NEW')`);
    await place.sql('SET innodb_lock_wait_timeout = 1');
    await expect(place.sql(`UPDATE thorn_captured_tables SET heard = true`)).rejects.toThrow(
      /Lock wait timeout/,
    );
    await writer.sql('COMMIT');
    await place.sql(`UPDATE thorn_captured_tables SET heard = true`);
  });

  it('tells of REPLACE as of a removal and a new row', async () => {
    await place.sql(`UPDATE thorn_captured_tables SET heard = true`);
    await place.sql(`INSERT INTO orders VALUES (1, 'NEW')`);
    await place.sql(`REPLACE INTO orders VALUES (1, 'PAID')`);
    const changes = (await place.changes()).slice(1).map((one) => [one.old_row, one.new_row]);
    expect(changes).toEqual([
      [expect.stringContaining('NEW'), null],
      [null, expect.stringContaining('PAID')],
    ]);
  });
});

describe('a writer on SQLite', () => {
  beforeEach(() => open('sqlite'));

  it('tells of REPLACE as of a new row alone', async () => {
    await place.sql(`UPDATE thorn_captured_tables SET heard = true`);
    await place.sql(`INSERT INTO orders VALUES (1, 'NEW')`);
    await place.sql(`REPLACE INTO orders VALUES (1, 'PAID')`);
    const changes = (await place.changes()).slice(1).map((one) => [one.old_row, one.new_row]);
    expect(changes).toEqual([[null, expect.stringContaining('PAID')]]);
  });
});

describe('a writer on PostgreSQL', () => {
  beforeEach(async () => {
    await open('postgres');
    await place.sql(`UPDATE thorn_captured_tables SET heard = true`);
  });

  it('needs no right on the tables of the library, and cannot mislead the triggers', async () => {
    const role = `writer_${process.pid}_${Date.now()}`;
    await place.sql(`CREATE ROLE ${role} LOGIN`);
    await place.sql(`GRANT INSERT, UPDATE, DELETE, SELECT ON orders TO ${role}`);
    await place.sql(`GRANT CREATE ON SCHEMA public TO ${role}`);
    const url = new URL(place.url);
    url.username = role;
    url.password = '';
    const client = new Client(url.href);
    await client.connect();
    try {
      // Its own operators, functions, types and tables come first on its path.
      await client.query(`CREATE SCHEMA IF NOT EXISTS evil`).catch(() => undefined);
      await client.query(`CREATE TEMP TABLE thorn_new (id int, state text)`);
      await client.query(`CREATE TEMP TABLE thorn_changes (id int)`);
      await client.query(
        `CREATE FUNCTION public.to_json(orders) RETURNS json LANGUAGE sql AS $$ SELECT '{"id":666}'::json $$`,
      );
      await client.query(`SET search_path = pg_temp, public, pg_catalog`);
      await client.query(`INSERT INTO orders VALUES (1, 'NEW')`);
      await client.query(`UPDATE orders SET state = 'PAID'`);
      await expect(client.query('SELECT 1 FROM public.thorn_changes')).rejects.toThrow(
        'permission denied',
      );
      await expect(
        client.query(
          `CREATE TABLE mine (id int); CREATE TRIGGER t AFTER INSERT ON mine REFERENCING NEW TABLE AS thorn_new FOR EACH STATEMENT EXECUTE FUNCTION thorn_report_orders()`,
        ),
      ).rejects.toThrow('permission denied');
      expect(await told()).toEqual([1, 1]);
    } finally {
      await client.end();
      await place.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it('tells of a transaction by its number, and writes from many statements', async () => {
    await place.sql('BEGIN');
    await place.sql(`INSERT INTO orders SELECT n, 'NEW' FROM generate_series(1, 1000) n`);
    await place.sql(`UPDATE orders SET state = 'PAID' WHERE id <= 10`);
    const [{ tx }] = (await place.sql('SELECT txid_current() AS tx')) as [{ tx: string }];
    await place.sql('COMMIT');
    const changes = await place.changes();
    expect(changes).toHaveLength(1010);
    expect(new Set(changes.map((one) => one.tx))).toEqual(new Set([tx]));
  });

  it('works with tables in parts, in another schema, and with the library in a schema of its own', async () => {
    await place.sql('CREATE SCHEMA sales; CREATE SCHEMA "Thorn"');
    await place.sql(
      'ALTER TABLE thorn_changes SET SCHEMA "Thorn"; ALTER TABLE thorn_captured_tables SET SCHEMA "Thorn"',
    );
    await place.sql(
      'CREATE TABLE sales.parts (id int, at int, state text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)',
    );
    await place.sql(
      'CREATE TABLE sales.parts_1 PARTITION OF sales.parts FOR VALUES FROM (0) TO (10)',
    );
    await place.sql(
      'CREATE TABLE sales.parts_2 PARTITION OF sales.parts FOR VALUES FROM (10) TO (20)',
    );
    const table = { name: 'sales.parts', key: ['id', 'at'], omit: [] };
    const path = (name: string) => `"Thorn"."${name}"`;
    await createTriggers(place.executor, path, [table]);
    expect(await findTriggerFaults(place.executor, path, table)).toEqual([]);
    await place.sql(`INSERT INTO sales.parts VALUES (1, 1, 'NEW')`);
    await place.sql(`UPDATE sales.parts SET state = 'PAID'`);
    await place.sql(`UPDATE sales.parts SET at = 11`);
    await place.sql(`DELETE FROM sales.parts`);
    const rows = await place.sql(
      'SELECT source, old_row, new_row FROM "Thorn".thorn_changes ORDER BY id',
    );
    expect(new Set(rows.map(({ source }) => source))).toEqual(new Set(['sales.parts']));
    const shown = rows.map(({ old_row, new_row }) => [old_row, new_row]);
    const [at1, at11] = [1, 11].map((at) => ({ id: 1, at, state: 'PAID' }));
    expect(shown.slice(0, 2)).toEqual([
      [null, { id: 1, at: 1, state: 'NEW' }],
      [{ id: 1, at: 1, state: 'NEW' }, at1],
    ]);
    expect(shown.slice(2, 4)).toEqual(
      expect.arrayContaining([
        [at1, null],
        [null, at11],
      ]),
    );
    expect(shown.slice(4)).toEqual([[at11, null]]);
    await place.sql(
      'ALTER TABLE "Thorn".thorn_changes SET SCHEMA public; ALTER TABLE "Thorn".thorn_captured_tables SET SCHEMA public',
    );
  });

  it('goes on when a column is dropped or added', async () => {
    await place.sql('ALTER TABLE orders ADD COLUMN added bigint DEFAULT 7');
    await place.sql(`INSERT INTO orders VALUES (1, 'NEW')`);
    await place.sql('ALTER TABLE orders DROP COLUMN state');
    await place.sql(`INSERT INTO orders VALUES (2)`);
    const rows = (await place.changes()).map((one) => JSON.parse(one.new_row!) as unknown);
    expect(rows).toEqual([
      { id: 1, state: 'NEW', added: 7 },
      { id: 2, added: 7 },
    ]);
  });
});
