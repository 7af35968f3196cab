import { ThornConfigurationError } from '../errors/index.js';

/** The type of a column of {@link Dialect.rows}. */
export type ColumnKind = 'text' | 'int' | 'bigint' | 'uuid';

/** Names and kinds of the columns of a set of rows that is sent along with a statement. */
export type Columns = Readonly<Record<string, ColumnKind>>;

/** The values of a row, in the order of its columns. */
export type Tuple = readonly unknown[];

/** One statement. Its placeholders are `?` on every database. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /**
   * True for a SELECT, and for a statement with RETURNING. Default: the answer is the number of rows that the statement
   * wrote.
   */
  readonly answersRows?: boolean;
  /** The tables of the library that the statement needs, so that an error can name a missing table. Default: none. */
  readonly tables?: readonly string[];
  /** Tells from the answer whether the statement ran in the joined transaction. Default: nothing is checked. */
  readonly proof?: TransactionProof | undefined;
}

/** A row as the driver answers it. */
export type Row = Readonly<Record<string, unknown>>;

/** A statement that answers rows, with their type. */
export interface Select<Answered = Row> extends Statement {
  readonly answersRows: true;
  /** This property never exists. It carries the type of the rows. */
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

/** An INSERT of one row, which names its columns. It fails where another row has the same key. */
export function insertRow(table: string, row: object): Write {
  const columns = Object.keys(row);
  const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
  return write(sql, Object.values(row));
}

/** The result of one statement. */
export interface Result<Answered = Row> {
  readonly rows: readonly Answered[];
  /** The number of rows that were written or, for a statement that answers rows, the number of these rows. */
  readonly affected: number;
}

/** Parts of a statement that make it write only inside an open transaction. */
export interface Gate {
  /** A condition of each part of the statement that writes. */
  readonly condition: string;
  /** The FROM of a SELECT that has values and a condition. Default: the SELECT has no FROM. */
  readonly from?: string;
  /** On PostgreSQL: a common table expression that the statement begins with. */
  readonly table?: Statement;
  /** On PostgreSQL: the columns that the statement selects for {@link TransactionProof.accepts}, and their FROM. */
  readonly answer?: { readonly columns: string; readonly from: string };
}

/**
 * Lets a statement prove that it runs in the joined transaction. A question to the database before the statement would
 * prove nothing: when the application does not await `send()`, its client may queue the statement behind the ROLLBACK.
 *
 * A statement proves that it runs in some transaction. This is the joined transaction as long as only microtasks run
 * between `SqlClient.join()` and the first statement, and between the answer to a statement and the next statement. In
 * this time the connection cannot be in another transaction, because the answers to a ROLLBACK and a BEGIN come with a
 * later turn of the event loop. Code that waits for anything else calls `JoinedTransaction.hold()` first.
 */
export interface TransactionProof {
  /** The error for a statement outside of the transaction. */
  readonly ended: () => Error;
  /** The gate of the next statement. */
  readonly gate: Gate;
  /**
   * Reads the answer to a statement with the {@link gate}.
   *
   * @returns false when nothing was written, and the statement has to be built and run again
   * @throws `TransactionEndedError` when nothing was written, as the statement did not run in the transaction
   */
  accepts(result: Result): boolean;
  /**
   * A condition for a statement that reads the application's rows, and a column that the statement selects for {@link
   * learn}. Empty texts: none.
   */
  readonly reading: { readonly condition: string; readonly column: string };
  /** A condition for a statement that follows a statement with the {@link gate}, and whose answer has no rows. */
  readonly later: string;
  /** Takes a row that a statement of the transaction has read, to recognize the transaction later. */
  learn(row: Result['rows'][number]): void;
}

/** The kinds of SQL. MariaDB has the SQL of MySQL. */
export type DialectName = 'sqlite' | 'postgres' | 'mysql';

/** The syntax that differs between the supported databases. */
export interface Dialect {
  readonly name: DialectName;
  /** True when INSERT and UPDATE return rows. */
  readonly returns: boolean;
  /** Quotes a name for SQL, with the quotes of the database. */
  identifier(name: string): string;
  /** Replaces the placeholders `?` by the placeholders of the database. */
  placeholders(sql: string): string;
  /**
   * A parameter in a statement that any client may run. It is cast on PostgreSQL, because some clients send all values
   * as texts.
   */
  parameter(kind: ColumnKind | 'json'): string;
  /**
   * A table expression over one parameter, which {@link rowsParameter} makes. So the text of a statement is the same
   * for any number of rows, and it is prepared once.
   */
  rows(alias: string, columns: Columns): string;
  /** The parameter of {@link Dialect.rows}: its rows as JSON. */
  rowsParameter(columns: Columns, rows: readonly object[]): string;
  /**
   * {@link rowsParameter} for rows that are tuples.
   *
   * @param positions of the columns within the tuples, on PostgreSQL. Default: the tuples have these columns and no others
   */
  tuplesParameter(columns: Columns, rows: readonly Tuple[], positions?: readonly number[]): string;
  /**
   * An INSERT of a SELECT or of VALUES that leaves out rows which exist already. `table` is the quoted name. In a
   * transaction of the application, the rows must not fail for any other reason, because on SQLite such an error would
   * end the transaction.
   */
  insertNew(table: string, columns: readonly string[], select: string): string;
  /**
   * {@link insertNew} for rows that hardly ever exist already. Their key is the first column of the table and of `r`,
   * and `select` ends with a condition. On PostgreSQL the transaction fails when another transaction writes one of the
   * rows at the same time. The caller then repeats it.
   */
  insertRarelyKnown(table: string, columns: readonly string[], select: string): string;
  /** `UPDATE table AS t SET …` of the rows that match a row of `source`, by the primary key. */
  updateFrom(table: string, set: readonly string[], source: string, where: string): string;
  /** `DELETE FROM table AS t` of the rows that match a row of `source`, by the primary key. */
  deleteFrom(table: string, source: string, where: string): string;
  /** Joins a table to {@link Dialect.rows} so that the database looks rows up by the index, and never scans the table. */
  readonly join: string;
  /** Joins a table: for each row on the left, the database looks up the rows for which `on` holds by the primary key. */
  joinEach(table: string, alias: string, on: string): string;
  /** A table of which the database reads a range of primary keys, even if the range is a large part of the table. */
  byKey(table: string, alias: string): string;
  /** A column that may have a JSON type, as exactly the text that was written. */
  asText(column: string): string;
  /** The end of the SELECT that picks the rows of a claim: it skips rows that another worker has locked. */
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

// JSON arrays are read by position, which is twice as fast as reading objects by name.
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
  // Without WHERE, SQLite would read ON as the condition of a join. An error ends the transaction: to be able to undo one
  // statement only, SQLite would have to copy each page before a change.
  insertNew: (table, columns, select) =>
    `INSERT OR ROLLBACK INTO ${table} (${columns.join(', ')}) ${select} ON CONFLICT DO NOTHING`,
  insertRarelyKnown: (...given) => SQLITE.insertNew(...given),
  updateFrom: (table, set, source, where) =>
    `UPDATE ${table} AS t SET ${set.join(', ')} FROM ${source} WHERE ${where}`,
  deleteFrom: (table, source, where) =>
    `DELETE FROM ${table} WHERE rowid IN (SELECT t.rowid FROM ${source} CROSS JOIN ${table} AS t ON ${where})`,
  // For a plain join, SQLite may scan the table, and scan the rows of the statement for each row of the table.
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
    // For an unknown LIMIT the planner assumes a tenth of the rows, so ten rows here. If it assumed a hundred rows, it
    // would scan tables of some thousand rows instead of looking rows up by the index.
    return `(SELECT * FROM json_to_recordset(?::json) AS x(${list.join(', ')}) LIMIT (SELECT 1000000)) AS ${alias}`;
  },
  // Columns that no row has are left out: PostgreSQL then takes a third less time to read the rows.
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
  // ON CONFLICT would write two WAL records for each row: for the insertion, and for its confirmation.
  insertRarelyKnown: (table, [key, ...others], select) =>
    `INSERT INTO ${table} (${[key, ...others].join(', ')}) ${select} AND NOT EXISTS (SELECT 1 FROM ${table} k WHERE k.${key} = r.${key})`,
  updateFrom: SQLITE.updateFrom,
  deleteFrom: (table, source, where) => `DELETE FROM ${table} AS t USING ${source} WHERE ${where}`,
  join: 'JOIN',
  // Without OFFSET, the planner could turn this into a plain join, which may scan the whole table.
  joinEach: (table, alias, on) =>
    `CROSS JOIN LATERAL (SELECT * FROM ${table} ${alias} WHERE ${on} OFFSET 0) ${alias}`,
  byKey: SQLITE.byKey,
  asText: SQLITE.asText,
  skipLocked: 'FOR UPDATE SKIP LOCKED',
};

