import mysql from 'mysql2';
import mysqlPromise from 'mysql2/promise';
import {
  type DrizzleTransaction,
  fromDrizzle,
  fromMysql2,
  fromPrisma,
  type Mysql2Transaction,
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

/** A pool of promises. */
const mysql2Kind: ClientKind<Mysql2Transaction> = {
  name: 'mysql2/promise',
  open: async (uri, connectionLimit) => {
    const pool = mysqlPromise.createPool({ uri, connectionLimit });
    return {
      bare: pool,
      begin: (work) => onConnection(pool, work),
      close: () => pool.end(),
    };
  },
  define: (pool) => fromMysql2(pool as mysqlPromise.Pool),
  nested: (connection, work) =>
    withSavepoint(
      (sql) => (connection as unknown as mysqlPromise.PoolConnection).query(sql),
      () => work(connection),
    ),
  execute: (connection, sql) => (connection as unknown as mysqlPromise.PoolConnection).query(sql),
};

/** A pool that calls back, and its connections. */
const callbackKind: ClientKind<Mysql2Transaction> = {
  name: 'mysql2',
  open: async (uri, connectionLimit) => {
    const pool = mysql.createPool({ uri, connectionLimit });
    return {
      bare: pool,
      begin: (work) =>
        onConnection(pool.promise(), (connection) =>
          work((connection as unknown as { readonly connection: mysql.PoolConnection }).connection),
        ),
      close: () => pool.promise().end(),
    };
  },
  define: (pool) => fromMysql2(pool as mysql.Pool),
  nested: (connection, work) =>
    withSavepoint(
      (sql) => (connection as unknown as mysql.PoolConnection).promise().query(sql),
      () => work(connection),
    ),
  execute: (connection, sql) =>
    (connection as unknown as mysql.PoolConnection).promise().query(sql),
};

async function onConnection<Answer>(
  pool: mysqlPromise.Pool,
  work: Work<Mysql2Transaction, Answer>,
): Promise<Answer> {
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    const answer = await work(connection);
    await connection.commit();
    return answer;
  } catch (error) {
    await connection.rollback();
    throw error;
  } finally {
    connection.release();
  }
}

interface Prisma extends PrismaClientLike {
  $transaction<Answer>(work: Work<PrismaTransaction, Answer>): Promise<Answer>;
  $disconnect(): Promise<void>;
}

const run = (tx: PrismaTransaction, sql: string) => Promise.resolve(tx.$executeRawUnsafe(sql));

const prismaKind: ClientKind<PrismaTransaction> = {
  name: 'Prisma 7 on MariaDB',
  open: (url, connections) => openPrisma('prisma-7', url, connections),
  define: (prisma, url) => fromPrisma(prisma as Prisma, { url, connections: 2 }),
  nested: (tx, work) =>
    withSavepoint(
      (sql) => run(tx, sql),
      () => work(tx),
    ),
  execute: run,
};

const prisma6Kind: ClientKind<PrismaTransaction> = {
  ...prismaKind,
  name: 'Prisma 6 on MariaDB',
  open: (url, connections) => openPrisma('prisma-6', url, connections),
};

async function openPrisma(
  folder: string,
  url: string,
  connections: number,
): Promise<OpenedClient<PrismaTransaction>> {
  const prisma = (await openBy(folder))['openPrismaOnMariadb']!(url, connections) as Prisma;
  return {
    bare: prisma,
    begin: (work) => prisma.$transaction(work),
    close: () => prisma.$disconnect(),
  };
}

interface Drizzle {
  execute(query: string): Promise<unknown>;
  transaction<Answer>(work: Work<DrizzleTransaction, Answer>): Promise<Answer>;
}

function drizzleKind(name: string, opener: string): ClientKind<DrizzleTransaction> {
  return {
    name,
    open: async (uri, connectionLimit) => {
      const pool = mysql.createPool({ uri, connectionLimit });
      const db = (await openBy('drizzle'))[opener]!(pool) as Drizzle;
      return {
        bare: db,
        begin: (work) => db.transaction(work),
        close: () => pool.promise().end(),
      };
    },
    define: (db) => fromDrizzle(db as Drizzle),
    nested: (tx, work) => (tx as unknown as Drizzle).transaction(work),
    execute: (tx, sql) => (tx as unknown as Drizzle).execute(sql),
  };
}

/** Those of MariaDB. */
export const MARIADB_CLIENTS = [
  mysql2Kind,
  callbackKind,
  prismaKind,
  prisma6Kind,
  drizzleKind('Drizzle 0.45 on MariaDB', 'openDrizzleOnMariadb'),
  drizzleKind('Drizzle 1.0 on MariaDB', 'openDrizzle1OnMariadb'),
  kyselyKind('mysql'),
  knexKind('mysql'),
] as unknown as readonly ClientKind<never>[];
