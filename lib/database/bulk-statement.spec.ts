import { DataSource, type DataSourceOptions } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { findDialect } from './dialect.js';
import { BulkStatement } from './bulk-statement.js';

const COLUMNS = { id: 'text', state: 'text', amount: 'int' } as const;
const SQLITE: DataSourceOptions = { type: 'better-sqlite3', database: ':memory:' };

function set(options: DataSourceOptions): BulkStatement {
  return new BulkStatement(
    findDialect(options.type),
    COLUMNS,
    (rows) => `INSERT INTO stock SELECT r.id, r.state, r.amount FROM ${rows} WHERE r.id <> ''`,
    { state: 'new', amount: null },
  );
}

const rows = (count: number) =>
  Array.from({ length: count }, (_, at) => {
    const id = `${at}`.padStart(5, '0');
    return at % 3 === 0 ? [id, 'old', at] : at % 3 === 1 ? [id, 'new', at] : [id, 'new', null];
  });

const usualRows = (count: number) => Array.from({ length: count }, (_, at) => [at, 'new', null]);

describe('BulkStatement', () => {
  it.each([1, 3, 64, 500, 3000])('writes %i rows to SQLite, each once', async (count) => {
    const dataSource = await new DataSource(SQLITE).initialize();
    await dataSource.query('CREATE TABLE stock (id TEXT, state TEXT, amount INT)');
    for (const { sql, parameters } of set(SQLITE).statements(rows(count))) {
      await dataSource.query(sql, parameters as unknown[]);
    }
    const found: object[] = await dataSource.query('SELECT * FROM stock ORDER BY id');
    expect(found.map((row) => Object.values(row) as unknown[])).toEqual(rows(count));
    await dataSource.destroy();
  });

  it('does not bind to SQLite what the rows have in common with most', () => {
    const [statement] = set(SQLITE).statements(usualRows(4));
    expect(statement!.parameters).toEqual([0, 1, 2, 3]);
  });

  it('does not send to PostgreSQL what all rows have in common', () => {
    const one = set({ type: 'postgres' });
    const [usual] = one.statements(usualRows(2));
    expect(usual!.sql).toContain(`CAST('new' AS text) AS state, CAST(null AS int) AS amount`);
    expect(usual!.parameters).toEqual(['[{"c0":0},{"c0":1}]']);
    const [mixed] = one.statements(rows(2));
    expect(mixed!.parameters).toEqual([
      '[{"id":"00000","state":"old","amount":0},{"id":"00001","state":"new","amount":1}]',
    ]);
  });

  it('makes few different statements', () => {
    const one = set(SQLITE);
    const texts = new Set(
      Array.from({ length: 600 }, (_, count) => one.statements(rows(count))).flatMap((all) =>
        all.map(({ sql }) => sql),
      ),
    );
    expect(texts.size).toBe(2 * 7);
  });

  it('is one statement with one parameter elsewhere, and none for no rows', () => {
    const one = set({ type: 'postgres' });
    expect(one.statements([])).toEqual([]);
    const [small, large] = [one.statements(rows(1)), one.statements(rows(5000))];
    expect([small.length, large.length, large[0]!.parameters.length]).toEqual([1, 1, 1]);
    expect(large[0]!.sql).toBe(small[0]!.sql);
  });
});