// Without the hint the database would scan a small table. The scan locks rows of other transactions, and fails when one of
// them was changed meanwhile.
const LOOKED_UP = 'FORCE INDEX (PRIMARY)';

const MYSQL: Dialect = {
  name: 'mysql',
  returns: false,
  identifier: (name) => `\`${name.replaceAll('`', '``')}\``,
  placeholders: (sql) => sql,
  parameter: () => '?',
  rows(alias, columns) {
    // JSON_TABLE has no type uuid on MariaDB, but a comparison of a text with a uuid column also uses the index.
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
  // The planner does not know how many rows come with a statement, and might begin with the other table.
  join: 'STRAIGHT_JOIN',
  joinEach: (table, alias, on) => `STRAIGHT_JOIN ${table} ${alias} ${LOOKED_UP} ON ${on}`,
  byKey: (table, alias) => `${table} ${alias} ${LOOKED_UP}`,
  asText: (column) => `CAST(${column} AS CHAR)`,
  skipLocked: 'FOR UPDATE SKIP LOCKED',
};

/**
 * @param type the type of the database as TypeORM names it
 * @throws {@link ThornConfigurationError} for a type that is not supported
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
        `The library's tables are supported on PostgreSQL, MariaDB and SQLite (better-sqlite3), not on ${type}. Name another data source in the option dataSources.`,
        { type },
      );
  }
}
