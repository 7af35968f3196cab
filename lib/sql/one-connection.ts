import type { SqlClient, SqlClientDefinition, SqlExecutor } from '../database/sql-client.js';
import { ThornConfigurationError } from '../errors/index.js';
import { connectionOf } from '../database/sqlite-store.js';

/**
 * Works on one connection of a client, in no transaction.
 *
 * @param what the function to which the caller gave the client, for errors
 * @throws {@link ThornConfigurationError} for the injection token of a client
 */
export async function onOneConnection(
  what: string,
  database: SqlClientDefinition<never>,
  work: (executor: SqlExecutor, client: SqlClient<never>) => Promise<void>,
): Promise<void> {
  if (database.inject.length > 0) {
    throw new ThornConfigurationError(
      'THORN_OPTION_INVALID',
      `${what} injects nothing: give the client itself, such as fromPrisma(app.get(PrismaService), { url }).`,
    );
  }
  const client = await database.useFactory();
  try {
    await onConnectionOf(client, (executor) => work(executor, client));
  } finally {
    await client.close?.();
  }
}

/** Works on one connection of a client that stays open, in no transaction. */
export async function onConnectionOf(
  client: SqlClient<never>,
  work: (executor: SqlExecutor) => Promise<void>,
): Promise<void> {
  const { dialect } = client;
  const connection = await connectionOf(client.driver());
  const run: SqlExecutor['run'] = ({ sql, parameters }) =>
    connection.query(parameters.length === 0 ? sql : dialect.placeholders(sql), parameters);
  try {
    await work({ dialect, run });
  } finally {
    connection.release();
  }
}
