import pg from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thornEntities, thornMigrations } from '../../lib/migrations/index.js';
import {
  type DrizzleTransaction,
  fromDrizzle,
  fromPg,
  fromPrisma,
  fromTypeOrm,
  type PgTransaction,
  type PrismaClientLike,
  type PrismaTransaction,
  type SqlClientDefinition,
} from '../../lib/sql/index.js';
import { sqlClientConformance, type SqlClientFixture } from '../../lib/testing/index.js';
import { type FreshDatabase, freshPostgres } from '../services/database.js';

type Work<Transaction, Answer> = (transaction: Transaction) => Promise<Answer>;

/** An application's client, on one database. */
interface Opened<Transaction> {
  readonly bare: object;
  begin<Answer>(work: Work<Transaction, Answer>): Promise<Answer>;
  close(): Promise<unknown>;
}

interface Kind<Transaction> {
  readonly name: string;
  open(url: string, connections: number): Promise<Opened<Transaction>>;
  define(bare: object, url: string): SqlClientDefinition<Transaction>;
  nested(transaction: Transaction, work: Work<Transaction, void>): Promise<void>;
  execute(transaction: Transaction, sql: string): Promise<unknown>;
}

let databases: readonly FreshDatabase[];
let own: pg.Pool;

beforeAll(async () => {
  databases = await Promise.all([freshPostgres(), freshPostgres()]);
  const source = new DataSource({
    type: 'postgres',
    url: databases[0]!.url,
    entities: thornEntities,
    migrations: thornMigrations,
  });
  await source.initialize();
  await source.runMigrations();
  await source.destroy();
  own = new pg.Pool({ connectionString: databases[0]!.url, max: 1 });
});
afterAll(async () => {
  await own.end();
  for (const { drop } of databases) await drop();
});

async function makeFixture<Transaction>(
  { open, define, nested, execute }: Kind<Transaction>,
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
    query: async (sql) => (await own.query<Record<string, unknown>>(sql)).rows,
    close: async () => {
      await Promise.all([here!.close(), elsewhere!.close(), client.close?.()]);
    },
  };
}

const pgKind: Kind<PgTransaction> = {
  name: 'pg',
  open: async (connectionString, max) => {
    const pool = new pg.Pool({ connectionString, max });
    return {
      bare: pool,
      begin: (work) => onConnection(pool, work),
      close: () => pool.end(),
    };
  },
  define: (pool) => fromPg(pool as pg.Pool),
  nested: (client, work) =>
    withSavepoint(
      (text) => client.query({ text, values: [] }),
      () => work(client),
    ),
  execute: (client, text) => client.query({ text, values: [] }),
};

/** Before 8.17 a client does not tell whether it is in a transaction: then the database is asked. */
const oldPgKind: Kind<PgTransaction> = {
  ...pgKind,
  name: 'pg 8.16',
  open: async (connectionString, max) => {
    class OldClient extends pg.Client {
      override getTransactionStatus = undefined as never;
    }
    const pool = new pg.Pool({ connectionString, max, Client: OldClient });
    return { bare: pool, begin: (work) => onConnection(pool, work), close: () => pool.end() };
  },
};

async function onConnection<Answer>(
  pool: pg.Pool,
  work: Work<PgTransaction, Answer>,
): Promise<Answer> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const answer = await work(client);
    await client.query('COMMIT');
    return answer;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

async function withSavepoint(
  run: (sql: string) => PromiseLike<unknown>,
  work: () => Promise<void>,
) {
  await run('SAVEPOINT inner_one');
  try {
    await work();
  } catch (error) {
    await run('ROLLBACK TO inner_one');
    throw error;
  }
  await run('RELEASE inner_one');
}

interface Prisma extends PrismaClientLike {
  $transaction<Answer>(work: Work<PrismaTransaction, Answer>): Promise<Answer>;
  $disconnect(): Promise<void>;
}

