import mysql from 'mysql2/promise';
import { expect, it } from 'vitest';
import { freshMariadb } from './database.js';

it('creates an empty database for every caller, and removes it even when it is in use', async () => {
  const [one, other] = [await freshMariadb(), await freshMariadb()];
  const client = await mysql.createConnection({ uri: one.url });
  const lost = new Promise((resolve) => client.on('error', resolve));
  await client.query('CREATE TABLE t (id int)');
  const second = await mysql.createConnection({ uri: other.url });
  expect((await second.query('SHOW TABLES'))[0]).toEqual([]);
  await second.end();
  await Promise.all([one.drop(), other.drop()]);
  await lost;
  await expect(mysql.createConnection({ uri: one.url })).rejects.toThrow(/Unknown database/);
});

it('treats texts that differ in case alone as equal, as most databases do', async () => {
  const { url, drop } = await freshMariadb();
  const client = await mysql.createConnection({ uri: url });
  await client.query('CREATE TABLE t (name varchar(9)); ');
  await client.query("INSERT INTO t VALUES ('a')");
  expect((await client.query("SELECT name FROM t WHERE name = 'A'"))[0]).toHaveLength(1);
  await client.end();
  await drop();
});
