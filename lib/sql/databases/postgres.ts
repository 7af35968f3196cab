import { findDialect } from '../../database/dialect.js';
import type { Row } from '../../database/sql-client.js';
import type { PgClient, PgPool } from '../../database/sql-driver.js';
import { NumberedTransaction } from '../../database/transaction-proof.js';
import { requirePackages } from '../../errors/require-packages.js';
import type { ClientDatabase } from './client-database.js';

/** A connection of `pg`. Since version 8.17 it tells whether it is in a transaction. */
export interface TransactionStatus {
  getTransactionStatus?(): string | null;
}

/** The part of a `Pool` of `pg` that is used when the library has made the pool. */
interface OwnPool extends PgPool {
  on(event: 'acquire' | 'remove' | 'error', listener: (subject: never) => void): unknown;
  end(): Promise<void>;
}

/** PostgreSQL, with the driver `pg`. */
export const POSTGRES: ClientDatabase = {
  title: 'PostgreSQL',
  names: ['postgres', 'postgresql', 'Pg', 'PostgresAdapter'],
  driver: 'pg',
  dialect: findDialect('postgres'),
  url: /^postgres(?:ql)?:/,
  hasSchemas: true,
  identity:
    "SELECT current_database()::text AS name, concat_ws(' ', current_database(), current_setting('port'), extract(epoch from pg_postmaster_start_time())) AS identity",
  prove: (ended) => new NumberedTransaction(ended),
  number: 'SELECT CAST(txid_current() AS text) AS number',
  answerOf(answer) {
    // The answer is an object; the driver `postgres` answers a list.
    const { rows, rowCount, count } = answer as {
      readonly rows?: readonly Row[];
      readonly rowCount?: number | null;
      readonly count?: number;
    };
    const found = rows ?? (answer as readonly Row[]);
    return { rows: found, affected: rowCount ?? count ?? found.length };
  },
  async runOn(connection, { sql: text, parameters }) {
    return POSTGRES.answerOf(await (connection as PgClient).query({ text, values: parameters }));
  },
  pool: 'a `Pool` of `pg`: new Pool({ connectionString })',
  driverOf(given) {
    const pool = given as PgPool & { readonly totalCount?: number };
    return typeof pool?.totalCount === 'number' ? { kind: 'pg', pool } : undefined;
  },
  open(caller, connectionString, connections) {
    const { Pool } = loadPg(caller);
    const pool = new Pool({ connectionString, max: connections, application_name: 'thorn' });
    // The error of an idle connection, which the pool drops. Without a listener, Node.js would end the process.
    pool.on('error', () => undefined);
    return { driver: { kind: 'pg', pool }, connections, end: () => pool.end() };
  },
};

function loadPg(caller: string): { readonly Pool: new (options: object) => OwnPool } {
  requirePackages(`${caller} with url`, { pg: () => require('pg') as unknown });
  return require('pg') as ReturnType<typeof loadPg>;
}