function prismaKind(name: string, folder: 'prisma-6' | 'prisma-7'): Kind<PrismaTransaction> {
  const run = (tx: PrismaTransaction, sql: string) => Promise.resolve(tx.$executeRawUnsafe(sql));
  return {
    name,
    open: async (url, connections) => {
      const prisma = (await openBy(folder)).openPrisma!(url, connections) as Prisma;
      return {
        bare: prisma,
        begin: (work) => prisma.$transaction(work),
        close: async () => {
          const disconnected = prisma.$disconnect();
          // Prisma 6 keeps the connection of a COMMIT that has failed, and would wait for it.
          if (folder === 'prisma-7') await disconnected;
        },
      };
    },
    define: (prisma, url) => fromPrisma(prisma as Prisma, { url, connections: 2 }),
    // Prisma 6 has no nested transactions of its own.
    nested: (tx, work) =>
      withSavepoint(
        (sql) => run(tx, sql),
        () => work(tx),
      ),
    execute: run,
  };
}

interface Drizzle {
  readonly $client: { end(): Promise<void> };
  execute(query: string): Promise<unknown>;
  transaction<Answer>(work: Work<DrizzleTransaction, Answer>): Promise<Answer>;
}

const drizzleKind: Kind<DrizzleTransaction> = {
  name: 'Drizzle 0.45',
  open: (url, connections) =>
    openDrizzle('openDrizzle', new pg.Pool({ connectionString: url, max: connections })),
  define: (db) => fromDrizzle(db as Drizzle),
  nested: (tx, work) => (tx as unknown as Drizzle).transaction(work),
  execute: (tx, sql) => (tx as unknown as Drizzle).execute(sql),
};

const drizzle1Kind: Kind<DrizzleTransaction> = {
  ...drizzleKind,
  name: 'Drizzle 1.0',
  open: (url, connections) =>
    openDrizzle('openDrizzle1', new pg.Pool({ connectionString: url, max: connections })),
};

const drizzleOnPostgresKind: Kind<DrizzleTransaction> = {
  ...drizzleKind,
  name: 'Drizzle on postgres',
  open: (url, connections) => openDrizzle('openOnPostgres', url, connections),
  define: (db, url) => fromDrizzle(db as Drizzle, { url, connections: 2 }),
};

async function openDrizzle(
  opener: string,
  ...given: readonly unknown[]
): Promise<Opened<DrizzleTransaction>> {
  const db = (await openBy('drizzle'))[opener]!(...given) as Drizzle;
  return { bare: db, begin: (work) => db.transaction(work), close: () => db.$client.end() };
}

const typeOrmKind: Kind<EntityManager> = {
  name: 'TypeORM',
  open: async (url, poolSize) => {
    const source = new DataSource({ type: 'postgres', url, poolSize, entities: thornEntities });
    await source.initialize();
    return {
      bare: source.manager,
      begin: (work) => source.transaction(work),
      close: () => source.destroy(),
    };
  },
  define: (manager) => fromTypeOrm((manager as EntityManager).dataSource),
  nested: (manager, work) => manager.transaction(work),
  execute: (manager, sql) => manager.query(sql),
};

/** Of a workspace, whose packages the compiler sees in test/tooling/client-types.spec.ts alone. */
async function openBy(folder: string) {
  const path = `../clients/${folder}/open.ts`;
  return (await import(path)) as Record<string, (...given: unknown[]) => object>;
}

function check<Transaction>(kind: Kind<Transaction>): void {
  const { name } = kind;
  sqlClientConformance(
    { name, makeFixture: (connections) => makeFixture(kind, connections) },
    { describe, it, expect },
  );
}

check(pgKind);
check(oldPgKind);
check(prismaKind('Prisma 7', 'prisma-7'));
check(prismaKind('Prisma 6', 'prisma-6'));
check(drizzleKind);
check(drizzle1Kind);
check(drizzleOnPostgresKind);
check(typeOrmKind);
