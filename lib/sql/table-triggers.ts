import { changingSchema } from '../database/schema/missing-tables.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import { reportedTable, type TriggerTable } from '../database/triggers/reported-table.js';
import { createTriggers, dropTriggers } from '../database/triggers/table-triggers.js';
import { onOneConnection } from './one-connection.js';

/**
 * Makes the triggers that write the changes of tables to `thorn_changes`, in place of those that are there. For migrations
 * in code. On PostgreSQL and SQLite all are made or none.
 *
 * @param database what `fromPrisma()` and its like return of a client, not of its injection token
 * @throws `ThornConfigurationError` for a table, a column or a key that is not there, for a view, and for a key that is not
 * unique; then nothing is made
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

/** Removes what {@link createTableTriggers} has made. Tables and triggers that are not there are left out. */
export async function dropTableTriggers(
  database: SqlClientDefinition<never>,
  tables: readonly Pick<TriggerTable, 'name'>[],
): Promise<void> {
  await onOneConnection('dropTableTriggers()', database, (executor, client) =>
    changingSchema(executor, () => dropTriggers(executor, (name) => client.table(name), tables)),
  );
}
