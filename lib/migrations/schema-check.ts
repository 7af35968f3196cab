import type { DataSource, EntityMetadata, EntityTarget, ObjectLiteral } from 'typeorm';
import { ThornConfigurationError } from '../errors/index.js';

/**
 * Checks that the tables of entities are there, with all columns. Resolves when the database cannot be reached:
 * the users of the tables wait for it.
 *
 * @param name of the data source in the application
 * @throws {@link ThornConfigurationError} naming what is missing, and what to do
 */
export async function checkSchema(
  dataSource: DataSource,
  name: string,
  entities: readonly EntityTarget<ObjectLiteral>[],
): Promise<void> {
  for (const entity of entities) {
    if (!dataSource.hasMetadata(entity)) continue;
    const metadata = dataSource.getMetadata(entity);
    const columns = metadata.columns.map(({ databaseName }) => databaseName);
    if (await canSelect(dataSource, metadata, columns)) continue;
    if (!(await canSelect(dataSource, null, []))) return;
    if (!(await canSelect(dataSource, metadata, []))) throw missing(dataSource, name, metadata, []);
    const absent: string[] = [];
    for (const column of columns) {
      if (!(await canSelect(dataSource, metadata, [column]))) absent.push(column);
    }
    if (absent.length > 0) throw missing(dataSource, name, metadata, absent);
  }
}

/** @param metadata null: asks whether the database answers at all */
async function canSelect(
  dataSource: DataSource,
  metadata: EntityMetadata | null,
  columns: readonly string[],
): Promise<boolean> {
  const quoted = (name: string) => dataSource.driver.escape(name);
  // With the alias: SQLite takes a quoted name without one that it does not know for a text.
  const selection = columns.map((column) => `t.${quoted(column)}`).join(', ') || '1';
  const table = metadata?.tablePath.split('.').map(quoted).join('.');
  try {
    await dataSource.query(
      `SELECT ${selection}${table === undefined ? '' : ` FROM ${table} t WHERE 1 = 0`}`,
    );
    return true;
  } catch {
    return false;
  }
}

function missing(
  { options: { type } }: DataSource,
  name: string,
  { tablePath }: EntityMetadata,
  columns: readonly string[],
): ThornConfigurationError {
  const what =
    columns.length === 0
      ? `no table ${tablePath}`
      : `no column ${columns.join(', ')} in the table ${tablePath}`;
  const database = type === 'better-sqlite3' ? 'sqlite' : type;
  return new ThornConfigurationError(
    `The data source "${name}" has ${what}. Add ...thornMigrations to its migrations and run them, set ` +
      `synchronize: true in development, or run the SQL that \`npx thorn migrations ${database}\` prints.`,
    { dataSource: name, table: tablePath, columns },
  );
}
