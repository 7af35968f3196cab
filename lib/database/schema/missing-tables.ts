import { ThornConfigurationError } from '../../errors/index.js';
import type { Result, SqlExecutor } from '../sql-client.js';
import { findSchemaFault, type DatabaseName, type SchemaPlace, SchemaSql } from './schema-sql.js';
import type { TableDefinition } from './table-definition.js';
import { THORN_TABLES } from './thorn-tables.js';

/** PostgreSQL names locks by numbers: `thorn` in ASCII. */
const LOCK_NUMBER = 0x74_68_6f_72_6e;

/** @param executor runs its statements on one connection, which is in no transaction */
export async function createMissingTables(
  executor: SqlExecutor,
  place: SchemaPlace,
  tables: readonly TableDefinition[] = THORN_TABLES,
): Promise<void> {
  if (process.env['NODE_ENV'] === 'production') {
    throw new ThornConfigurationError(
      'THORN_SCHEMA_IN_PRODUCTION',
      'ensureSchema() makes no tables where NODE_ENV is production. Run the SQL that `npx thorn migrations <database>` ' +
        'prints as a migration, before the application starts.',
    );
  }
  const database = await findDatabase(executor);
  const fault = place.schema === undefined ? null : findSchemaFault(database, place.schema);
  if (fault !== null) {
    throw new ThornConfigurationError('THORN_OPTION_INVALID', `ensureSchema(): schema ${fault}.`, {
      option: 'schema',
    });
  }
  const sql = new SchemaSql(database, place);
  const statements = [...sql.createSchema(), ...sql.create(tables, { ifMissing: true })];
  // MySQL and MariaDB lock the name of a table while it is made with its indexes.
  await changingSchema(executor, async () => {
    for (const statement of statements) await run(executor, statement);
  });
}

/** The database of an executor. MariaDB and MySQL have the same dialect, but not the same types. */
export async function findDatabase(executor: SqlExecutor): Promise<DatabaseName> {
  if (executor.dialect.name !== 'mysql') return executor.dialect.name;
  const sql = 'SELECT VERSION() AS version';
  const { rows } = await executor.run({ sql, parameters: [], answersRows: true });
  return /mariadb/i.test(String(rows[0]?.['version'])) ? 'mariadb' : 'mysql';
}

/**
 * Runs what makes objects of the schema, all or nothing and by one process at a time, where the database can do that: MySQL and
 * MariaDB commit with each statement.
 */
export async function changingSchema(
  executor: SqlExecutor,
  work: () => Promise<void>,
): Promise<void> {
  if (executor.dialect.name === 'mysql') return work();
  return inTransaction(executor, work);
}

/** SQLite locks the database. PostgreSQL fails where two make the same table at once, IF NOT EXISTS or not. */
async function inTransaction(executor: SqlExecutor, work: () => Promise<void>): Promise<void> {
  const isPostgres = executor.dialect.name === 'postgres';
  await run(executor, isPostgres ? 'BEGIN' : 'BEGIN IMMEDIATE');
  try {
    if (isPostgres) await run(executor, `SELECT pg_advisory_xact_lock(${LOCK_NUMBER})`);
    await work();
    await run(executor, 'COMMIT');
  } catch (error) {
    // An error of the ROLLBACK would hide the first error, which says what is wrong.
    await run(executor, 'ROLLBACK').catch(() => undefined);
    throw error;
  }
}

function run(executor: SqlExecutor, sql: string): Promise<Result> {
  return executor.run({ sql, parameters: [] });
}
