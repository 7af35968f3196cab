import type { Columns, Dialect, Statement } from './dialect.js';

/** Sizes of sets on SQLite: few, so that few statements are prepared. Far below its limit of 32,766 parameters. */
const SIZES = [1, 4, 16, 64, 128, 256, 512, 1024];

/**
 * A statement over many rows that come along with it, as the table expression `r`.
 *
 * Rows are sent as one JSON text, which keeps the statement the same for any number of them. SQLite is twice as fast
 * with plain VALUES: there a set is filled up with rows of NULL to one of a few sizes. The statement must join `r` to
 * a table by a column that is never NULL, so that these do nothing.
 */
export class BulkStatement {
  readonly #names: readonly string[];
  readonly #sql = new Map<number, string>();

  /** @param sqlOver the statement over a table expression */
  constructor(
    private readonly dialect: Dialect,
    private readonly columns: Columns,
    private readonly sqlOver: (rows: string) => string,
  ) {
    this.#names = Object.keys(columns);
  }

  /** @returns the statements for so many rows, most often one */
  statements(rows: readonly object[]): Statement[] {
    if (rows.length === 0) return [];
    if (this.dialect.name === 'sqlite') return this.#overValues(rows);
    const sql = this.#text(0, () => this.dialect.rows('r', this.columns));
    return [{ sql, parameters: [this.dialect.rowsParameter(this.columns, rows)] }];
  }

  #overValues(rows: readonly object[]): Statement[] {
    const most = SIZES.at(-1)!;
    if (rows.length > most) {
      return [...this.#overValues(rows.slice(0, most)), ...this.#overValues(rows.slice(most))];
    }
    const size = SIZES.find((one) => one >= rows.length)!;
    const parameters: unknown[] = [];
    for (const row of rows) {
      for (const name of this.#names) {
        parameters.push((row as Readonly<Record<string, unknown>>)[name]);
      }
    }
    while (parameters.length < size * this.#names.length) parameters.push(null);
    return [{ sql: this.#text(size, () => values(this.#names, size)), parameters }];
  }

  #text(size: number, rows: () => string): string {
    let sql = this.#sql.get(size);
    if (sql === undefined) this.#sql.set(size, (sql = this.sqlOver(rows())));
    return sql;
  }
}

function values(names: readonly string[], size: number): string {
  const list = names.map((name, at) => `column${at + 1} AS ${name}`).join(', ');
  const row = `(${names.map(() => '?').join(', ')})`;
  return `(SELECT ${list} FROM (VALUES ${Array.from({ length: size }, () => row).join(', ')})) AS r`;
}
