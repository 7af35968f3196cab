import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromMysql2, fromPg, type SqlClient } from '../../lib/sql/index.js';
import { type FreshDatabase, freshMariadb, freshPostgres } from '../services/database.js';
import { CLIENT_DATABASES } from '../support/client-databases.js';
import type { ClientKind, OpenedClient } from '../support/client-kind.js';
import { migrate, SQL_CLIENTS } from '../support/sql-clients.js';

interface Opened {
  readonly name: string;
  readonly kind: ClientKind<never>;
  readonly opened: OpenedClient<never>;
  readonly client: SqlClient<never>;
}

/** Of one client, by its title, all releases and drivers take each other's transactions on one database. */
const isAlike = (one: Opened, other: Opened) =>
  one.client.dialect === other.client.dialect &&
  (one.client.name === other.client.name ||
    // TypeORM hands statements of `pg` through as they are.
    (one.client.name === 'pg' && other.client.name === 'TypeORM'));

it('refuses a connection of mysql2 that was closed in its transaction', async () => {
  const place = await freshMariadb();
  const pool = mysql.createPool(place.url);
  const client = await fromMysql2(pool).useFactory();
  const connection = await pool.getConnection();
  await connection.beginTransaction();
  await client.join(connection);
  connection.destroy();
  await expect(client.join(connection)).rejects.toMatchObject({ code: 'THORN_TRANSACTION_ENDED' });
  await pool.end();
  await place.drop();
});

it('listens once to the pool of an application, however many transactions are refused', async () => {
  const [place, elsewhere] = await Promise.all([freshPostgres(), freshPostgres()]);
  const pool = new pg.Pool({ connectionString: place.url });
  const other = new pg.Pool({ connectionString: elsewhere.url });
  const client = await fromPg(pool).useFactory();
  const foreign = await other.connect();
  await foreign.query('BEGIN');
  const refused = { code: 'THORN_DATABASE_OTHER' };
  await expect(client.join(foreign)).rejects.toMatchObject(refused);
  const listeners = pool.listenerCount('acquire');
  await expect(client.join(foreign)).rejects.toMatchObject(refused);
  await expect(client.join(foreign)).rejects.toMatchObject(refused);
  expect(pool.listenerCount('acquire')).toBe(listeners);
  await foreign.query('ROLLBACK');
  foreign.release();
  await Promise.all([pool.end(), other.end()]);
  await Promise.all([place.drop(), elsewhere.drop()]);
});

it('names the option url where that leads to another database than the client', async () => {
  const [place, elsewhere] = await Promise.all([freshPostgres(), freshPostgres()]);
  const { open, define } = SQL_CLIENTS.find(({ name }) => name === 'Prisma 7')!;
  const opened = await open(place.url, 1);
  const client = await define(opened.bare, elsewhere.url).useFactory();
  await opened.begin((tx) =>
    expect(client.join(tx)).rejects.toMatchObject({
      code: 'THORN_DATABASE_OTHER',
      message: expect.stringContaining('let `url`, `pool` or `driver` name its database') as string,
    }),
  );
  await Promise.all([client.close?.(), opened.close()]);
  for (const { drop } of [place, elsewhere]) await drop();
});

describe('a transaction of a client that the module was not given', () => {
  const places: FreshDatabase[] = [];
  const all: Opened[] = [];

  beforeAll(async () => {
    for (const { kinds, create } of CLIENT_DATABASES) {
      const place = await create();
      places.push(place);
      await migrate(place.url);
      for (const kind of kinds) {
        const opened = await kind.open(place.url, 2);
        const client = await kind.define(opened.bare, place.url).useFactory();
        all.push({ name: kind.name, kind, opened, client });
      }
    }
  });
  afterAll(async () => {
    for (const { opened, client } of all) {
      await client.close?.();
      await opened.close();
    }
    for (const { drop } of places) await drop();
  });

  const names = CLIENT_DATABASES.flatMap(({ kinds }) => kinds.map(({ name }) => name));
  it.each(names)(
    'is refused by that of %s, which names the fix, and stays usable',
    async (name) => {
      const own = all.find((one) => one.name === name)!;
      for (const foreign of all.filter((one) => !isAlike(own, one))) {
        const answer = await foreign.opened.begin(async (tx) => {
          const refused = await Promise.resolve()
            .then(() => own.client.join(tx))
            .catch((error: unknown) => error);
          expect(refused, foreign.name).toMatchObject({
            code: expect.stringMatching(
              /^THORN_(?:TRANSACTION_REQUIRED|DATABASE_(?:OTHER|UNSUPPORTED))$/,
            ) as string,
            message: expect.stringMatching(
              / Pass (?:the client that a transaction gives you: |a transaction of )/,
            ) as string,
          });
          await foreign.kind.execute(tx, 'SELECT 1');
          return 'committed';
        });
        expect(answer).toBe('committed');
      }
    },
  );
});
