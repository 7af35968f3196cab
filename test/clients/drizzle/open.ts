import type { Database } from 'better-sqlite3';
import { drizzle as drizzleOnSqlite } from 'drizzle-orm/better-sqlite3';
import { drizzle as drizzleOnMariadb } from 'drizzle-orm/mysql2';
import { drizzle } from 'drizzle-orm/node-postgres';
import { drizzle as drizzle1OnSqlite } from 'drizzle-orm-1/better-sqlite3';
import { drizzle as drizzle1OnMariadb } from 'drizzle-orm-1/mysql2';
import { drizzle as drizzle1 } from 'drizzle-orm-1/node-postgres';
import { drizzle as drizzleOnPostgres } from 'drizzle-orm/postgres-js';
import type { Pool as MysqlPool } from 'mysql2';
import type { Pool } from 'pg';
import postgres from 'postgres';

export const openDrizzle = (pool: Pool) => drizzle(pool);
export const openDrizzle1 = (pool: Pool) => drizzle1({ client: pool });
/** With the driver `postgres`, which has pools of another kind and tells nothing of transactions. */
export const openOnPostgres = (url: string, max: number) =>
  drizzleOnPostgres(postgres(url, { max, onnotice: () => undefined }));
export const openDrizzleOnMariadb = (pool: MysqlPool) => drizzleOnMariadb(pool);
export const openDrizzle1OnMariadb = (pool: MysqlPool) => drizzle1OnMariadb({ client: pool });
export const openDrizzleOnSqlite = (db: Database) => drizzleOnSqlite(db);
export const openDrizzle1OnSqlite = (db: Database) => drizzle1OnSqlite({ client: db });
