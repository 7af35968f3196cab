import type { Statement } from './dialect.js';
import { type JoinedTransaction, type Result, runSteps, type SqlExecutor } from './sql-client.js';
import { proven, rowsOf } from './transaction-proof.js';

/** A value of a column, as every driver takes it. */
export type Value = string | number | null;

/**
 * The rows of a table that are written one at a time, and changed only if they still have their old values. Conditions
 * are SQL, with `?` for their parameters.
 */
export class TableRows<Row extends { readonly [Column in keyof Row]: unknown }> {
  /** @param table its name in SQL */
  constructor(
    private readonly executor: SqlExecutor & Pick<JoinedTransaction, 'proof'>,
    private readonly table: string,
  ) {}

  /** @throws an error for which `isTaken()` is true when a row has the same key */
  async insert(row: Row): Promise<void> {
    await this.executor.run(this.insertion(row));
  }

  /** The statement of {@link insert}, for a transaction with other statements. */
  insertion(row: Row): Statement {
    const columns = Object.keys(row);
    const sql = `INSERT INTO ${this.table} (${columns.join(', ')}) VALUES (${marksOf(columns)})`;
    return { sql, parameters: Object.values(row) };
  }

  /**
   * Inserts a row unless a row has its key. {@link select} returns the row that exists afterwards. On PostgreSQL and
   * MySQL this waits for another transaction that has inserted such a row and may still roll back.
   */
  async insertUnlessThere(row: Row): Promise<void> {
    const columns = Object.keys(row);
    const { executor } = this;
    const { dialect, proof } = executor;
    const insert = proven(proof, (gate) => ({
      sql: dialect.insertNew(this.table, columns, rowsOf([marksOf(columns)], gate)),
      parameters: Object.values(row),
    }));
    // MySQL may count nothing where the row was there: see assertThere().
    const step = dialect.name === 'mysql' ? { ...insert(), proof: undefined } : insert;
    await runSteps((statement) => executor.run(statement), [step]);
  }

  /**
   * Checks that a row exists after {@link insertUnlessThere}, no matter which transaction has inserted it. Only some
   * databases need to be asked.
   *
   * @throws `TransactionEndedError` when the INSERT did not run in the transaction that was joined
   */
  async assertThere(where: string, ...parameters: readonly Value[]): Promise<void> {
    const { dialect, proof } = this.executor;
    if (proof === undefined || dialect.name !== 'mysql') return;
    // Locking: the transaction may have begun to read before another one has committed the row.
    const locked = `${where} AND ${proof.gate.condition} LOCK IN SHARE MODE`;
    const isThere = await this.has(locked, ...parameters);
    if (!isThere) throw proof.ended();
  }

  /** @param where a condition, and what comes after it */
  async select(where: string, ...parameters: readonly Value[]): Promise<readonly Row[]> {
    const { rows } = await this.#read(`SELECT * FROM ${this.table} WHERE ${where}`, parameters);
    return rows as readonly unknown[] as readonly Row[];
  }

  /**
   * Tells whether there is such a row. It selects a number, because Prisma 6 cannot read texts of a binary collation.
   */
  async has(where: string, ...parameters: readonly Value[]): Promise<boolean> {
    const sql = `SELECT COUNT(*) AS count FROM ${this.table} WHERE ${where}`;
    const { rows } = await this.#read(sql, parameters);
    return Number(rows[0]!['count']) > 0;
  }

  /** @returns the number of rows that were changed */
  async update(set: Partial<Row>, where: string, ...parameters: readonly Value[]): Promise<number> {
    const { affected } = await this.executor.run(this.changing(set, where, ...parameters));
    return affected;
  }

  /** The statement of {@link update}, for a transaction with other statements. */
  changing(set: Partial<Row>, where: string, ...parameters: readonly Value[]): Statement {
    const columns = Object.keys(set).map((column) => `${column} = ?`);
    const sql = `UPDATE ${this.table} SET ${columns.join(', ')} WHERE ${where}`;
    return { sql, parameters: [...Object.values(set), ...parameters] };
  }

  /** @returns the number of rows that were removed */
  async delete(where: string, ...parameters: readonly Value[]): Promise<number> {
    const sql = `DELETE FROM ${this.table} WHERE ${where}`;
    return (await this.executor.run({ sql, parameters })).affected;
  }

  #read(sql: string, parameters: readonly unknown[]): Promise<Result> {
    return this.executor.run({ sql, parameters, answersRows: true });
  }
}

function marksOf(columns: readonly string[]): string {
  return columns.map(() => '?').join(', ');
}
