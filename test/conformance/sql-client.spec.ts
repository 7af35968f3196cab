import Database from 'better-sqlite3';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqlClientConformance, type SqlClientFixture } from '../../lib/testing/index.js';
import { type FreshDatabase, freshMariadb, freshPostgres } from '../services/database.js';
import { MARIADB_CLIENTS } from '../support/mariadb-clients.js';
import { fileOf, freshSqlite, SQLITE_CLIENTS } from '../support/sqlite-clients.js';
import { type ClientKind, migrate, SQL_CLIENTS } from '../support/sql-clients.js';

/** One connection of the test's own. */
interface OwnConnection {
  query(sql: string): Promise<readonly Record<string, unknown>[]>;
  end(): Promise<void>;
}

describe.each([
  {
    database: 'postgres' as const,
    kinds: SQL_CLIENTS,
    create: freshPostgres,
    connect: (connectionString: string): OwnConnection => {
      const pool = new pg.Pool({ connectionString, max: 1 });
      return {
        query: async (sql) => (await pool.query<Record<string, unknown>>(sql)).rows,
        end: () => pool.end(),
      };
    },
  },
  {
    database: 'mysql' as const,
    kinds: MARIADB_CLIENTS,
    create: freshMariadb,
    connect: (uri: string): OwnConnection => {
      const pool = mysql.createPool({ uri, connectionLimit: 1 });
      return {
        query: async (sql) => (await pool.query<mysql.RowDataPacket[]>(sql))[0],
        end: () => pool.end(),
      };
    },
  },
  {
    database: 'sqlite' as const,
    kinds: SQLITE_CLIENTS,
    create: freshSqlite,
    connect: (url: string): OwnConnection => {
      const db = new Database(fileOf(url));
      return {
        query: async (sql) => {
          const statement = db.prepare<[], Record<string, unknown>>(sql);
          return statement.reader ? statement.all() : (statement.run(), []);
        },
        end: async () => void db.close(),
      };
    },
  },
])('on $database', ({ database, kinds, create, connect }) => {
  let databases: readonly FreshDatabase[];
  let own: OwnConnection;

  beforeAll(async () => {
    databases = await Promise.all([create(), create()]);
    await migrate(databases[0]!.url);
    own = connect(databases[0]!.url);
  });
  afterAll(async () => {
    await own.end();
    for (const { drop } of databases) await drop();
  });

  async function makeFixture<Transaction>(
    { open, define, nested, execute }: ClientKind<Transaction>,
    connections: number,
  ): Promise<SqlClientFixture<Transaction>> {
    const [here, elsewhere] = await Promise.all(databases.map(({ url }) => open(url, connections)));
    const client = await define(here!.bare, databases[0]!.url).useFactory();
    return {
      client,
      transaction: here!.begin,
      nested,
      execute,
      bare: here!.bare,
      elsewhere: elsewhere!.begin,
      query: own.query,
      close: async () => {
        await Promise.all([here!.close(), elsewhere!.close(), client.close?.()]);
      },
    };
  }

  for (const kind of kinds) {
    sqlClientConformance(
      { name: kind.name, database, makeFixture: (connections) => makeFixture(kind, connections) },
      { describe, it, expect },
    );
  }
});
