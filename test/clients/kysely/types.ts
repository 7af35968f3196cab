import Database from 'better-sqlite3';
import { Kysely, MysqlDialect, PostgresDialect, SqliteDialect } from 'kysely';
import { createPool } from 'mysql2';
import { createPool as createPromisePool } from 'mysql2/promise';
import { fromKysely, fromPg } from 'nestjs-thorn/sql';
import { Pool } from 'pg';

interface Tables {
  readonly article: { readonly id: number; readonly title: string };
}

const pool = new Pool();
const mysqlPool = createPool('mysql://host/name');
const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
const onMysql = new Kysely<Tables>({ dialect: new MysqlDialect({ pool: mysqlPool }) });
const sqlite = new Database('shop.db');
const onSqlite = new Kysely<Tables>({ dialect: new SqliteDialect({ database: sqlite }) });
const url = 'postgres://host/name';

export const definitions = [
  fromKysely(db, { url, connections: 2, schema: 'thorn' }),
  fromKysely(db, { pool }),
  fromKysely(db.withSchema('shop'), { pool }),
  fromKysely(onMysql, { pool: mysqlPool }),
  fromKysely(onMysql, { pool: createPromisePool('mysql://host/name') }),
  fromKysely('KYSELY', { url }),
  fromKysely({ useFactory: () => db }, { pool: 'POOL' }),
  fromKysely(onSqlite, { driver: sqlite }),
  // @ts-expect-error a connection of SQLite is its driver
  fromKysely(onSqlite, { pool: sqlite }),
  // @ts-expect-error Kysely shows no pool
  fromKysely(db),
  // @ts-expect-error connections are those of the library's own pool
  fromKysely(db, { pool, connections: 2 }),
  // @ts-expect-error no database of Kysely
  fromKysely(pool, { url }),
];

export async function join(): Promise<void> {
  const client = await fromKysely(db, { pool }).useFactory();
  const pg = await fromPg(pool).useFactory();
  await db.transaction().execute(async (trx) => {
    await client.join(trx);
    // @ts-expect-error a transaction of another client
    await pg.join(trx);
  });
  const controlled = await onMysql.startTransaction().execute();
  await client.join(controlled);
  // @ts-expect-error in no transaction
  await client.join(db);
}
