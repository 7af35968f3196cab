import { createConnection, createPool } from 'mysql2';
import { createPool as createPromisePool } from 'mysql2/promise';
import { fromMysql2, fromPg } from 'nestjs-thorn/sql';

const pool = createPool('mysql://host/name');
const promises = createPromisePool('mysql://host/name');

export const definitions = [
  fromMysql2(pool),
  fromMysql2(promises),
  fromMysql2('POOL'),
  fromMysql2({ useFactory: () => promises }),
  // @ts-expect-error one connection, which cannot serve the library beside the application
  fromMysql2(createConnection('mysql://host/name')),
];

export async function join(): Promise<void> {
  const client = await fromMysql2(pool).useFactory();
  const pg = await fromPg('POOL').useFactory();
  const connection = await promises.getConnection();
  await client.join(connection);
  await client.join(createConnection('mysql://host/name'));
  // @ts-expect-error takes another connection for each statement
  await client.join(pool);
  // @ts-expect-error takes another connection for each statement
  await client.join(promises);
  // @ts-expect-error a transaction of another client
  await pg.join(connection);
}
