import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SqlClient } from '../database/sql-client.js';
import { type BetterSqliteDatabase, fromBetterSqlite3 } from './from-better-sqlite3.js';

const INSERT = { sql: 'INSERT INTO paid VALUES (?)', parameters: [1] };

let db: Database.Database;
let client: SqlClient<BetterSqliteDatabase>;
beforeEach(async () => {
  db = new Database(':memory:').defaultSafeIntegers(true);
  db.exec('CREATE TABLE paid (id INT)');
  client = await fromBetterSqlite3(db).useFactory();
});
afterEach(() => void db.close());

it.each(['COMMIT', 'ROLLBACK'])('writes nothing after a %s', async (end) => {
  db.exec('BEGIN');
  const joined = await client.join(db);
  await joined.run(INSERT);
  db.exec(end);
  await expect(joined.run(INSERT)).rejects.toMatchObject({ code: 'THORN_TRANSACTION_ENDED' });
  expect(() => joined.runSync!(INSERT)).toThrow(/sendSync\(\) within .*processOnce\(\)/);
  expect(db.prepare('SELECT id FROM paid').all()).toHaveLength(end === 'COMMIT' ? 1 : 0);
});

it('reads numbers as numbers, though the application has them as bigint', async () => {
  db.exec('BEGIN');
  const joined = await client.join(db);
  expect(await joined.run({ sql: 'SELECT 1 AS one', parameters: [] })).toEqual({
    ...{ rows: [{ one: 1 }], affected: 1 },
  });
});
