import type { Columns, Dialect, Statement, Tuple } from './dialect.js';

/**
 * Rows of one statement on SQLite: few sizes, so that few statements are prepared. Larger ones are slower, since their
 * values and their programs no longer fit into the caches of the processor.
 */
const SIZES = [64, 32, 16, 8, 4, 2, 1];

/** A value that most rows have in common. */
export type UsualValue = string | number | null;

/**
 * A statement over many rows, which are its parameter and can be used as the table expression `r`.
 *
 * Rows are sent as one JSON text, which keeps the statement the same for any number of them. SQLite is twice as fast
 * with plain VALUES, and each value that is bound costs time: there a set is split into a few sizes. What rows usually
 * have in common is part of the statement, on SQLite and PostgreSQL.
 */
export class BulkStatement {
  readonly #names: readonly string[];
  readonly #usual: readonly (readonly [at: number, value: UsualValue])[];
  readonly #bound: readonly number[];
  readonly #unusual: Columns;
  readonly #sql = new Map<string, string>();

  /**
   * @param sqlOver the statement over a table expression
   * @param usual values that most rows have, by column
   */
  constructor(
    private readonly dialect: Dialect,
    private readonly columns: Columns,
    private readonly sqlOver: (rows: string) => string,
    private readonly usual: Readonly<Record<string, UsualValue>> = {},
  ) {
    this.#names = Object.keys(columns);
    this.#usual = Object.entries(usual).map(([name, value]) => [this.#names.indexOf(name), value]);
    this.#bound = this.#names.flatMap((name, at) => (name in usual ? [] : [at]));
    this.#unusual = Object.fromEntries(
      this.#bound.map((at) => [shortName(at), columns[this.#names[at]!]!]),
    );
  }

  statements(rows: readonly Tuple[]): Statement[] {
    if (rows.length === 0) return [];
    if (this.dialect.name === 'sqlite') return this.#overValues(rows);
    if (this.dialect.name === 'postgres' && rows.every((row) => this.#isUsual(row))) {
      const sql = this.#text('usual', () => this.#overUnusual());
      const parameters = [this.dialect.tuplesParameter(this.#unusual, rows, this.#bound)];
      return [{ sql, parameters }];
    }
    const sql = this.#text('', () => this.dialect.rows('r', this.columns));
    return [{ sql, parameters: [this.dialect.tuplesParameter(this.columns, rows)] }];
  }

  #isUsual(row: Tuple): boolean {
    for (const [at, value] of this.#usual) if (row[at] !== value) return false;
    return true;
  }

  /** The rows on PostgreSQL when all of them have the usual values: half of the JSON is then neither made nor read. */
  #overUnusual(): string {
    const list = this.#names.map((name, at) => {
      const value = this.usual[name];
      return value === undefined
        ? `u.${shortName(at)} AS ${name}`
        : `CAST(${literal(value)} AS ${this.columns[name]}) AS ${name}`;
    });
    return `(SELECT ${list.join(', ')} FROM ${this.dialect.rows('u', this.#unusual)}) AS r`;
  }

  #overValues(rows: readonly Tuple[]): Statement[] {
    const usual: Tuple[] = [];
    const others: Tuple[] = [];
    for (const row of rows) (this.#isUsual(row) ? usual : others).push(row);
    const all = this.#names.map((_, at) => at);
    return [...this.#split(usual, this.#bound, this.usual), ...this.#split(others, all, {})];
  }

  #split(
    rows: readonly Tuple[],
    bound: readonly number[],
    usual: Readonly<Record<string, UsualValue>>,
  ): Statement[] {
    const statements: Statement[] = [];
    for (let at = 0; at < rows.length;) {
      const size = SIZES.find((one) => one <= rows.length - at)!;
      const parameters: unknown[] = [];
      for (const end = at + size; at < end; at++) {
        const row = rows[at]!;
        for (const column of bound) parameters.push(row[column]);
      }
      const sql = this.#text(`${bound.length} ${size}`, () => values(this.#names, usual, size));
      statements.push({ sql, parameters });
    }
    return statements;
  }

  #text(key: string, rows: () => string): string {
    let sql = this.#sql.get(key);
    if (sql === undefined) this.#sql.set(key, (sql = this.sqlOver(rows())));
    return sql;
  }
}

/** The name of a column in JSON, where each row repeats it. */
function shortName(at: number): string {
  return `c${at}`;
}

function literal(value: UsualValue): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

function values(
  names: readonly string[],
  usual: Readonly<Record<string, UsualValue>>,
  size: number,
): string {
  let bound = 0;
  const list = names.map((name) => {
    const value = usual[name];
    if (value === undefined) return `column${++bound} AS ${name}`;
    return `${literal(value)} AS ${name}`;
  });
  const row = `(${Array.from({ length: bound }, () => '?').join(', ')})`;
  return `(SELECT ${list.join(', ')} FROM (VALUES ${Array.from({ length: size }, () => row).join(', ')})) AS r`;
}
