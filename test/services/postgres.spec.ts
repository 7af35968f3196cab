import pg from 'pg';
import { expect, inject, it } from 'vitest';
import { freshPostgres } from './database.js';

const connect = async (url: string): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
};

/** Resolves when the server has ended every connection of a database, which takes a while after clients have left. */
async function nobodyIsOn(url: string): Promise<void> {
  const client = await connect(inject('postgresUrl')!);
  const on = "SELECT FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'";
  const name = new URL(url).pathname.slice(1);
  await expect.poll(async () => (await client.query(on, [name])).rowCount).toBe(0);
  await client.end();
}

it('creates an empty database for every caller, and removes it even when it is in use', async () => {
  const [one, other] = [await freshPostgres(), await freshPostgres()];
  const client = await connect(one.url);
  const lost = new Promise((resolve) => client.on('error', resolve));
  await client.query('CREATE TABLE t (id int)');
  const second = await connect(other.url);
  expect((await second.query(`SELECT to_regclass('t') AS t`)).rows).toEqual([{ t: null }]);
  await second.end();
  await Promise.all([one.drop(), other.drop()]);
  await lost;
  await expect(connect(one.url)).rejects.toThrow(/does not exist/);
});

it('gives an emptied database again, which has nothing of what was made', async () => {
  const first = await freshPostgres();
  const client = await connect(first.url);
  await client.query('CREATE TABLE t (id serial); CREATE SCHEMA other CREATE TABLE t (id int)');
  await client.query("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  await client.end();
  await nobodyIsOn(first.url);
  await first.drop();
  const again = await freshPostgres();
  expect(again.url).toBe(first.url);
  const other = await connect(again.url);
  const { rows } = await other.query(
    "SELECT to_regclass('t') AS t, to_regproc('f') AS f, to_regnamespace('other') AS other",
  );
  expect(rows).toEqual([{ t: null, f: null, other: null }]);
  await other.end();
  await again.drop();
});

it.each([
  ['CREATE PUBLICATION p', 'SELECT FROM pg_publication'],
  [
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 99', current_database()); END $$",
    "SELECT FROM pg_settings WHERE name = 'work_mem' AND setting = '99'",
  ],
])('gives no database again that has more than schemas: %s', async (made, found) => {
  const first = await freshPostgres();
  const client = await connect(first.url);
  await client.query(made);
  await client.end();
  await first.drop();
  const next = await freshPostgres();
  expect(next.url).not.toBe(first.url);
  const other = await connect(next.url);
  expect((await other.query(found)).rows).toEqual([]);
  await other.end();
  await next.drop();
});
