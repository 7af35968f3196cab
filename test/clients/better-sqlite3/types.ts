import Database from 'better-sqlite3';
import type { WebhookDispatcher } from 'nestjs-thorn';
import { type BetterSqliteDatabase, fromBetterSqlite3, fromPg } from 'nestjs-thorn/sql';
import { Pool } from 'pg';

const db = new Database('shop.db');

export const definitions = [
  fromBetterSqlite3(db),
  fromBetterSqlite3('DATABASE'),
  fromBetterSqlite3({ useFactory: () => db }),
  // @ts-expect-error no database of better-sqlite3
  fromBetterSqlite3(new Pool()),
];

export async function join(dispatcher: WebhookDispatcher<BetterSqliteDatabase>): Promise<void> {
  const client = await fromBetterSqlite3(db).useFactory();
  const pg = await fromPg('POOL').useFactory();
  await client.join(db);
  // @ts-expect-error a transaction of another client
  await pg.join(db);
  db.transaction(() => dispatcher.sendSync('order.placed', {}, { tx: db }))();
  // @ts-expect-error belongs to no transaction
  dispatcher.sendSync('order.placed', {});
  // @ts-expect-error belongs to no transaction
  dispatcher.sendSync('order.placed', {}, { tx: null });
  // @ts-expect-error cannot wait
  dispatcher.sendSync('order.placed', {}, { tx: db, wait: false });
}
