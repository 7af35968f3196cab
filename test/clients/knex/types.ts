import { knex } from 'knex';
import { fromKnex, fromKysely } from 'nestjs-thorn/sql';
import { Pool } from 'pg';

const pool = new Pool();
const db = knex({ client: 'pg', connection: {} });
const url = 'postgres://host/name';

export const definitions = [
  fromKnex(db, { url, connections: 2, schema: 'thorn' }),
  fromKnex(db, { pool }),
  // One with the setting connectionPool.
  fromKnex(db),
  fromKnex('KnexModuleConnectionToken', { url }),
  fromKnex({ useFactory: () => db }, { pool: 'POOL' }),
  // @ts-expect-error connections are those of the library's own pool
  fromKnex(db, { pool, connections: 2 }),
  // @ts-expect-error no database of Knex
  fromKnex(pool, { url }),
];

export async function join(): Promise<void> {
  const client = await fromKnex(db, { pool }).useFactory();
  const kysely = await fromKysely('KYSELY', { pool }).useFactory();
  await db.transaction(async (trx) => {
    await client.join(trx);
    await trx.transaction(async (inner) => client.join(inner));
    // @ts-expect-error a transaction of another client
    await kysely.join(trx);
  });
  await client.join(await db.transaction());
  // @ts-expect-error in no transaction
  await client.join(db);
}
