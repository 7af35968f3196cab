import { createHash } from 'node:crypto';
import { type Dialect, type DialectName, findDialect } from '../dialect.js';
import type { ColumnDefinition, ColumnType, TableDefinition } from './table-definition.js';

/** A database whose SQL the library knows. */
export type DatabaseName = 'sqlite' | 'postgres' | 'mysql' | 'mariadb';

/** The place of the tables. */
export interface SchemaPlace {
  /** PostgreSQL: the schema of the tables. Default: the connection's own. */
  readonly schema?: string | undefined;
  /** Text in front of the names of the tables. Default none. */
  readonly prefix?: string | undefined;
}

/** The names of tables and indexes in a database, where they are not TypeORM's own. */
export interface SchemaNames {
  table(name: string): string;
  index(table: string, columns: readonly string[], where: string | undefined): string;
}

/**
 * The engine options of the library's tables on MySQL and MariaDB. The default collations ignore case, but ids and tokens
 * are case-sensitive.
 */
export const MYSQL_ENGINE = 'InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin';

// JSON of MySQL would keep a value, but not its text. All is spelled so that TypeORM finds nothing to change.
const WORDS: Readonly<Record<DatabaseName, Partial<Readonly<Record<ColumnType, string>>>>> = {
  sqlite: { int: 'integer', uuid: 'varchar' },
  postgres: { int: 'integer', varchar: 'character varying' },
  mysql: { json: 'longtext', boolean: 'tinyint', uuid: 'varchar(255)' },
  mariadb: { json: 'longtext', boolean: 'tinyint' },
};

/**
 * A number of 64 bits, which the database gives each row. SQLite numbers a primary key of this very type alone. AUTOINCREMENT
 * there, which gives no number again once the table was empty, would cost each INSERT another page.
 */
const GENERATED: Readonly<Record<DialectName, string>> = {
  sqlite: 'integer PRIMARY KEY NOT NULL',
  postgres: 'bigint GENERATED ALWAYS AS IDENTITY NOT NULL',
  mysql: 'bigint NOT NULL AUTO_INCREMENT',
};

export class SchemaSql {
  readonly #dialect: Dialect;
  readonly #names: SchemaNames;

  constructor(
    readonly database: DatabaseName,
    private readonly place: SchemaPlace = {},
    names?: SchemaNames,
  ) {
    this.#dialect = findDialect(database === 'sqlite' ? 'better-sqlite3' : database);
    this.#names = names ?? { table: (name) => `${place.prefix ?? ''}${name}`, index: indexName };
  }

  createSchema(): readonly string[] {
    const { schema } = this.place;
    return schema === undefined
      ? []
      : [`CREATE SCHEMA IF NOT EXISTS ${this.#dialect.identifier(schema)}`];
  }

  /** The statements that create tables. With `ifMissing`, existing tables are left alone. */
  create(tables: readonly TableDefinition[], { ifMissing = false } = {}): readonly string[] {
    return tables.flatMap((table) => this.#create(table, ifMissing ? 'IF NOT EXISTS ' : ''));
  }

  drop(tables: readonly TableDefinition[]): readonly string[] {
    return tables.toReversed().map(({ name }) => `DROP TABLE ${this.path(name)}`);
  }

  path(name: string): string {
    const { schema } = this.place;
    const own = this.#dialect.identifier(this.#names.table(name));
    return schema === undefined ? own : `${this.#dialect.identifier(schema)}.${own}`;
  }

  #create({ name, columns, primaryKey, indexes }: TableDefinition, unless: string): string[] {
    const path = this.path(name);
    const parts = Object.entries(columns).map(([column, definition]) =>
      this.#column(column, definition),
    );
    const isMysql = this.#dialect.name === 'mysql';
    const made = indexes.map(({ columns: indexed, unique = false, where }) => {
      const index = this.#dialect.identifier(
        this.#names.index(this.#names.table(name), indexed, where),
      );
      const kind = unique ? 'UNIQUE INDEX' : 'INDEX';
      // Part of the table there: MySQL makes no index IF NOT EXISTS.
      if (isMysql) return `${kind} ${index} (${this.#list(indexed)})`;
      const rows = where === undefined ? '' : ` WHERE ${where}`;
      return `CREATE ${kind} ${unless}${index} ON ${path} (${this.#list(indexed)})${rows}`;
    });
    parts.push(...(isMysql ? made : []));
    if (!hasOwnKey(columns[primaryKey[0]!]!, this.database)) {
      parts.push(`PRIMARY KEY (${this.#list(primaryKey)})`);
    }
    const table = `CREATE TABLE ${unless}${path} (${parts.join(', ')})`;
    return isMysql ? [`${table} ENGINE=${MYSQL_ENGINE}`] : [table, ...made];
  }

  #column(name: string, definition: ColumnDefinition): string {
    const { type, length, nullable = false, generated = false } = definition;
    if (generated) return `${this.#dialect.identifier(name)} ${GENERATED[this.#dialect.name]}`;
    const word = WORDS[this.database][type] ?? type;
    const limit = length === undefined ? '' : `(${length})`;
    return `${this.#dialect.identifier(name)} ${word}${limit}${nullable ? '' : ' NOT NULL'}`;
  }

  #list(columns: readonly string[]): string {
    return columns.map((column) => this.#dialect.identifier(column)).join(', ');
  }
}

/** Tells whether the definition of a column says that it is the primary key. */
function hasOwnKey({ generated = false }: ColumnDefinition, database: DatabaseName): boolean {
  return generated && database === 'sqlite';
}

/** The name that TypeORM gives an index, so that TypeORM's own migrations find nothing to change. */
function indexName(table: string, columns: readonly string[], where: string | undefined): string {
  const key = [table, ...columns.toSorted(), ...(where === undefined ? [] : [where])].join('_');
  return `IDX_${createHash('sha1').update(key).digest('hex').slice(0, 26)}`;
}

/** Why a database cannot have a schema of this name, and what to do; null if it can. */
export function findSchemaFault(database: DatabaseName, schema: string): string | null {
  if (database !== 'postgres') {
    return `works with postgres alone, not with ${database}: leave it out, or set a prefix`;
  }
  return /^(?!pg_)[a-z_][a-z0-9_]{0,62}$/i.test(schema)
    ? null
    : `takes letters, digits and "_", at most 63 and not pg_ at the start, such as thorn, not "${schema}"`;
}

export function databaseOf(type: string): DatabaseName {
  if (findDialect(type).name !== 'mysql') return findDialect(type).name;
  return type === 'mariadb' ? 'mariadb' : 'mysql';
}
