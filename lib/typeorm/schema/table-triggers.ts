import type { QueryRunner } from 'typeorm';
import { dataSourceOf, ownTablePath } from '../../common/typeorm-compat.js';
import { findDialect } from '../../database/dialect.js';
import type { Row, SqlExecutor } from '../../database/sql-client.js';
import { createTriggers, dropTriggers } from '../../database/triggers/table-triggers.js';
import { reportedTable, type TriggerTable } from '../../database/triggers/reported-table.js';

/**
 * Creates the triggers that write the changes of tables to `thorn_changes`, and replaces existing ones. Call it in a
 * migration of the application that runs after `thornMigrations`.
 *
 * @param tables results of `defineTableEvents()`, or names of tables with their keys
 * @throws `ThornConfigurationError` when a table, a column or a key does not exist, for a view, and for a key that is
 *   not unique. In these cases no trigger is created
 *
 * @example
 * ```ts
 * async up(queryRunner: QueryRunner): Promise<void> {
 *   await createTableTriggers(queryRunner, [{ name: 'article', key: 'id' }]);
 * }
 * ```
 */
export async function createTableTriggers(
  queryRunner: QueryRunner,
  tables: readonly TriggerTable[],
): Promise<void> {
  const { executor, path } = schemaOf(queryRunner);
  await createTriggers(executor, path, tables.map(reportedTable));
}

/** Removes what {@link createTableTriggers} has made. Tables and triggers that are not there are left out. */
export async function dropTableTriggers(
  queryRunner: QueryRunner,
  tables: readonly Pick<TriggerTable, 'name'>[],
): Promise<void> {
  const { executor, path } = schemaOf(queryRunner);
  await dropTriggers(executor, path, tables);
}

function schemaOf(queryRunner: QueryRunner) {
  const dataSource = dataSourceOf(queryRunner);
  const dialect = findDialect(dataSource.options.type);
  const run: SqlExecutor['run'] = async ({ sql, parameters }) => {
    const text = parameters.length === 0 ? sql : dialect.placeholders(sql);
    const answer = (await queryRunner.query(text, [...parameters])) as unknown;
    return { rows: Array.isArray(answer) ? (answer as Row[]) : [], affected: 0 };
  };
  return { executor: { dialect, run }, path: (name: string) => ownTablePath(dataSource, name) };
}
