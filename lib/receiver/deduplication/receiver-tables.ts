import { createHash } from 'node:crypto';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { ThornConfigurationError } from '../../errors/index.js';
import type { SqlManager } from './sql-manager.js';

const POSTGRES = new Set(['postgres', 'cockroachdb', 'aurora-postgres']);
const MYSQL = new Set(['mysql', 'mariadb', 'aurora-mysql']);
const SQLITE = new Set(['better-sqlite3', 'sqlite', 'sqljs', 'expo', 'capacitor', 'react-native']);

/**
 * Computes the key of a row. A hash, because ids have no length limit and databases compare texts in ways of their own: under
 * some collations `a` and `A` are the same message.
 */
export function hashOf(purpose: 'claim' | 'once' | 'order', receiver: string, id: string): string {
  return createHash('sha256')
    .update(JSON.stringify([purpose, receiver, id]))
    .digest('hex');
}

/** The name of a table of receivers, with the data source's `entityPrefix`. */
export function tableName(
  of: { readonly dataSource: { readonly options: { readonly entityPrefix?: string } } },
  table: string,
): string {
  return (dataSourceOf(of).options.entityPrefix ?? '') + table;
}

/** Inserts a row, whose keys are columns, unless one has its hash. */
export async function insertOrIgnore(
  manager: SqlManager,
  table: string,
  row: Readonly<Record<string, string | number>>,
): Promise<void> {
  const [insert, unless] = isMysql(manager)
    ? ['INSERT IGNORE', '']
    : ['INSERT', ' ON CONFLICT DO NOTHING'];
  const columns = Object.keys(row);
  await runSql(
    manager,
    `${insert} INTO ${tableName(manager, table)} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})${unless}`,
    Object.values(row),
  );
}

/** Runs a statement, whose placeholders are `?` whatever the database. */
export function runSql(manager: SqlManager, sql: string, parameters: unknown[]): Promise<unknown> {
  const { type } = dataSourceOf(manager).options;
  if (!POSTGRES.has(type)) return manager.query(sql, parameters);
  let count = 0;
  return manager.query(
    sql.replaceAll('?', () => `$${++count}`),
    parameters,
  );
}

/** @throws {@link ThornConfigurationError} for a database that is not supported */
function isMysql(manager: SqlManager): boolean {
  const { type } = dataSourceOf(manager).options;
  if (MYSQL.has(type)) return true;
  if (POSTGRES.has(type) || SQLITE.has(type)) return false;
  throw new ThornConfigurationError(
    'THORN_DATABASE_UNSUPPORTED',
    `The tables of receivers are supported on PostgreSQL, MariaDB and SQLite, not on ${type}.`,
    { database: type },
  );
}
