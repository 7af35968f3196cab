import pg from 'pg';
import { expect, it } from 'vitest';
import { freshPostgres } from './database.js';

const connect = async (url: string): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
};

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
