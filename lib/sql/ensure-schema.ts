import { createMissingTables } from '../database/schema/missing-tables.js';
import type { SchemaPlace } from '../database/schema/schema-sql.js';
import { RECEIVED_MESSAGES, THORN_TABLES } from '../database/schema/thorn-tables.js';
import type { SqlClient, SqlClientDefinition, SqlExecutor } from '../database/sql-client.js';
import { ThornConfigurationError } from '../errors/index.js';
import { connectionOf } from './databases/sqlite.js';

/** Which tables are made. */
export interface TableChoice {
  /** True: the table of receivers, in place of those of the sender. Default false. */
  readonly receiver?: boolean;
}

/**
 * Makes the library's tables where they are missing. For development and tests: tables that are there stay as they are,
 * also those of an older version. Processes that call this at once do not disturb each other.
 *
 * @param database what `fromPrisma()` and its like return of a client, not of its injection token
 * @param place where the tables are made. Default: in the option `schema` of the client
 * @throws `ThornConfigurationError` where `NODE_ENV` is `production`, for a token, and for a wrong name of a schema
 *
 * @example
 * ```ts
 * await ensureSchema(fromPrisma(app.get(PrismaService), { url, schema: 'thorn' }));
 * ```
 */
export async function ensureSchema(
  database: SqlClientDefinition<never>,
  place: SchemaPlace & TableChoice = {},
): Promise<void> {
  if (database.inject.length > 0) {
    throw new ThornConfigurationError(
      'THORN_OPTION_INVALID',
      'ensureSchema() injects nothing: give the client itself, such as fromPrisma(app.get(PrismaService), { url }).',
    );
  }
  const client = await database.useFactory();
  const { schema = client.schema, prefix, receiver = false } = place;
  const tables = receiver ? [RECEIVED_MESSAGES] : THORN_TABLES;
  try {
    await onOneConnection(client, (executor) =>
      createMissingTables(executor, { schema, prefix }, tables),
    );
  } finally {
    await client.close?.();
  }
}

async function onOneConnection(
  client: SqlClient<never>,
  work: (executor: SqlExecutor) => Promise<void>,
): Promise<void> {
  const { dialect } = client;
  const connection = await connectionOf(client.driver());
  try {
    await work({ dialect, run: ({ sql, parameters }) => connection.query(sql, parameters) });
  } finally {
    connection.release();
  }
}
