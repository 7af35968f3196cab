import { changingSchema, createMissingTables } from '../database/schema/missing-tables.js';
import { type SchemaPlace, SchemaSql } from '../database/schema/schema-sql.js';
import { RECEIVED_MESSAGES, THORN_TABLES } from '../database/schema/thorn-tables.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import { reportedTable, type TriggerTable } from '../database/triggers/reported-table.js';
import { createMissingTriggers } from '../database/triggers/table-triggers.js';
import { onOneConnection } from './one-connection.js';

/** Which tables are made. */
export interface TableChoice {
  /** True: the table of receivers, in place of those of the sender. Default false. */
  readonly receiver?: boolean;
  /**
   * The tables of the application whose triggers are made where they are missing or outdated: what `defineTableEvents()`
   * returns. Default none.
   */
  readonly tables?: readonly TriggerTable[];
}

/**
 * Makes the library's tables where they are missing, and the triggers of tables with events. For development and tests: tables
 * that are there stay as they are, also those of an older version. Processes that call this at once do not disturb each other.
 *
 * @param database what `fromPrisma()` and its like return of a client, not of its injection token
 * @param place where the tables are made. Default: in the option `schema` of the client
 * @throws `ThornConfigurationError` where `NODE_ENV` is `production`, for a token, for a wrong name of a schema, and for a
 * table that cannot have triggers
 *
 * @example
 * ```ts
 * await ensureSchema(fromPrisma(app.get(PrismaService), { url, schema: 'thorn' }), { tables: [orders] });
 * ```
 */
export async function ensureSchema(
  database: SqlClientDefinition<never>,
  place: SchemaPlace & TableChoice = {},
): Promise<void> {
  await onOneConnection('ensureSchema()', database, async (executor, client) => {
    const { schema = client.schema, prefix, receiver = false, tables = [] } = place;
    const made = receiver ? [RECEIVED_MESSAGES] : THORN_TABLES;
    await createMissingTables(executor, { schema, prefix }, made);
    if (tables.length === 0) return;
    const sql = new SchemaSql(executor.dialect.name, { schema, prefix });
    await changingSchema(executor, () =>
      createMissingTriggers(executor, (name) => sql.path(name), tables.map(reportedTable)),
    );
  });
}
