import Database from 'better-sqlite3';
import type { WebhookDispatcher } from 'nestjs-thorn';
import { fromBetterSqlite3 } from 'nestjs-thorn/sql';
import { Pool } from 'pg';

const db = new Database('shop.db');

export const definitions = [
  fromBetterSqlite3(db),
  fromBetterSqlite3('DATABASE'),
  fromBetterSqlite3({ useFactory: () => db }),
  // @ts-expect-error no database of better-sqlite3
  fromBetterSqlite3(new Pool()),
];

export async function join(dispatcher: WebhookDispatcher<never>): Promise<void> {
  const client = await fromBetterSqlite3(db).useFactory();
  // @ts-expect-error its transactions end before a promise resolves
  await client.join(db);
  await dispatcher.send('order.placed', {}, { tx: null });
  // @ts-expect-error its transactions end before a promise resolves
  await dispatcher.send('order.placed', {}, { tx: db });
}
