import { fromPg, fromPrisma } from 'nestjs-thorn/sql';
import { Client, Pool } from 'pg';

const pool = new Pool();

export const definitions = [
  fromPg(pool),
  fromPg('POOL', { schema: 'thorn' }),
  fromPg({ useFactory: () => pool }),
  // @ts-expect-error one connection, which cannot serve the library beside the application
  fromPg(new Client()),
];

export async function join(): Promise<void> {
  const client = await fromPg(pool).useFactory();
  const prisma = await fromPrisma('PRISMA', { pool }).useFactory();
  const connection = await pool.connect();
  await client.join(connection);
  await client.join(new Client());
  // @ts-expect-error takes another connection for each statement
  await client.join(pool);
  // @ts-expect-error a transaction of another client
  await prisma.join(connection);
}
