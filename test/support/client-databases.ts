import Database from 'better-sqlite3';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { type FreshDatabase, freshMariadb, freshPostgres } from '../services/database.js';
import type { ClientKind } from './client-kind.js';
import { MARIADB_CLIENTS } from './mariadb-clients.js';
import { fileOf, freshSqlite, SQLITE_CLIENTS, SQLITE_WRITERS } from './sqlite-clients.js';
import { SQL_CLIENTS } from './sql-clients.js';

/** One connection of the test's own. */
export interface OwnConnection {
  query(sql: string): Promise<readonly Record<string, unknown>[]>;
  end(): Promise<void>;
}

/** A database, and the clients that applications have for it. */
export interface ClientDatabase {
  readonly database: 'postgres' | 'mysql' | 'sqlite';
  /** Clients whose transactions messages are stored in. */
  readonly kinds: readonly ClientKind<never>[];
  /** Clients that write rows of tables with events. */
  readonly writers: readonly ClientKind<never>[];
  create(): Promise<FreshDatabase>;
  connect(url: string): OwnConnection;
}

export const CLIENT_DATABASES: readonly ClientDatabase[] = [
  {
    database: 'postgres',
    kinds: SQL_CLIENTS,
    writers: SQL_CLIENTS,
    create: freshPostgres,
    connect: (connectionString) => {
      const pool = new pg.Pool({ connectionString, max: 1 });
      return {
        query: async (sql) => (await pool.query<Record<string, unknown>>(sql)).rows,
        end: () => pool.end(),
      };
    },
  },
  {
    database: 'mysql',
    kinds: MARIADB_CLIENTS,
    writers: MARIADB_CLIENTS,
    create: freshMariadb,
    connect: (uri) => {
      const pool = mysql.createPool({ uri, connectionLimit: 1 });
      return {
        query: async (sql) => (await pool.query<mysql.RowDataPacket[]>(sql))[0],
        end: () => pool.end(),
      };
    },
  },
  {
    database: 'sqlite',
    kinds: SQLITE_CLIENTS,
    writers: SQLITE_WRITERS,
    create: freshSqlite,
    connect: (url) => {
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
];
