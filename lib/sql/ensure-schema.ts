import { changingSchema, createMissingTables } from '../database/schema/missing-tables.js';
import { type SchemaPlace, SchemaSql } from '../database/schema/schema-sql.js';
import { RECEIVED_MESSAGES, THORN_TABLES } from '../database/schema/thorn-tables.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import { reportedTable, type TriggerTable } from '../database/triggers/reported-table.js';
import { createMissingTriggers } from '../database/triggers/table-triggers.js';
import { onOneConnection } from './one-connection.js';

/** The tables and triggers to make. */
export interface TableChoice {
  /** True: makes the table of receivers, in the place of the tables of the sender. Default false. */
  readonly receiver?: boolean;
  /**
   * The tables of the application, as `defineTableEvents()` returns them. Their triggers are made where they are
   * missing or outdated. Default: none.
   */
  readonly tables?: readonly TriggerTable[];
}

/**
 * Makes the library's tables where they are missing, and the triggers of tables with events. For development and tests
 * only: existing tables stay as they are, even if they are of an older version. Several processes may call this at the
 * same time.
 *
 * @param database the result of `fromPrisma()` or a similar function for a client; an injection token is refused
 * @param place where the tables are made. Default: in the option `schema` of the client
 * @throws `ThornConfigurationError` where `NODE_ENV` is `production`, for an injection token, for a wrong name of a
 * schema, and for a table that cannot have triggers
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
