import knex, { type Knex } from 'knex';
import {
  CamelCasePlugin,
  type Dialect,
  Kysely,
  MysqlDialect,
  PostgresDialect,
  sql,
  type Transaction,
} from 'kysely';
import mysql from 'mysql2';
import pg from 'pg';
import { fromKnex, fromKysely } from '../../lib/sql/index.js';
import { type ClientKind, withSavepoint } from './client-kind.js';

type Database = 'postgres' | 'mysql';

/** As they are by default, or with what renames columns. */
export function kyselyKind(database: Database): ClientKind<Transaction<unknown>> {
  const execute = (trx: Transaction<unknown>, text: string) => sql.raw(text).execute(trx);
  return {
    name: database === 'mysql' ? 'Kysely on MariaDB' : 'Kysely',
    open: async (url, connections) => {
      const dialect = dialectOf(database, url, connections);
      const db = new Kysely<unknown>({ dialect, plugins: [new CamelCasePlugin()] });
      return {
        bare: db,
        begin: (work) => db.transaction().execute(work),
        close: () => db.destroy(),
      };
    },
    define: (db, url) => fromKysely(db as Kysely<unknown>, { url, connections: 2 }),
    nested: (trx, work) =>
      withSavepoint(
        (text) => execute(trx, text),
        () => work(trx),
      ),
    execute,
  };
}

function dialectOf(database: Database, url: string, connections: number): Dialect {
  if (database === 'mysql') {
    return new MysqlDialect({
      pool: mysql.createPool({ uri: url, connectionLimit: connections }),
    });
  }
  const pool = new pg.Pool({ connectionString: url, max: connections });
  return new PostgresDialect({ pool: pool.on('error', () => undefined) });
}

export function knexKind(database: Database): ClientKind<Knex.Transaction> {
  return {
    name: database === 'mysql' ? 'Knex on MariaDB' : 'Knex',
    open: async (url, max) => {
      const db = knex({
        client: database === 'mysql' ? 'mysql2' : 'pg',
        connection: url,
        pool: { min: 0, max },
        postProcessResponse: renamed,
      });
      return {
        bare: db,
        begin: (work) => db.transaction(work) as never,
        close: () => db.destroy(),
      };
    },
    define: (db, url) => fromKnex(db as Knex, { url, connections: 2 }),
    nested: (trx, work) => trx.transaction(work),
    execute: async (trx, text) => trx.raw(text),
  };
}

/** As mappers to camel case do. */
export function renamed(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(renamed);
  if (typeof answer !== 'object' || answer === null) return answer;
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) => [name.replaceAll('_', ''), renamed(value)]),
  );
}
