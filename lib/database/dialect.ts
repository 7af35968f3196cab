import { ThornConfigurationError } from '../errors/index.js';

/** The type of a column of {@link Dialect.rows}. */
export type ColumnKind = 'text' | 'int' | 'bigint' | 'uuid';

/** Names and kinds of the columns of a set of rows that is sent along with a statement. */
export type Columns = Readonly<Record<string, ColumnKind>>;

/** The values of a row, in the order of its columns. */
export type Tuple = readonly unknown[];

/** One statement; its placeholders are `?` whatever the database. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** True for a SELECT, and for a statement with RETURNING. Default: it answers how many rows it wrote. */
  readonly answersRows?: boolean;
  /** The library's tables that it needs, where an error is to say that they are missing. Default: none. */
  readonly tables?: readonly string[];
  /** Reads from the answer whether the statement ran in the transaction that was joined. Default: the answer is not read. */
  readonly proof?: TransactionProof | undefined;
}

/** A row as the driver answers it. */
export type Row = Readonly<Record<string, unknown>>;

/** A statement that answers rows, with their type. */
export interface Select<Answered = Row> extends Statement {
  readonly answersRows: true;
  /** Never there: it carries the type. */
  readonly '~row'?: Answered;
}

/** A statement that answers how many rows it wrote. */
export interface Write extends Statement {
  readonly answersRows?: false;
}

/** Makes a statement that answers rows: a SELECT, or one that ends with RETURNING. */
export function select<Answered = Row>(
  sql: string,
  parameters: readonly unknown[],
): Select<Answered> {
  return { sql, parameters, answersRows: true };
}

/** Makes a statement that answers how many rows it wrote. */
export function write(sql: string, parameters: readonly unknown[]): Write {
  return { sql, parameters };
}

/** The result of one statement. */
export interface Result<Answered = Row> {
  readonly rows: readonly Answered[];
  /** Rows that were written or, where a statement answers rows, how many of them. */
  readonly affected: number;
}

/** Parts of a statement that let it write inside an open transaction alone. */
export interface Gate {
  /** A condition of each part of the statement that writes. */
  readonly condition: string;
  /** The FROM of a SELECT that has values and a condition. Default: the SELECT has no FROM. */
  readonly from?: string;
  /** On PostgreSQL: a common table expression that the statement begins with. */
  readonly table?: Statement;
  /** On PostgreSQL: what the statement selects for {@link TransactionProof.accepts}, and from where. */
  readonly answer?: { readonly columns: string; readonly from: string };
}

/**
 * Lets a statement prove that it runs in the transaction that was joined. A question before it proves nothing: where the
 * application does not wait for a message, its client may queue the statement behind the ROLLBACK.
 *
 * A statement proves that it runs in some transaction. It is the one that was joined as long as nothing but microtasks
 * comes between `SqlClient.join()` and the first statement, and between the answer to one and the next: before that,
 * the connection can be in no other transaction, as only the event loop brings the answers to a ROLLBACK and a BEGIN.
 * Code that waits for anything else calls `JoinedTransaction.hold()` first.
 */
export interface TransactionProof {
  /** The error for a statement outside of the transaction. */
  readonly ended: () => Error;
  /** For the next statement. */
  readonly gate: Gate;
  /**
   * Reads the answer to a statement with the {@link gate}.
   *
   * @returns false when nothing was written, and the statement has to be built and run once more
   * @throws `TransactionEndedError` when nothing was written, as the statement did not run in the transaction
   */
  accepts(result: Result): boolean;
  /** A condition of a statement that reads the application's rows, and a column of it, for {@link learn}. Empty: none. */
  readonly reading: { readonly condition: string; readonly column: string };
  /** A condition of a statement that comes after one with the {@link gate}, and has nothing to answer. */
  readonly later: string;
  /** Takes what a statement of the transaction has read. */
  learn(row: Result['rows'][number]): void;
}

/** The databases whose SQL is one: MariaDB has that of MySQL. */
export type DialectName = 'sqlite' | 'postgres' | 'mysql';

