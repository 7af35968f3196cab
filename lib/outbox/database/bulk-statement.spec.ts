import { DataSource, type DataSourceOptions } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { findDialect } from './dialect.js';
import { BulkStatement } from './bulk-statement.js';

const COLUMNS = { id: 'text', amount: 'int' } as const;

function set(options: DataSourceOptions): BulkStatement {
  return new BulkStatement(
    findDialect(new DataSource(options)),
    COLUMNS,
    (rows) => `SELECT r.id, r.amount FROM ${rows} JOIN stock s ON s.id = r.id ORDER BY r.id`,
  );
}

const rows = (count: number) =>
  Array.from({ length: count }, (_, amount) => ({ id: `${amount}`.padStart(5, '0'), amount }));

describe('RowSet', () => {
  it.each([1, 3, 64, 500, 3000])('takes %i rows to SQLite, each once', async (count) => {
    const options: DataSourceOptions = { type: 'better-sqlite3', database: ':memory:' };
    const dataSource = await new DataSource(options).initialize();
    await dataSource.query('CREATE TABLE stock (id TEXT NOT NULL)');
    await dataSource.query(
      `INSERT INTO stock WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT printf('%05d', i) FROM n`,
    );
    const found: unknown[] = [];
    for (const { sql, parameters } of set(options).statements(rows(count))) {
      found.push(...(await dataSource.query<unknown[]>(sql, parameters as unknown[])));
    }
    expect(found).toEqual(rows(count));
    await dataSource.destroy();
  });

  it('makes few different statements', () => {
    const one = set({ type: 'better-sqlite3', database: ':memory:' });
    const texts = new Set(
      Array.from({ length: 600 }, (_, count) => one.statements(rows(count))).flatMap((all) =>
        all.map(({ sql }) => sql),
      ),
    );
    expect(texts.size).toBe(8);
  });

  it('is one statement with one parameter elsewhere, and none for no rows', () => {
    const one = set({ type: 'postgres' });
    expect(one.statements([])).toEqual([]);
    const [small, large] = [one.statements(rows(1)), one.statements(rows(5000))];
    expect([small.length, large.length, large[0]!.parameters.length]).toEqual([1, 1, 1]);
    expect(large[0]!.sql).toBe(small[0]!.sql);
  });
});
