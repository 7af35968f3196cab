import { ThornConfigurationError } from '../../errors/index.js';
import type { SqlExecutor, SqlTables } from '../sql-client.js';
import { findDatabase } from './missing-tables.js';
import type { TableDefinition } from './table-definition.js';

/** The database of some tables, as errors name it. */
export interface NamedDatabase {
  readonly name: string;
  readonly text: string;
  /** What else to do, besides running the SQL. */
  readonly remedy: string;
  /** An option for `thorn migrations`, with a blank before it. Default none. */
  readonly option?: string;
  /** The schema that the client was given for the tables, if any. */
  readonly schema?: string | undefined;
}

/** The option of `thorn migrations` for the schema of the tables, with a blank before. */
export function ofSchema(schema: string | undefined): string {
  return schema === undefined ? '' : ` --schema ${schema}`;
}

/**
 * Checks that tables exist with all their columns. When the database cannot be reached, it resolves: the users of the
 * tables wait for the database anyway.
 *
 * @throws {@link ThornConfigurationError} naming the missing tables and columns, and the command that makes them
 */
export async function checkTables(
  store: SqlTables,
  database: NamedDatabase,
  tables: readonly TableDefinition[],
): Promise<void> {
  for (const { name: table, columns } of tables) {
    const path = store.table(table);
    const names = Object.keys(columns);
    if (await canSelect(store, path, names)) continue;
    if (!(await canSelect(store))) return;
    const isThere = await canSelect(store, path);
    const [elsewhere] = isThere ? [] : await schemasWith(store, table);
    if (elsewhere !== undefined) throw tableElsewhere(database, path, elsewhere);
    const absent: string[] = [];
    for (const column of isThere ? names : []) {
      if (!(await canSelect(store, path, [column]))) absent.push(column);
    }
    if (!isThere || absent.length > 0) throw await missingTable(store, database, path, absent);
  }
}

/** The schemas of PostgreSQL that have a table of this name. */
async function schemasWith(store: SqlTables, table: string): Promise<readonly string[]> {
  if (store.dialect.name !== 'postgres') return [];
  const sql =
    'SELECT table_schema AS name FROM information_schema.tables WHERE table_name = ? ORDER BY 1';
  const { rows } = await store.run({ sql, parameters: [table], answersRows: true });
  return rows.map(({ name }) => String(name));
}

function tableElsewhere({ name, text }: NamedDatabase, path: string, schema: string): Error {
  const table = path.replaceAll(/["`]/g, '');
  return new ThornConfigurationError(
    'THORN_TABLES_MISSING',
    `${text} has no table ${table}, but one of this name in the schema ${schema}. Name that schema if it has the tables: ` +
      `schema: '${schema}', an option of the client or of the data source.`,
    { dataSource: name, table, schema, columns: [] },
  );
}

/** Asks what every statement of the library needs: a table that is found by its name, and may be read. */
async function canSelect(
  executor: SqlExecutor,
  path?: string,
  columns: readonly string[] = [],
): Promise<boolean> {
  // With the alias: SQLite reads an unknown quoted name without an alias as a text.
  const selection = columns.map((column) => `t.${column}`).join(', ') || '1';
  const sql = `SELECT ${selection}${path === undefined ? '' : ` FROM ${path} t WHERE 1 = 0`}`;
  try {
    await executor.run({ sql, parameters: [], answersRows: true });
    return true;
  } catch {
    return false;
  }
}

export async function missingTable(
  store: SqlExecutor,
  { name, text, remedy, option = '', schema }: NamedDatabase,
  path: string,
  columns: readonly string[] = [],
  cause?: unknown,
): Promise<ThornConfigurationError> {
  const table = path.replaceAll(/["`]/g, '');
  const what =
    columns.length === 0
      ? `no table ${table}`
      : `no column ${columns.join(', ')} in the table ${table}`;
  return new ThornConfigurationError(
    'THORN_TABLES_MISSING',
    `${text} has ${what}. ${remedy} the SQL that \`npx thorn migrations ${await findDatabase(store)}${option}${ofSchema(schema)}\` prints.`,
    { dataSource: name, table, columns },
    cause,
  );
}
