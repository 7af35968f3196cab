import { carriesBatch } from './commit-batch.js';
import { type PgClient, type PgConnection, WireBuffer } from './pg-client.js';

/** The text by which TypeORM begins a transaction. */
const START = 'START TRANSACTION';
/** Texts that mean the same to PostgreSQL in its extended protocol, which takes one statement, and in the simple one. */
const ONE_STATEMENT =
  /^\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE|LOCK|SET|SAVEPOINT|COMMIT|ROLLBACK)\b[^;$]*$/i;

/** A query as pg takes it, other than a text. */
interface QueryConfig {
  readonly text?: unknown;
  readonly values?: unknown;
  /** Of cursors and streams, which talk to the connection themselves. */
  readonly submit?: unknown;
}

/**
 * Lets each START TRANSACTION of a client travel with the first statement behind it, so that it takes no round trip, as
 * JDBC's driver for PostgreSQL does.
 *
 * No Sync of the protocol is between the two: if the transaction cannot begin, the server skips the statement. What cannot
 * travel so, such as a cursor, waits for a START TRANSACTION of its own.
 */
export function deferTransactionStart(client: PgClient): void {
  const { connection } = client;
  if (connection?.parse === undefined) return;
  const start = WireBuffer.messagesOf(START, connection);
  const { query } = client;
  const { query: simpleQuery } = connection;
  let isHeld = false;
  let isStarting = false;
  /** The answers to a START TRANSACTION that are still to come: they are not those of the statement behind it. */
  let unanswered: 'parseComplete' | 'commandComplete' | undefined;

  const passUnless = (event: 'parseComplete' | 'commandComplete', next: typeof unanswered) => {
    const listeners = connection.rawListeners(event);
    connection.removeAllListeners(event);
    connection.on(event, (message: unknown) => {
      if (unanswered === event) unanswered = next;
      else for (const listener of listeners) listener.call(connection, message);
    });
  };
  passUnless('parseComplete', 'commandComplete');
  passUnless('commandComplete', undefined);
  connection.on('errorMessage', () => (unanswered = undefined));

  connection.query = (text) => {
    if (!isStarting) return simpleQuery.call(connection, text);
    // A simple query has no Sync, and would wait for one behind a START TRANSACTION that has failed.
    connection.parse!({ text });
    connection.bind({});
    connection.describe({ type: 'P' });
    connection.execute({});
    connection.sync();
  };

  const startAlone = () => {
    query.call(client, START, (error: unknown) => {
      // Before the next statement is sent, which must not run outside of the transaction.
      if (error) connection.stream.destroy(error);
    });
  };
  const startWith = (sql: unknown, rest: readonly unknown[]) => {
    const { stream } = connection;
    [unanswered, isStarting] = ['parseComplete', true];
    stream.cork?.();
    try {
      if (stream.writable) stream.write(start);
      return query.call(client, sql, ...rest);
    } finally {
      isStarting = false;
      stream.uncork?.();
    }
  };

  client.query = (sql, ...rest) => {
    // What is under way on the connection may still be in another transaction.
    const isIdle = client.readyForQuery === true;
    if (sql === START && isIdle && rest.every((value) => value === undefined)) {
      isHeld = true;
      return Promise.resolve({ command: 'START', rowCount: null, rows: [], fields: [] });
    }
    if (isHeld) {
      isHeld = false;
      if (isIdle && isExtended(connection, sql, rest[0])) return startWith(sql, rest);
      startAlone();
    }
    return query.call(client, sql, ...rest);
  };
}

/** Whether a query is sent by the extended protocol, or may be. */
function isExtended(connection: PgConnection, sql: unknown, given: unknown): boolean {
  const config = typeof sql === 'string' ? { text: sql, values: given } : (sql as QueryConfig);
  if (typeof config?.text !== 'string' || 'submit' in config) return false;
  const values = config.values ?? given;
  if (Array.isArray(values) && values.length > 0) return true;
  return ONE_STATEMENT.test(config.text) || carriesBatch(connection, config.text);
}
