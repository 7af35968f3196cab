import { batchIn } from './commit-batch.js';
import { type PgClient, WriteBuffer } from './pg-client.js';

/** The text by which TypeORM begins a transaction. */
const START = 'START TRANSACTION';
/** Texts without values that PostgreSQL takes as one statement in its extended protocol, as it does in the simple one. */
const ONE_STATEMENT =
  /^\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE|LOCK|SET|SAVEPOINT|COMMIT|ROLLBACK)\b[^;$]*$/i;

type Answer = 'parseComplete' | 'commandComplete';

/**
 * Lets a START TRANSACTION travel with the first statement behind it, so that it takes no round trip.
 *
 * No Sync of the protocol is between the two: if the transaction cannot begin, the server skips the statement. What cannot
 * travel so, such as a cursor, is sent behind a START TRANSACTION of its own. The connection is closed where either fails:
 * later statements must not run outside of the transaction.
 */
export function deferTransactionStart(client: PgClient): void {
  const { connection, query, getTransactionStatus } = client;
  // With the option `pipeline` a statement is sent before it is known that the transaction could not begin.
  if (connection?.parse === undefined || client.pipeline === true) return;
  const { query: simpleQuery } = connection;
  const start = WriteBuffer.bytesOf(START, connection);
  // A new connection may be busy with what listeners of the pool have asked.
  let isIdle = client.readyForQuery === true;
  let beginning: 'held back' | 'sent' | undefined;
  let isTravelling = false;
  /** The next answer to a START TRANSACTION that travels: it is not one to the statement behind it. */
  let expected: Answer | undefined;

  const hide = (answer: Answer, next: Answer | undefined) => {
    const listeners = connection.rawListeners(answer);
    connection.removeAllListeners(answer);
    connection.on(answer, (message: unknown) => {
      if (expected === answer) expected = next;
      else for (const listener of listeners) listener.call(connection, message);
    });
  };
  hide('parseComplete', 'commandComplete');
  hide('commandComplete', undefined);
  connection.on('errorMessage', (error: unknown) => {
    if (expected !== undefined) connection.stream.destroy(error);
  });
  connection.prependListener('readyForQuery', () => {
    if (beginning === 'sent') beginning = undefined;
  });
  // Behind the listener of pg, which calls back those that wait, and sends what they have queued.
  connection.on('readyForQuery', () => (isIdle = client.readyForQuery === true));

  connection.query = (text) => {
    if (!isTravelling) return simpleQuery.call(connection, text);
    // A simple query has no Sync, and would wait for one behind a START TRANSACTION that has failed.
    connection.parse!({ text });
    connection.bind({});
    connection.describe({ type: 'P' });
    connection.execute({});
    connection.sync();
  };

  const travel = (sql: string, rest: readonly unknown[]) => {
    const { stream } = connection;
    [expected, isTravelling] = ['parseComplete', true];
    stream.cork?.();
    try {
      if (stream.writable) stream.write(start);
      return query.call(client, sql, ...rest);
    } finally {
      isTravelling = false;
      stream.uncork?.();
    }
  };

  /** Whether pg sends a text by the extended protocol, or may. */
  const isExtended = (sql: string, [values = [], ...others]: readonly unknown[]) =>
    Array.isArray(values) &&
    others.length === 0 &&
    (values.length > 0 || ONE_STATEMENT.test(sql) || batchIn(connection, sql) !== undefined);
  const isOutside = () => (getTransactionStatus?.call(client) ?? 'I') === 'I';
  client.query = (sql, ...rest) => {
    if (sql === START && isIdle && isOutside() && rest.every((value) => value === undefined)) {
      beginning = 'held back';
      return Promise.resolve({ command: 'START', rowCount: null, rows: [], fields: [] });
    }
    isIdle = false;
    if (beginning === 'held back') {
      beginning = 'sent';
      if (typeof sql === 'string' && isExtended(sql, rest)) return travel(sql, rest);
      query.call(client, START, (error: unknown) => {
        if (error) connection.stream.destroy(error);
      });
    }
    return query.call(client, sql, ...rest);
  };

  if (getTransactionStatus !== undefined) {
    client.getTransactionStatus = () =>
      beginning === undefined ? getTransactionStatus.call(client) : 'T';
  }
}
