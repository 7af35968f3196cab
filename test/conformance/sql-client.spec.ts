import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqlClientConformance, type SqlClientFixture } from '../../lib/testing/index.js';
import type { FreshDatabase } from '../services/database.js';
import { CLIENT_DATABASES, type OwnConnection } from '../support/client-databases.js';
import { type ClientKind, migrate } from '../support/sql-clients.js';

describe.each(CLIENT_DATABASES)('on $database', ({ database, kinds, create, connect }) => {
  let databases: readonly FreshDatabase[];
  let own: OwnConnection;

  beforeAll(async () => {
    databases = await Promise.all([create(), create()]);
    await migrate(databases[0]!.url);
    own = connect(databases[0]!.url);
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
      query: own.query,
      close: async () => {
        await Promise.all([here!.close(), elsewhere!.close(), client.close?.()]);
      },
    };
  }

  for (const kind of kinds) {
    sqlClientConformance(
      { name: kind.name, database, makeFixture: (connections) => makeFixture(kind, connections) },
      { describe, it, expect },
    );
  }
});
