import { idRows, type Statement } from '../../database/dialect.js';
import type { Result } from '../../database/sql-client.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { ReportedTable } from '../../database/triggers/reported-table.js';
import type { StoredChange } from './change-units.js';

const AT_ONCE = 1000;
const LONGEST_FAULT = 1000;
const MOST_SOURCES = 20;

/** How many changes are in `thorn_changes`. */
export interface ChangeCounts {
  /** Changes that wait for a worker. */
  readonly waiting: number;
  /** Changes of which no message could be made. */
  readonly failed: number;
}

/** The SQL on `thorn_changes`, which triggers fill. */
export class ChangeTable {
  readonly #table: string;
  readonly #names: readonly string[];
  /** Large transactions that change no row twice: the reader need not look for further changes of their rows. */
  readonly #withoutRepeats = new Set<string>();

  constructor(
    private readonly database: SqlStore,
    private readonly tables: readonly ReportedTable[],
  ) {
    this.#table = database.table('thorn_changes');
    this.#names = tables.map(({ name }) => name);
  }

  /**
   * The oldest changes. On PostgreSQL the later changes of the same rows by the same transactions come with them, so that one
   * message tells what a transaction did to a row.
   */
  async oldest(): Promise<readonly StoredChange[]> {
    const { rows } = await this.database.poll(this.#select(`ORDER BY c.id LIMIT ${AT_ONCE}`, []));
    const oldest = rows.map(read);
    if (oldest.length < AT_ONCE || this.database.dialect.name !== 'postgres') return oldest;
    return [...oldest, ...(await this.#further(oldest))];
  }

  /** Removes changes. Runs in the transaction that stores their messages. */
  removal(changes: readonly StoredChange[]): Statement {
    const ids = changes.map(({ id }) => id);
    const { rows, parameter } = idRows(this.database.dialect, ids, 'bigint');
    return {
      sql: this.database.dialect.deleteFrom(this.#table, rows, 't.id = r.id'),
      parameters: [parameter],
    };
  }

  /** Marks changes of which no message can be made: they stay in the table, and readers pass them over. */
  failure(changes: readonly StoredChange[], fault: string, now: number): Statement {
    const { dialect } = this.database;
    // One transaction may have changed a row more often than a statement has parameters.
    const ids = changes.map(({ id }) => id);
    const { rows, parameter } = idRows(dialect, ids, 'bigint');
    const set = [fault.slice(0, LONGEST_FAULT), now];
    return {
      sql: dialect.updateFrom(this.#table, ['fault = ?', 'failed_at = ?'], rows, 't.id = r.id'),
      parameters: dialect.name === 'mysql' ? [parameter, ...set] : [...set, parameter],
    };
  }

  /** Lets workers try the changes again that have failed. @returns how many */
  async retry(): Promise<number> {
    const sql = `UPDATE ${this.#table} SET fault = NULL, failed_at = NULL WHERE failed_at IS NOT NULL`;
    return (await this.database.run({ sql, parameters: [] })).affected;
  }

  async counts(): Promise<ChangeCounts> {
    const sql = `SELECT COUNT(*) AS total, COUNT(failed_at) AS failed FROM ${this.#table}`;
    const { rows } = await this.database.run({ sql, parameters: [], answersRows: true });
    const failed = Number(rows[0]!['failed']);
    return { waiting: Number(rows[0]!['total']) - failed, failed };
  }

  /** The tables of changes that this process knows nothing of. */
  async unknown(): Promise<readonly string[]> {
    const sql = `SELECT DISTINCT source FROM ${this.#table} WHERE source NOT IN (${this.#names.map(() => '?').join(', ')}) LIMIT ${MOST_SOURCES}`;
    const { rows } = await this.database.run({ sql, parameters: this.#names, answersRows: true });
    return rows.map(({ source }) => String(source));
  }

  async #further(oldest: readonly StoredChange[]): Promise<readonly StoredChange[]> {
    const last = oldest.at(-1)!.id;
    const transactions = new Set(oldest.map(({ transaction }) => transaction!));
    const open: string[] = [];
    for (const { transaction, left } of await this.#goingOn(transactions, last)) {
      if (left > AT_ONCE && !(await this.#repeats(transaction))) {
        this.#withoutRepeats.add(transaction);
      } else open.push(transaction);
    }
    if (open.length === 0) return [];
    const keys = this.tables.flatMap((table) => {
      const ids = oldest.filter((one) => one.table === table.name).map(({ id }) => id);
      if (ids.length === 0) return [];
      const [key, known] = [keyOf('c', table), keyOf('k', table)];
      return [
        {
          sql: `(c.source = ? AND (c.tx, ${key.sql}) IN (SELECT k.tx, ${known.sql} FROM ${this.#table} k WHERE k.id = ANY(CAST(? AS bigint[]))))`,
          parameters: [table.name, ...key.parameters, ...known.parameters, ids],
        },
      ];
    });
    const condition = keys.map(({ sql }) => sql).join(' OR ');
    const { rows } = await this.database.run(
      this.#select(
        `AND c.id > CAST(? AS bigint) AND c.tx = ANY(CAST(? AS bigint[])) AND (${condition}) ORDER BY c.id`,
        [last, open, ...keys.flatMap(({ parameters }) => parameters)],
      ),
    );
    return rows.map(read);
  }

  /** The transactions that have made further changes, and how many. */
  async #goingOn(transactions: ReadonlySet<string>, last: string) {
    for (const one of this.#withoutRepeats) {
      if (!transactions.has(one)) this.#withoutRepeats.delete(one);
    }
    const asked = [...transactions].filter((one) => !this.#withoutRepeats.has(one));
    if (asked.length === 0) return [];
    const { rows } = await this.database.run({
      sql: `SELECT tx, COUNT(*) AS left FROM ${this.#table} WHERE id > CAST(? AS bigint) AND tx = ANY(CAST(? AS bigint[])) GROUP BY tx`,
      parameters: [last, asked],
      answersRows: true,
    });
    return rows.map(({ tx, left }) => ({ transaction: String(tx), left: Number(left) }));
  }

  /** Whether a transaction has changed a row more than once. */
  async #repeats(transaction: string): Promise<boolean> {
    for (const table of this.tables) {
      const { sql, parameters } = keyOf('c', table);
      const places = table.key.map((_, at) => at + 1).join(', ');
      const { rows } = await this.database.run({
        sql: `SELECT ${sql} FROM ${this.#table} c WHERE c.tx = CAST(? AS bigint) AND c.source = ? GROUP BY ${places} HAVING COUNT(*) > 1 LIMIT 1`,
        parameters: [...parameters, transaction, table.name],
        answersRows: true,
      });
      if (rows.length > 0) return true;
    }
    return false;
  }

  #select(rest: string, parameters: readonly unknown[]): Statement {
    const { dialect } = this.database;
    const [before, after] = ['c.old_row', 'c.new_row'].map((column) => dialect.asText(column));
    return {
      sql: `SELECT c.id, c.tx, c.source, ${before} AS old_row, ${after} AS new_row FROM ${this.#table} c WHERE c.failed_at IS NULL AND c.source IN (${this.#names.map(() => '?').join(', ')}) ${rest}`,
      parameters: [...this.#names, ...parameters],
      answersRows: true,
    };
  }
}

/** The values of a key, in either of the rows of a change. */
function keyOf(alias: string, { key }: ReportedTable): Statement {
  const column = 'CAST(? AS text)';
  const value = `COALESCE(${alias}.new_row ->> ${column}, ${alias}.old_row ->> ${column})`;
  return {
    sql: key.map(() => value).join(', '),
    parameters: key.flatMap((name) => [name, name]),
  };
}

function read({ id, tx, source, old_row, new_row }: Result['rows'][number]): StoredChange {
  return {
    id: String(id),
    transaction: tx === null ? null : String(tx),
    table: String(source),
    before: old_row as string | null,
    after: new_row as string | null,
  };
}
