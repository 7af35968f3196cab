import type { DataSource } from 'typeorm';
import { ThornConfigurationError } from '../errors/index.js';

/** What a column of {@link Dialect.rows} holds. */
export type ColumnKind = 'text' | 'int' | 'bigint';

/** Names and kinds of the columns of a set of rows that is sent along with a statement. */
export type Columns = Readonly<Record<string, ColumnKind>>;

/** One statement; its placeholders are `?` whatever the database. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** What the supported databases spell differently. */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres' | 'mysql';
  /** Whether INSERT and UPDATE answer rows. */
  readonly returns: boolean;
  /** The statement with the database's own placeholders. */
  placeholders(sql: string): string;
  /**
   * A table expression over one parameter, that of {@link rowsParameter}: a statement takes any number of rows and keeps
   * its text, so that it is prepared once.
   */
  rows(alias: string, columns: Columns): string;
  /** The one parameter of {@link rows}: its rows as JSON. */
  rowsParameter(columns: Columns, rows: readonly object[]): string;
  /** An INSERT … SELECT that leaves out what is there already. `table` is the quoted name. */
  insertNew(table: string, columns: readonly string[], select: string): string;
  /** `UPDATE table SET … ` of the rows that match one of `source`. */
  updateFrom(table: string, set: readonly string[], source: string, where: string): string;
  /** Comes after the SELECT that picks the rows of a claim. */
  readonly skipLocked: string;
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
  placeholders: (sql) => sql,
  rows(alias, columns) {
    const list = Object.keys(columns).map((name, at) => `value->>${at} AS ${name}`);
    return `(SELECT ${list.join(', ')} FROM json_each(?)) AS ${alias}`;
  },
  rowsParameter: tuples,
  // Without WHERE, ON would read as the condition of a join.
  insertNew: (table, columns, select) =>
    `INSERT INTO ${table} (${columns.join(', ')}) ${select} ON CONFLICT DO NOTHING`,
  updateFrom: (table, set, source, where) =>
    `UPDATE ${table} AS t SET ${set.join(', ')} FROM ${source} WHERE ${where}`,
  skipLocked: '',
};

const POSTGRES: Dialect = {
  name: 'postgres',
  returns: true,
  placeholders(sql) {
    let count = 0;
    return sql.replaceAll('?', () => `$${++count}`);
  },
  rows(alias, columns) {
    const types = { text: 'text', int: 'int', bigint: 'bigint' };
    const list = Object.entries(columns).map(([name, kind]) => `${name} ${types[kind]}`);
    return `json_to_recordset(?::json) AS ${alias}(${list.join(', ')})`;
  },
  rowsParameter: (columns, rows) => JSON.stringify(rows, Object.keys(columns)),
  insertNew: SQLITE.insertNew,
  updateFrom: SQLITE.updateFrom,
  skipLocked: 'FOR UPDATE SKIP LOCKED',
};

const MYSQL: Dialect = {
  name: 'mysql',
  returns: false,
  placeholders: (sql) => sql,
  rows(alias, columns) {
    const types = { text: 'longtext', int: 'int', bigint: 'bigint' };
    const list = Object.entries(columns).map(
      ([name, kind], at) => `${name} ${types[kind]} PATH '$[${at}]'`,
    );
    return `JSON_TABLE(?, '$[*]' COLUMNS (${list.join(', ')})) AS ${alias}`;
  },
  rowsParameter: tuples,
  // IGNORE would swallow other errors as well.
  insertNew: (table, columns, select) =>
    `INSERT INTO ${table} (${columns.join(', ')}) ${select} ON DUPLICATE KEY UPDATE ${columns[0]} = ${table}.${columns[0]}`,
  updateFrom: (table, set, source, where) =>
    `UPDATE ${table} AS t JOIN ${source} ON ${where} SET ${set.map((part) => `t.${part}`).join(', ')}`,
  skipLocked: 'FOR UPDATE SKIP LOCKED',
};

/** @throws {@link ThornConfigurationError} for a database that the strategy cannot use */
export function dialectOf({ options }: DataSource): Dialect {
  switch (options.type) {
    case 'better-sqlite3':
      return SQLITE;
    case 'postgres':
      return POSTGRES;
    case 'mysql':
    case 'mariadb':
      return MYSQL;
    default:
      throw new ThornConfigurationError(
        `outbox() works on better-sqlite3, postgres, mysql and mariadb, not on ${options.type}; use inline() there, or a strategy of your own`,
        { type: options.type },
      );
  }
}
