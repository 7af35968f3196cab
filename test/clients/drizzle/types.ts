import Database from 'better-sqlite3';
import { drizzle as drizzleSqlite } from 'drizzle-orm/better-sqlite3';
import { drizzle as drizzle1Sqlite } from 'drizzle-orm-1/better-sqlite3';
import type { drizzle as drizzleMysql } from 'drizzle-orm/mysql2';
import { withReplicas } from 'drizzle-orm/pg-core';
import { createPool } from 'mysql2';
import type { WebhookDispatcher } from 'nestjs-thorn';
import { fromDrizzle, fromPg, fromPrisma } from 'nestjs-thorn/sql';
import { Pool } from 'pg';
import { openDrizzle, openDrizzle1, openDrizzle1OnMariadb, openDrizzleOnMariadb } from './open.js';

const pool = new Pool();
const db = openDrizzle(pool);
const db1 = openDrizzle1(pool);
const mysqlPool = createPool('mysql://host/name');
const url = 'postgres://host/name';

const sqlite = new Database('shop.db');
const onSqlite = drizzleSqlite(sqlite);
const onSqlite1 = drizzle1Sqlite({ client: sqlite });

export const definitions = [
  fromDrizzle(db),
  fromDrizzle(db1),
  fromDrizzle('DrizzleDatabase', { schema: 'thorn' }),
  fromDrizzle(db, { url, connections: 2 }),
  fromDrizzle(db, { pool }),
  fromDrizzle(withReplicas(db, [db])),
  fromDrizzle({ useFactory: () => db1 }),
  fromDrizzle(openDrizzleOnMariadb(mysqlPool)),
  fromDrizzle(openDrizzle1OnMariadb(mysqlPool), { pool: mysqlPool }),
  // @ts-expect-error connections are those of the library's own pool
  fromDrizzle(db, { pool, connections: 2 }),
  fromDrizzle(onSqlite),
  fromDrizzle(onSqlite1),
  // @ts-expect-error no database of Drizzle
  fromDrizzle(pool),
];

export async function join(mysql: ReturnType<typeof drizzleMysql>): Promise<void> {
  const client = await fromDrizzle(db).useFactory();
  const prisma = await fromPrisma('PRISMA', { url }).useFactory();
  const pg = await fromPg(pool).useFactory();
  await db.transaction(async (tx) => {
    await client.join(tx);
    await tx.transaction(async (inner) => client.join(inner));
    // @ts-expect-error a transaction of another client
    await prisma.join(tx);
    // @ts-expect-error a transaction of another client
    await pg.join(tx);
  });
  await db1.transaction(async (tx) => {
    await client.join(tx);
    // @ts-expect-error a transaction of another client
    await prisma.join(tx);
  });
  await mysql.transaction(async (tx) => {
    // Known at run time alone.
    await client.join(tx);
  });
  // @ts-expect-error in no transaction
  await client.join(db);
  // @ts-expect-error in no transaction
  await client.join(db1);
}

export async function onFile(dispatcher: WebhookDispatcher<never>): Promise<void> {
  await dispatcher.send('order.placed', {}, { tx: null });
  // @ts-expect-error its transactions end before a promise resolves
  onSqlite.transaction((tx) => dispatcher.send('order.placed', {}, { tx }));
}
