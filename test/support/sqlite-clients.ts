import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import knex, { type Knex } from 'knex';
import { CamelCasePlugin, Kysely, sql, SqliteDialect, type Transaction } from 'kysely';
import {
  type BetterSqliteDatabase,
  fromBetterSqlite3,
  fromDrizzle,
  fromKnex,
  fromKysely,
  fromPrisma,
  type PrismaClientLike,
  type PrismaTransaction,
  type SqlClientDefinition,
} from '../../lib/sql/index.js';
import type { FreshDatabase } from '../services/database.js';
import {
  type ClientKind,
  openBy,
  type OpenedClient,
  withSavepoint,
  type Work,
} from './client-kind.js';
import { renamed } from './query-builders.js';

/** A client whose writes outside of transactions are of interest. */
export interface SqliteKind<Transaction> extends ClientKind<Transaction> {
  /** Of the line at start-up. */
  readonly title: string;
  /** Writes an article outside of any transaction. */
  writeBare(bare: object, title: string): Promise<unknown>;
  /** True for the error with which a transaction has to be repeated that read before another connection wrote. */
  isRepeatable?(error: unknown): boolean;
}

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

const betterSqliteKind: SqliteKind<BetterSqliteDatabase> = {
  name: 'better-sqlite3',
  title: 'better-sqlite3',
  open: async (url) => {
    const db = new Database(fileOf(url));
    let last: Promise<unknown> = Promise.resolve();
    return {
      bare: db,
      // By hand, as its own transaction() has no promises. One after another, as there is one connection.
      begin: (work) => {
        const done = last.then(async () => {
          db.exec('BEGIN');
          try {
            const answer = await work(db);
            db.exec('COMMIT');
            return answer;
          } catch (error) {
            if (db.inTransaction) db.exec('ROLLBACK');
            throw error;
          }
        });
        last = done.catch(() => undefined);
        return done;
      },
      close: async () => db.close(),
    };
  },
  define: (db) => fromBetterSqlite3(db as Database.Database),
  nested: (db, work) =>
    withSavepoint(
      async (text) => db.exec(text),
      () => work(db),
    ),
  execute: async (db, text) => db.exec(text),
  writeBare: async (db, title) =>
    (db as Database.Database).prepare('INSERT INTO article (title) VALUES (?)').run(title),
};

interface Prisma extends PrismaClientLike {
  readonly article: { create(options: object): Promise<unknown> };
  $transaction<Answer>(work: Work<PrismaTransaction, Answer>): Promise<Answer>;
  $disconnect(): Promise<void>;
}

const prismaKind: SqliteKind<PrismaTransaction> = {
  name: 'Prisma 7 on SQLite',
  title: 'Prisma',
  open: (url) => openPrisma('prisma-7', url),
  define: (prisma, url) => fromPrisma(prisma as Prisma, { url }),
  nested: (tx, work) =>
    withSavepoint(
      async (text) => tx.$executeRawUnsafe(text),
      () => work(tx),
    ),
  execute: async (tx, text) =>
    text.startsWith('SELECT') ? tx.$queryRawUnsafe(text) : tx.$executeRawUnsafe(text),
  writeBare: (prisma, title) => (prisma as Prisma).article.create({ data: { title } }),
  isRepeatable: (error) => (error as { readonly code?: string }).code === 'P1008',
};

const prisma6Kind: SqliteKind<PrismaTransaction> = {
  ...prismaKind,
  name: 'Prisma 6 on SQLite',
  open: (url) => openPrisma('prisma-6', url),
};

async function openPrisma(folder: string, url: string): Promise<OpenedClient<PrismaTransaction>> {
  const prisma = (await openBy(folder))['openPrismaOnSqlite']!(url) as Prisma;
  return {
    bare: prisma,
    begin: (work) => prisma.$transaction(work),
    close: () => prisma.$disconnect(),
  };
}

const handles = new WeakMap<object, Database.Database>();
const kyselyKind: SqliteKind<Transaction<unknown>> = {
  name: 'Kysely on SQLite',
  title: 'Kysely',
  open: async (url) => {
    const database = new Database(fileOf(url));
    const dialect = new SqliteDialect({ database });
    const db = new Kysely<unknown>({ dialect, plugins: [new CamelCasePlugin()] });
    handles.set(db, database);
    return {
      bare: db,
      begin: (work) => db.transaction().execute(work),
      close: () => db.destroy(),
    };
  },
  define: (db) => fromKysely(db as Kysely<unknown>, { driver: handles.get(db)! }),
  nested: (trx, work) =>
    withSavepoint(
      (text) => sql.raw(text).execute(trx),
      () => work(trx),
    ),
  execute: (trx, text) => sql.raw(text).execute(trx),
  writeBare: (db, title) =>
    sql`INSERT INTO article (title) VALUES (${title})`.execute(db as Kysely<unknown>),
};

const knexKind: SqliteKind<Knex.Transaction> = {
  name: 'Knex on SQLite',
  title: 'Knex',
  open: async (url) => {
    const db = knex({
      client: 'better-sqlite3',
      connection: { filename: fileOf(url) },
      useNullAsDefault: true,
      postProcessResponse: renamed,
    });
    return {
      bare: db,
      begin: (work) => db.transaction(work) as never,
      close: () => db.destroy(),
    };
  },
  define: (db) => fromKnex(db as Knex),
  nested: (trx, work) => trx.transaction(work),
  execute: async (trx, text) => trx.raw(text),
  writeBare: async (db, title) => (db as Knex)('article').insert({ title }),
};

/** Those of SQLite whose transactions wait for promises. */
export const SQLITE_CLIENTS = [
  prismaKind,
  prisma6Kind,
  kyselyKind,
  knexKind,
] as unknown as readonly SqliteKind<never>[];

/** Those of SQLite, with the driver itself. */
export const SQLITE_WRITERS: readonly SqliteKind<never>[] = [
  betterSqliteKind as unknown as SqliteKind<never>,
  ...SQLITE_CLIENTS,
];

/** An application's client that works without promises. */
export interface OpenedSync {
  readonly bare: object;
  readonly database: SqlClientDefinition<never>;
  transaction<Answer>(work: (tx: unknown) => Answer): Answer;
  nested(tx: unknown, work: (inner: unknown) => void): void;
  execute(tx: unknown, text: string): void;
  /** Asks on the same connection. */
  rows(text: string): readonly Readonly<Record<string, unknown>>[];
  close(): void;
}

/** Of Drizzle's databases and transactions. */
interface Drizzle {
  readonly $client: Database.Database;
  run(text: string): unknown;
  transaction<Answer>(work: (tx: Drizzle) => Answer): Answer;
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
        execute: (_tx, text) => db.exec(text),
        rows: (text) => db.prepare<[], Record<string, unknown>>(text).all(),
        close: () => db.close(),
      };
    },
  },
  { name: 'Drizzle 0.45', open: (url) => openDrizzle('openDrizzleOnSqlite', url) },
  { name: 'Drizzle 1.0', open: (url) => openDrizzle('openDrizzle1OnSqlite', url) },
];

async function openDrizzle(opener: string, url: string): Promise<OpenedSync> {
  const handle = new Database(fileOf(url));
  const db = (await openBy('drizzle'))[opener]!(handle) as Drizzle;
  return {
    bare: db,
    database: fromDrizzle(db),
    transaction: (work) => db.transaction(work),
    nested: (tx, work) => (tx as Drizzle).transaction(work),
    execute: (tx, text) => (tx as Drizzle).run(text),
    rows: (text) => handle.prepare<[], Record<string, unknown>>(text).all(),
    close: () => handle.close(),
  };
}