/** The syntax that differs between the supported databases. */
export interface Dialect {
  readonly name: DialectName;
  /** True when INSERT and UPDATE return rows. */
  readonly returns: boolean;
  /** A name as SQL has it, in the database's own quotes. */
  identifier(name: string): string;
  /** The statement with the database's own placeholders. */
  placeholders(sql: string): string;
  /** A parameter in a statement that any client may run: some send all values to PostgreSQL as texts. */
  parameter(kind: ColumnKind | 'json'): string;
  /**
   * A table expression over one parameter, that of {@link rowsParameter}: a statement takes any number of rows and keeps
   * its text, so that it is prepared once.
   */
  rows(alias: string, columns: Columns): string;
  /** The one parameter of {@link Dialect.rows}: its rows as JSON. */
  rowsParameter(columns: Columns, rows: readonly object[]): string;
  /**
   * {@link rowsParameter} of rows that are tuples.
   *
   * @param positions of the columns within the tuples, on PostgreSQL. Default: the tuples have these columns and no others
   */
  tuplesParameter(columns: Columns, rows: readonly Tuple[], positions?: readonly number[]): string;
  /**
   * An INSERT of a SELECT or of VALUES that leaves out what is there already. `table` is the quoted name. In a transaction
   * of the application the rows must fail for no other reason: on SQLite that would end it.
   */
  insertNew(table: string, columns: readonly string[], select: string): string;
  /**
   * {@link insertNew} for rows that are hardly ever there already. Their key is the first column of the table and of
   * `r`, and `select` ends with a condition. On PostgreSQL the transaction fails when another one writes a row at the
   * same time, and has to be repeated.
   */
  insertRarelyKnown(table: string, columns: readonly string[], select: string): string;
  /** `UPDATE table AS t SET … ` of the rows that match one of `source`, by the primary key. */
  updateFrom(table: string, set: readonly string[], source: string, where: string): string;
  /** `DELETE FROM table AS t` of the rows that match one of `source`, by the primary key. */
  deleteFrom(table: string, source: string, where: string): string;
  /** Joins a table to {@link Dialect.rows}, by its index: rows are looked up, never gone through. */
  readonly join: string;
  /** Joins a table to another: for each row before, those for which `on` holds are looked up by the primary key. */
  joinEach(table: string, alias: string, on: string): string;
  /** A table of which a range of primary keys is read, however much of it that is. */
  byKey(table: string, alias: string): string;
  /** A column that may be of a JSON type, as the very text that was written. */
  asText(column: string): string;
  /** Comes after the SELECT that picks the rows of a claim. */
  readonly skipLocked: string;
}

/** A table expression `r` with the one column `id`, and its parameter. */
export function idRows(
  dialect: Dialect,
  ids: readonly unknown[],
  kind: 'uuid' | 'text' | 'bigint' = 'uuid',
): { readonly rows: string; readonly parameter: string } {
  const columns: Columns = { id: kind };
  return {
    rows: dialect.rows('r', columns),
    parameter: dialect.rowsParameter(
      columns,
      ids.map((id) => ({ id })),
    ),
  };
}

// Picking by position is twice as fast as by name.
function tuples(columns: Columns, rows: readonly object[]): string {
  const names = Object.keys(columns);
  return JSON.stringify(
    rows.map((row) => names.map((name) => (row as Readonly<Record<string, unknown>>)[name])),
  );
}

const SQLITE: Dialect = {
  name: 'sqlite',
  returns: true,
  identifier: (name) => `"${name.replaceAll('"', '""')}"`,
  placeholders: (sql) => sql,
  parameter: () => '?',
  rows(alias, columns) {
    const list = Object.keys(columns).map((name, at) => `value->>${at} AS ${name}`);
    return `(SELECT ${list.join(', ')} FROM json_each(?)) AS ${alias}`;
  },
  rowsParameter: tuples,
  tuplesParameter: (_columns, rows) => JSON.stringify(rows),
  // Without WHERE, ON would read as the condition of a join. An error ends the transaction: to undo one statement alone,
  // SQLite would copy each page before it is changed.
  insertNew: (table, columns, select) =>
    `INSERT OR ROLLBACK INTO ${table} (${columns.join(', ')}) ${select} ON CONFLICT DO NOTHING`,
  insertRarelyKnown: (...given) => SQLITE.insertNew(...given),
  updateFrom: (table, set, source, where) =>
    `UPDATE ${table} AS t SET ${set.join(', ')} FROM ${source} WHERE ${where}`,
  deleteFrom: (table, source, where) =>
    `DELETE FROM ${table} WHERE rowid IN (SELECT t.rowid FROM ${source} CROSS JOIN ${table} AS t ON ${where})`,
  // Of a plain join it may go through the table, and through the rows of the statement for each row of it.
  join: 'CROSS JOIN',
  joinEach: (table, alias, on) => `CROSS JOIN ${table} ${alias} ON ${on}`,
  byKey: (table, alias) => `${table} ${alias}`,
  asText: (column) => `CAST(${column} AS TEXT)`,
  skipLocked: '',
};

