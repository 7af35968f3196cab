import Database from 'better-sqlite3';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import knex from 'knex';
import { Kysely, SqliteDialect } from 'kysely';
import { describe, expect, it } from 'vitest';
import {
  fromBetterSqlite3,
  fromDrizzle,
  fromKnex,
  fromKysely,
  fromPg,
  fromPrisma,
} from './index.js';

const url = 'postgres://127.0.0.1:1/none';
const prisma = (provider: string) => ({
  $connect: async () => undefined,
  $queryRawUnsafe: async () => [],
  _activeProvider: provider,
});

const memory = () => new Database(':memory:');
const kysely = () => new Kysely<unknown>({ dialect: new SqliteDialect({ database: memory() }) });

describe('the definition of a client', () => {
  it.each([
    ['url', () => fromPrisma('PRISMA', { url: undefined })],
    ['url', () => fromPrisma('PRISMA', {} as never)],
    ['connections', () => fromPrisma('PRISMA', { url, connections: 1 })],
    ['connections', () => fromPrisma('PRISMA', { pool: 'POOL', connections: 2 } as never)],
    ['schema', () => fromPg('POOL', { schema: '' })],
    ['ulr', () => fromDrizzle('DB', { ulr: url } as never)],
  ])('names the wrong option: %s', (option, define) => {
    expect(define).toThrow(expect.objectContaining({ code: 'THORN_OPTION_INVALID' }) as Error);
    expect(define).toThrow(`\`${option}\``);
  });

  it.each([
    { min: 0, max: 1 },
    { min: 1, max: 4 },
  ])('refuses a knex on SQLite that may open another connection: %j', async (pool) => {
    const client = 'better-sqlite3';
    const db = knex({ ...{ client, pool }, connection: ':memory:', useNullAsDefault: true });
    await expect(fromKnex(db).useFactory()).rejects.toThrow('pool: { min: 1, max: 1 }');
    await db.destroy();
  });

  it.each([
    () => fromPg('postgres://ann:pa55word@127.0.0.1/shop'),
    () => fromPrisma('PRISMA', { pool: 'postgres://ann:pa55word@127.0.0.1/shop' }),
  ])('refuses an address in place of a client, and does not repeat its password', (define) => {
    expect(define).toThrow('was given the address of a database');
    expect(define).not.toThrow('pa55word');
  });

  it('names a Prisma that is too old, and what to install', async () => {
    const client = { ...prisma('postgresql'), _clientVersion: '5.22.0' };
    await expect(fromPrisma(client, { url }).useFactory()).rejects.toMatchObject({
      code: 'THORN_VERSION_UNSUPPORTED',
      message: expect.stringMatching(
        /Prisma 6 or 7, and .* Prisma 5\.22\.0\. .*npm install prisma@7/,
      ),
    });
    for (const _clientVersion of ['6.19.3', '7.10.1']) {
      const supported = { ...client, _clientVersion };
      await expect(fromPrisma(supported, { url }).useFactory()).resolves.toBeDefined();
    }
  });

  it('refuses options that are not given', () => {
    for (const define of [fromPrisma, fromKysely]) {
      expect(() => define({} as never, undefined as never)).toThrow('must be an object');
    }
  });

  it('says how addresses begin', () => {
    expect(() => fromPrisma('PRISMA', { url: './app.db' })).toThrow('or file:');
  });

  it('refuses a client that is undefined, as of a circular import', () => {
    expect(() => fromPrisma(undefined as never, { url })).toThrow('imported in a circle');
  });

  it('refuses other databases', async () => {
    const unsupported = { code: 'THORN_DATABASE_UNSUPPORTED' };
    expect(() => fromPrisma('PRISMA', { url: 'sqlserver://127.0.0.1/shop' })).toThrow(
      expect.objectContaining(unsupported) as Error,
    );
    for (const given of [prisma('sqlserver'), prisma('mysql')]) {
      const other = fromPrisma(given, { url });
      await expect(other.useFactory()).rejects.toMatchObject(unsupported);
    }
  });

  it.each(['mysql', 'sqlite3'])('refuses the driver %s of Knex', async (client) => {
    // Knex loads a driver for a connection alone.
    const other = fromKnex(knex({ client }), { url: 'mysql://127.0.0.1:1/none' });
    await expect(other.useFactory()).rejects.toMatchObject({ code: 'THORN_DATABASE_UNSUPPORTED' });
  });

  it('refuses a schema on MariaDB, which has none', async () => {
    const onMariadb = { url: 'mysql://127.0.0.1:1/none', schema: 'thorn' };
    await expect(fromPrisma(prisma('mysql'), onMariadb).useFactory()).rejects.toThrow(
      '`schema` of fromPrisma() works with PostgreSQL alone, not with MariaDB',
    );
  });

  it.each([
    [
      'in memory, which no other connection sees',
      async () => fromPrisma('PRISMA', { url: 'file::memory:' }),
    ],
    [
      'names a file that does not exist',
      () => fromPrisma(prisma('sqlite'), { url: 'file:/none/app.db' }).useFactory(),
    ],
    [
      '`connections` of fromPrisma() is for pools',
      () => fromPrisma(prisma('sqlite'), { url: 'file:app.db', connections: 2 }).useFactory(),
    ],
    [
      'on SQLite give `url`',
      () => fromPrisma(prisma('sqlite'), { pool: 'POOL' }).useFactory(prisma('sqlite'), memory()),
    ],
    [
      'in memory, which no other connection sees',
      async () => fromDrizzle('DB', { url: ':memory:' }),
    ],
    [
      'Unknown option `url` in fromDrizzle() on SQLite. Leave it out.',
      () => fromDrizzle(drizzle(memory()) as never, { url: 'file:app.db' }).useFactory(),
    ],
    [
      '`driver` of fromKysely() must be given on SQLite',
      () => fromKysely(kysely(), { url: 'file:app.db' }).useFactory(),
    ],
    [
      'fromKysely() expects a Database of `better-sqlite3`',
      () => fromKysely(kysely(), { driver: 'DB' }).useFactory({}),
    ],
    [
      'must be open, and not read-only',
      () => fromBetterSqlite3(memory().close() as never).useFactory(),
    ],
    [
      'fromBetterSqlite3() expects a Database of `better-sqlite3`',
      () => fromBetterSqlite3({} as never).useFactory(),
    ],
  ])('refuses on SQLite: %s', async (text, define) => {
    await expect(define()).rejects.toThrow(text);
  });

  it('injects by token, or what a factory takes', async () => {
    const byToken = fromPrisma('PRISMA', { url });
    expect(byToken.inject).toEqual(['PRISMA']);
    const client = await byToken.useFactory(prisma('postgresql'));
    expect(client.name).toBe('Prisma');
    const useFactory = (one: ReturnType<typeof prisma>) => one;
    const byFactory = fromPrisma({ inject: ['A'], useFactory }, { pool: 'POOL' });
    expect(byFactory.inject).toEqual(['A', 'POOL']);
    await expect(byFactory.useFactory(prisma('postgresql'), {})).rejects.toMatchObject({
      code: 'THORN_OPTION_INVALID',
    });
  });
});
