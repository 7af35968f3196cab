import { changingSchema } from '../database/schema/missing-tables.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import { reportedTable, type TriggerTable } from '../database/triggers/reported-table.js';
import { createTriggers, dropTriggers } from '../database/triggers/table-triggers.js';
import { onOneConnection } from './one-connection.js';

/**
 * Makes the triggers that write the changes of tables to `thorn_changes`, and replaces existing triggers of the same
 * tables. For migrations in code. On PostgreSQL and SQLite, either all triggers are made or none.
 *
 * @param database the result of `fromPrisma()` or a similar function for a client; an injection token is refused
 * @throws `ThornConfigurationError` for a table, a column or a key that does not exist, for a view, and for a key that
 * is not unique; then nothing is made
 *
 * @example
 * ```ts
 * await createTableTriggers(fromPg(pool), [{ name: 'orders', key: 'id', omit: ['note'] }]);
 * ```
 */
export async function createTableTriggers(
  database: SqlClientDefinition<never>,
  tables: readonly TriggerTable[],
): Promise<void> {
  await onOneConnection('createTableTriggers()', database, (executor, client) =>
    changingSchema(executor, () =>
      createTriggers(executor, (name) => client.table(name), tables.map(reportedTable)),
    ),
  );
}

/** Removes the triggers that {@link createTableTriggers} has made. Tables and triggers that do not exist are skipped. */
export async function dropTableTriggers(
  database: SqlClientDefinition<never>,
  tables: readonly Pick<TriggerTable, 'name'>[],
): Promise<void> {
  await onOneConnection('dropTableTriggers()', database, (executor, client) =>
    changingSchema(executor, () => dropTriggers(executor, (name) => client.table(name), tables)),
  );
}