const POSTGRES: Dialect = {
  name: 'postgres',
  returns: true,
  identifier: SQLITE.identifier,
  placeholders(sql) {
    let count = 0;
    return sql.replaceAll('?', () => `$${++count}`);
  },
  parameter: (kind) => (kind === 'text' ? '?' : `CAST(? AS ${kind})`),
  rows(alias, columns) {
    const types = { text: 'text', int: 'int', bigint: 'bigint', uuid: 'uuid' };
    const list = Object.entries(columns).map(([name, kind]) => `${name} ${types[kind]}`);
    // For a LIMIT that it does not know the planner assumes a tenth of the rows, ten here. With a hundred it would go
    // through tables of some thousand rows instead of looking these up.
    return `(SELECT * FROM json_to_recordset(?::json) AS x(${list.join(', ')}) LIMIT (SELECT 1000000)) AS ${alias}`;
  },
  // Columns that no row has are left out, which saves a third of the time that PostgreSQL takes to read the rows.
  rowsParameter: (columns, rows) =>
    JSON.stringify(
      rows,
      Object.keys(columns).filter((name) =>
        rows.some((row) => (row as Readonly<Record<string, unknown>>)[name] !== null),
      ),
    ),
  tuplesParameter(columns, rows, positions) {
    const used = Object.keys(columns)
      .map((name, at) => [name, positions?.[at] ?? at] as const)
      .filter(([, at]) => rows.some((row) => row[at] !== null));
    return JSON.stringify(
      rows.map((row) => {
        const object: Record<string, unknown> = {};
        for (const [name, at] of used) object[name] = row[at];
        return object;
      }),
    );
  },
  insertNew: (table, columns, select) =>
    `INSERT INTO ${table} (${columns.join(', ')}) ${select} ON CONFLICT DO NOTHING`,
  // ON CONFLICT would log each row twice: that it was written, and that it has stayed.
  insertRarelyKnown: (table, [key, ...others], select) =>
    `INSERT INTO ${table} (${[key, ...others].join(', ')}) ${select} AND NOT EXISTS (SELECT 1 FROM ${table} k WHERE k.${key} = r.${key})`,
  updateFrom: SQLITE.updateFrom,
  deleteFrom: (table, source, where) => `DELETE FROM ${table} AS t USING ${source} WHERE ${where}`,
  join: 'JOIN',
  // Without OFFSET it would be a plain join, which may go through the whole table.
  joinEach: (table, alias, on) =>
    `CROSS JOIN LATERAL (SELECT * FROM ${table} ${alias} WHERE ${on} OFFSET 0) ${alias}`,
  byKey: SQLITE.byKey,
  asText: SQLITE.asText,
  skipLocked: 'FOR UPDATE SKIP LOCKED',
};

// A small table would be gone through: that locks the rows of others, and fails when one was changed meanwhile.
const LOOKED_UP = 'FORCE INDEX (PRIMARY)';

const MYSQL: Dialect = {
  name: 'mysql',
  returns: false,
  identifier: (name) => `\`${name.replaceAll('`', '``')}\``,
  placeholders: (sql) => sql,
  parameter: () => '?',
  rows(alias, columns) {
    // MariaDB has no uuid here, and compares a text with one by the index as well.
    const types = { text: 'longtext', int: 'int', bigint: 'bigint', uuid: 'longtext' };
    const list = Object.entries(columns).map(
      ([name, kind], at) => `${name} ${types[kind]} PATH '$[${at}]'`,
    );
    return `JSON_TABLE(?, '$[*]' COLUMNS (${list.join(', ')})) AS ${alias}`;
  },
  rowsParameter: tuples,
  tuplesParameter: SQLITE.tuplesParameter,
  insertNew: (table, columns, select) =>
    `INSERT INTO ${table} (${columns.join(', ')}) ${select} ON DUPLICATE KEY UPDATE ${columns[0]} = ${table}.${columns[0]}`,
  insertRarelyKnown: (...given) => MYSQL.insertNew(...given),
  updateFrom: (table, set, source, where) =>
    `UPDATE ${source} STRAIGHT_JOIN ${table} AS t ${LOOKED_UP} ON ${where} SET ${set.map((part) => `t.${part}`).join(', ')}`,
  deleteFrom: (table, source, where) =>
    `DELETE t FROM ${source} STRAIGHT_JOIN ${table} AS t ${LOOKED_UP} ON ${where}`,
  // It knows nothing of how many rows come with a statement, and might begin at the wrong end.
  join: 'STRAIGHT_JOIN',
  joinEach: (table, alias, on) => `STRAIGHT_JOIN ${table} ${alias} ${LOOKED_UP} ON ${on}`,
  byKey: (table, alias) => `${table} ${alias} ${LOOKED_UP}`,
  asText: (column) => `CAST(${column} AS CHAR)`,
  skipLocked: 'FOR UPDATE SKIP LOCKED',
};

/**
 * @param type that TypeORM gives the database
 * @throws {@link ThornConfigurationError} for one that is not supported
 */
export function findDialect(type: string): Dialect {
  switch (type) {
    case 'better-sqlite3':
      return SQLITE;
    case 'postgres':
      return POSTGRES;
    case 'mysql':
    case 'mariadb':
      return MYSQL;
    default:
      throw new ThornConfigurationError(
        'THORN_DATABASE_UNSUPPORTED',
        `The library's tables are supported on PostgreSQL, MariaDB and SQLite (better-sqlite3), not on ${type}. Name other data sources in the option dataSources.`,
        { type },
      );
  }
}
