import pg from 'pg';
import { DataSource, type DataSourceOptions, type EntityManager } from 'typeorm';
import { dataSourceOf } from '../../lib/common/typeorm-compat.js';
import { thornEntities, thornMigrations } from '../../lib/typeorm/index.js';
import {
  type DrizzleTransaction,
  fromDrizzle,
  fromPg,
  fromPrisma,
  fromTypeOrm,
  type PgTransaction,
  type PrismaClientLike,
  type PrismaTransaction,
} from '../../lib/sql/index.js';
import {
  type ClientKind,
  openBy,
  type OpenedClient,
  withSavepoint,
  type Work,
} from './client-kind.js';
import { knexKind, kyselyKind } from './query-builders.js';

export { type ClientKind, openBy, type OpenedClient } from './client-kind.js';

/** A pool that bears the end of connections that lie idle. */
function openPool(options: pg.PoolConfig): pg.Pool {
  return new pg.Pool(options).on('error', () => undefined);
}

const pgKind: ClientKind<PgTransaction> = {
  name: 'pg',
  open: async (connectionString, max) => {
    const pool = openPool({ connectionString, max });
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
const oldPgKind: ClientKind<PgTransaction> = {
  ...pgKind,
  name: 'pg 8.16',
  open: async (connectionString, max) => {
    class OldClient extends pg.Client {
      override getTransactionStatus = undefined as never;
    }
    const pool = openPool({ connectionString, max, Client: OldClient });
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

interface Prisma extends PrismaClientLike {
  $transaction<Answer>(work: Work<PrismaTransaction, Answer>): Promise<Answer>;
  $disconnect(): Promise<void>;
}

function prismaKind(name: string, folder: 'prisma-6' | 'prisma-7'): ClientKind<PrismaTransaction> {
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

const drizzleKind: ClientKind<DrizzleTransaction> = {
  name: 'Drizzle 0.45',
  open: async (connectionString, max) => {
    const opened = await openDrizzle('openDrizzle', openPool({ connectionString, max }));
    // It keeps a connection whose BEGIN has failed, and the pool would wait for it.
    return { ...opened, close: async () => void opened.close() };
  },
  define: (db) => fromDrizzle(db as Drizzle),
  nested: (tx, work) => (tx as unknown as Drizzle).transaction(work),
  execute: (tx, sql) => (tx as unknown as Drizzle).execute(sql),
};

const drizzle1Kind: ClientKind<DrizzleTransaction> = {
  ...drizzleKind,
  name: 'Drizzle 1.0',
  open: (url, connections) =>
    openDrizzle('openDrizzle1', openPool({ connectionString: url, max: connections })),
};

const drizzleOnPostgresKind: ClientKind<DrizzleTransaction> = {
  ...drizzleKind,
  name: 'Drizzle on postgres',
  open: (url, connections) => openDrizzle('openOnPostgres', url, connections),
  define: (db, url) => fromDrizzle(db as Drizzle, { url, connections: 2 }),
};

async function openDrizzle(
  opener: string,
  ...given: readonly unknown[]
): Promise<OpenedClient<DrizzleTransaction>> {
  const db = (await openBy('drizzle'))[opener]!(...given) as Drizzle;
  return { bare: db, begin: (work) => db.transaction(work), close: () => db.$client.end() };
}

const typeOrmKind: ClientKind<EntityManager> = {
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
  define: (manager) => fromTypeOrm(dataSourceOf(manager as EntityManager)),
  nested: (manager, work) => manager.transaction(work),
  execute: (manager, sql) => manager.query(sql),
};

/** Makes the library's tables. */
export async function migrate(url: string): Promise<void> {
  const place: DataSourceOptions = url.startsWith('file:')
    ? { type: 'better-sqlite3', database: url.replace(/^file:/, '') }
    : { type: url.startsWith('postgres') ? 'postgres' : 'mariadb', url };
  const source = new DataSource({
    ...place,
    entities: thornEntities,
    migrations: thornMigrations,
  });
  await source.initialize();
  await source.runMigrations();
  await source.destroy();
}

/** Those of PostgreSQL. */
export const SQL_CLIENTS = [
  pgKind,
  oldPgKind,
  prismaKind('Prisma 7', 'prisma-7'),
  prismaKind('Prisma 6', 'prisma-6'),
  drizzleKind,
  drizzle1Kind,
  drizzleOnPostgresKind,
  kyselyKind('postgres'),
  knexKind('postgres'),
  typeOrmKind,
] as unknown as readonly ClientKind<never>[];
