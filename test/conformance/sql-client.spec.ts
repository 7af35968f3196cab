import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqlClientConformance, type SqlClientFixture } from '../../lib/testing/index.js';
import { type FreshDatabase, freshPostgres } from '../services/database.js';
import { type ClientKind, migrate, SQL_CLIENTS } from '../support/sql-clients.js';

let databases: readonly FreshDatabase[];
let own: pg.Pool;

beforeAll(async () => {
  databases = await Promise.all([freshPostgres(), freshPostgres()]);
  await migrate(databases[0]!.url);
  own = new pg.Pool({ connectionString: databases[0]!.url, max: 1 });
});
afterAll(async () => {
  await own.end();
  for (const { drop } of databases) await drop();
});

async function makeFixture<Transaction>(
  { open, define, nested, execute }: ClientKind<Transaction>,
  connections: number,
): Promise<SqlClientFixture<Transaction>> {
  const [here, elsewhere] = await Promise.all(databases.map(({ url }) => open(url, connections)));
  const client = await define(here!.bare, databases[0]!.url).useFactory();
  return {
    client,
    transaction: here!.begin,
    nested,
    execute,
    bare: here!.bare,
    elsewhere: elsewhere!.begin,
    query: async (sql) => (await own.query<Record<string, unknown>>(sql)).rows,
    close: async () => {
      await Promise.all([here!.close(), elsewhere!.close(), client.close?.()]);
    },
  };
}

for (const kind of SQL_CLIENTS) {
  sqlClientConformance(
    { name: kind.name, makeFixture: (connections) => makeFixture(kind, connections) },
    { describe, it, expect },
  );
}
