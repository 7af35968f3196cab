import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import {
  type BetterSqliteDatabase,
  fromBetterSqlite3,
  type SqlClientDefinition,
} from '../../lib/sql/index.js';
import type { FreshDatabase } from '../services/database.js';
import { type ClientKind, withSavepoint } from './client-kind.js';

/** A new file without tables. */
export async function freshSqlite(): Promise<FreshDatabase> {
  const directory = mkdtempSync(join(tmpdir(), 'thorn-client-'));
  const file = join(directory, 'app.db');
  new Database(file).exec('PRAGMA user_version = 1').close();
  return {
    url: `file:${file}`,
    drop: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The file of an address. */
export function fileOf(url: string): string {
  return url.replace(/^file:/, '');
}

const betterSqliteKind: ClientKind<BetterSqliteDatabase> = {
  name: 'better-sqlite3',
  open: async (url) => {
    const db = new Database(fileOf(url));
    return {
      bare: db,
      // By hand, as its own transaction() has no promises.
      begin: async (work) => {
        db.exec('BEGIN');
        try {
          const answer = await work(db);
          db.exec('COMMIT');
          return answer;
        } catch (error) {
          if (db.inTransaction) db.exec('ROLLBACK');
          throw error;
        }
      },
      close: async () => db.close(),
    };
  },
  define: (db) => fromBetterSqlite3(db as Database.Database),
  nested: (db, work) =>
    withSavepoint(
      async (sql) => db.exec(sql),
      () => work(db),
    ),
  execute: async (db, sql) => db.exec(sql),
};

/** Those of SQLite that wait for promises in a transaction. */
export const SQLITE_CLIENTS = [betterSqliteKind] as unknown as readonly ClientKind<never>[];

/** An application's client that works without promises. */
export interface OpenedSync {
  readonly bare: object;
  readonly database: SqlClientDefinition<never>;
  transaction<Answer>(work: (tx: unknown) => Answer): Answer;
  nested(tx: unknown, work: (inner: unknown) => void): void;
  execute(tx: unknown, sql: string): void;
  /** Asks on the same connection. */
  rows(sql: string): readonly Readonly<Record<string, unknown>>[];
  close(): void;
}

/** Those of SQLite that work without promises. */
export const SYNC_CLIENTS: readonly {
  readonly name: string;
  open(url: string): Promise<OpenedSync>;
}[] = [
  {
    name: 'better-sqlite3',
    open: async (url) => {
      const db = new Database(fileOf(url));
      return {
        bare: db,
        database: fromBetterSqlite3(db),
        transaction: (work) => db.transaction(() => work(db))(),
        nested: (_tx, work) => db.transaction(() => work(db))(),
        execute: (_tx, sql) => db.exec(sql),
        rows: (sql) => db.prepare<[], Record<string, unknown>>(sql).all(),
        close: () => db.close(),
      };
    },
  },
];
