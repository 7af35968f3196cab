import { PrismaBetterSQLite3 } from '@prisma/adapter-better-sqlite3';
import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/client.js';
import { PrismaClient as PrismaClientOnMariadb } from './generated/mysql/client.js';
import { PrismaClient as PrismaClientOnSqlite } from './generated/sqlite/client.js';

/** On a busy machine a transaction may wait and last longer than by default. */
const PATIENT = { maxWait: 60_000, timeout: 60_000 };

/** The client of an application. */
export function openPrisma(url: string, max: number): PrismaClient {
  const adapter = new PrismaPg({ connectionString: url, max });
  return new PrismaClient({ adapter, transactionOptions: PATIENT });
}

/** The same on MariaDB. */
export function openPrismaOnMariadb(url: string, connectionLimit: number): PrismaClientOnMariadb {
  const { hostname: host, port, username: user, password, pathname } = new URL(url);
  const adapter = new PrismaMariaDb({
    ...{ host, port: Number(port), user, password, database: pathname.slice(1) },
    connectionLimit,
    // Of its pool, which gives up after 10 s else, before `maxWait`.
    acquireTimeout: PATIENT.maxWait,
  });
  return new PrismaClientOnMariadb({ adapter, transactionOptions: PATIENT });
}

/** The same on SQLite. */
export function openPrismaOnSqlite(url: string): PrismaClientOnSqlite {
  const adapter = new PrismaBetterSQLite3({ url });
  return new PrismaClientOnSqlite({ adapter, transactionOptions: PATIENT });
}
