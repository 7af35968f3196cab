import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runStatement, runTransaction } from './sqlite-handle.js';

let db: Database.Database;
beforeEach(() => {
  // As an application may set the connection that it gives.
  db = new Database(':memory:').defaultSafeIntegers(true);
  db.exec('CREATE TABLE paid (id INT)');
});
afterEach(() => void db.close());

it('reads numbers as numbers, though the application has them as bigint', () => {
  const answer = runStatement(db, { sql: 'SELECT 1 AS one', parameters: [] });
  expect(answer).toEqual({ rows: [{ one: 1 }], affected: 1 });
});

it('writes all steps or none, and leaves out the steps that make no statement', () => {
  const insert = { sql: 'INSERT INTO paid VALUES (?)', parameters: [1] };
  const wrong = { sql: 'INSERT INTO paid VALUES (1, 2)', parameters: [] };
  const count = () => runStatement(db, { sql: 'SELECT id FROM paid', parameters: [] }).affected;
  expect(() => runTransaction(db, [insert, wrong], () => undefined)).toThrow('2 values');
  expect(count()).toBe(0);
  const logged: string[] = [];
  const after = (before: readonly { affected: number }[]) =>
    before[0]!.affected === 1 ? null : insert;
  const results = runTransaction(db, [insert, after], ({ sql }) => logged.push(sql));
  expect(results.map(({ affected }) => affected)).toEqual([1, 0]);
  expect([count(), logged]).toEqual([1, [insert.sql]]);
});
