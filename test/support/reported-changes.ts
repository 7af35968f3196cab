import type { DataSource } from 'typeorm';
import type { ReportedTables } from '../../lib/capture/index.js';
import { findDialect } from '../../lib/database/dialect.js';
import { createMissingTables } from '../../lib/database/schema/missing-tables.js';
import type { Row, SqlExecutor } from '../../lib/database/sql-client.js';
import { readReportedRow } from '../../lib/database/triggers/reported-values.js';
import type { ReportedChange } from '../../lib/database/triggers/reported-table.js';
import { readTableShape } from '../../lib/database/triggers/table-shape.js';
import { createTableTriggers } from '../../lib/typeorm/index.js';

/**
 * Makes the triggers of tables in the database of a data source, and tells the columns of the tables.
 *
 * @returns takes what triggers have written down since the last call, oldest first
 */
export async function reportChanges(
  dataSource: DataSource,
  tables: ReportedTables,
): Promise<() => Promise<readonly ReportedChange[]>> {
  const { type } = dataSource.options;
  const executor = executorOf(dataSource);
  await createMissingTables(executor, {});
  const runner = dataSource.createQueryRunner();
  await createTableTriggers(runner, tables.tables);
  await runner.release();
  for (const { name } of tables.tables) {
    tables.describe(name, (await readTableShape(executor, name))!.columns);
  }
  const text = (column: string) => (type === 'postgres' ? `${column}::text` : column);
  return async () => {
    const rows = await dataSource.query<Row[]>(
      `SELECT id, tx, source, ${text('old_row')} AS old_row, ${text('new_row')} AS new_row FROM thorn_changes ORDER BY id`,
    );
    await dataSource.query('DELETE FROM thorn_changes');
    return rows.map(({ id, tx, source, old_row: before, new_row: after }) => {
      const table = String(source);
      const columns = tables.columnsOf(table);
      const read = (json: unknown) =>
        json === null ? null : readReportedRow(String(json), columns);
      return {
        ...{ id: String(id), transaction: tx === null ? null : String(tx), table },
        ...{ before: read(before), after: read(after) },
      };
    });
  };
}

/** Runs the library's statements by a data source. */
export function executorOf(dataSource: DataSource): SqlExecutor {
  const dialect = findDialect(dataSource.options.type);
  return {
    dialect,
    run: async ({ sql, parameters }) => {
      const text = parameters.length === 0 ? sql : dialect.placeholders(sql);
      const rows = (await dataSource.query(text, [...parameters])) as unknown;
      return { rows: Array.isArray(rows) ? (rows as Row[]) : [], affected: 0 };
    },
  };
}
