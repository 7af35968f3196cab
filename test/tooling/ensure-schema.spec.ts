import Database from 'better-sqlite3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { Client, Pool } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findDialect } from '../../lib/database/dialect.js';
import { createMissingTables } from '../../lib/database/schema/missing-tables.js';
import { ensureSchema, fromPg, fromTypeOrm } from '../../lib/sql/index.js';
import type { Result, SqlExecutor } from '../../lib/database/sql-client.js';
import { freshMariadb, freshPostgres } from '../services/database.js';

/** One connection. */
interface Connection {
  readonly executor: SqlExecutor;
  rows(sql: string): Promise<readonly object[]>;
  end(): Promise<void>;
}

interface Place {
  connect(): Promise<Connection>;
  drop(): Promise<void>;
}

function connection(
  type: string,
  rows: (sql: string) => Promise<readonly object[]>,
  end: () => Promise<void>,
): Connection {
  const run = async ({ sql }: { readonly sql: string }) =>
    ({ rows: await rows(sql), affected: 0 }) as Result;
  return { executor: { dialect: findDialect(type), run }, rows, end };
}

async function postgres(): Promise<Place> {
  const { url, drop } = await freshPostgres();
  const connect = async () => {
    const client = new Client(url);
    await client.connect();
    const rows = async (sql: string) => (await client.query<object>(sql)).rows;
    return connection('postgres', rows, () => client.end());
  };
  return { connect, drop };
}

async function mariadb(): Promise<Place> {
  const { url, drop } = await freshMariadb();
  const connect = async () => {
    const client = await createConnection(url);
    const rows = async (sql: string) => (await client.query(sql))[0] as object[];
    return connection('mariadb', rows, () => client.end());
  };
  return { connect, drop };
}

async function sqlite(): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), 'thorn-schema-'));
  const connect = async () => {
    const handle = new Database(join(directory, 'app.db'), { timeout: 0 });
    const rows = async (sql: string) => {
      const statement = handle.prepare<unknown[], object>(sql);
      if (statement.reader) return statement.all();
      statement.run();
      return [];
    };
    return connection('better-sqlite3', rows, async () => void handle.close());
  };
  return { connect, drop: async () => rmSync(directory, { recursive: true }) };
}

const TABLES = {
  sqlite: `SELECT count(*) AS count FROM sqlite_master WHERE type = 'table' AND name LIKE '%thorn_%'`,
  others: `SELECT count(*) AS count FROM information_schema.tables WHERE table_name LIKE '%thorn_%'`,
};

afterEach(() => vi.unstubAllEnvs());

describe.each([
  { database: 'PostgreSQL', open: postgres, count: TABLES.others },
  { database: 'MariaDB', open: mariadb, count: `${TABLES.others} AND table_schema = DATABASE()` },
  { database: 'SQLite', open: sqlite, count: TABLES.sqlite },
])('ensureSchema() on $database', ({ open, count }) => {
  let place: Place;
  let first: Connection;

  beforeEach(async () => {
    place = await open();
    first = await place.connect();
  });
  afterEach(async () => {
    await first.end();
    await place.drop();
  });

  const tables = async () => Number(Object.values((await first.rows(count))[0]!)[0]);

  it('makes the tables, and only those that are missing the next time', async () => {
    await createMissingTables(first.executor, { prefix: 'my_' });
    expect(await tables()).toBe(16);
    await first.rows(`INSERT INTO my_thorn_pauses VALUES ('example.org', 1)`);
    await first.rows('DROP TABLE my_thorn_deliveries');
    await createMissingTables(first.executor, { prefix: 'my_' });
    expect(await tables()).toBe(16);
    expect(await first.rows('SELECT host FROM my_thorn_pauses')).toEqual([{ host: 'example.org' }]);
  });

  it('makes nothing in production, and says what to do', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    await expect(createMissingTables(first.executor, {})).rejects.toMatchObject({
      code: 'THORN_SCHEMA_IN_PRODUCTION',
      message: expect.stringContaining('npx thorn migrations') as string,
    });
    expect(await tables()).toBe(0);
  });

  it('leaves nothing half made, and no lock', async () => {
    const failing: SqlExecutor = {
      dialect: first.executor.dialect,
      run: (statement) =>
        statement.sql.includes('thorn_pauses')
          ? Promise.reject(new Error('the disk is full'))
          : first.executor.run(statement),
    };
    await expect(createMissingTables(failing, {})).rejects.toThrow('the disk is full');
    const next = await place.connect();
    await createMissingTables(next.executor, {});
    await next.end();
    expect(await tables()).toBe(16);
  });
});

describe.each([
  { database: 'PostgreSQL', open: postgres },
  { database: 'MariaDB', open: mariadb },
])('processes that call ensureSchema() at once on $database', ({ open }) => {
  it('take turns', async () => {
    const place = await open();
    const connections = await Promise.all(Array.from({ length: 8 }, () => place.connect()));
    try {
      await Promise.all(connections.map(({ executor }) => createMissingTables(executor, {})));
      expect(await connections[0]!.rows('SELECT * FROM thorn_messages')).toEqual([]);
    } finally {
      for (const one of connections) await one.end();
      await place.drop();
    }
  });
});

describe('ensureSchema() with a schema', () => {
  it('makes the schema on PostgreSQL, and refuses it elsewhere', async () => {
    const place = await postgres();
    const one = await place.connect();
    await createMissingTables(one.executor, { schema: 'thorn' });
    expect(await one.rows('SELECT * FROM thorn.thorn_messages')).toEqual([]);
    await expect(createMissingTables(one.executor, { schema: 'pg_thorn' })).rejects.toMatchObject({
      code: 'THORN_OPTION_INVALID',
    });
    await one.end();
    await place.drop();
    const other = await sqlite();
    const { executor, end } = await other.connect();
    await expect(createMissingTables(executor, { schema: 'thorn' })).rejects.toThrow(
      /postgres alone/,
    );
    await end();
    await other.drop();
  });
});

describe('ensureSchema()', () => {
  it('takes a client of pg, and gives its connection back', async () => {
    const { url, drop } = await freshPostgres();
    const pool = new Pool({ connectionString: url, max: 1 });
    await ensureSchema(fromPg(pool, { schema: 'thorn' }));
    expect((await pool.query('SELECT * FROM thorn.thorn_messages')).rows).toEqual([]);
    await pool.end();
    await drop();
  });

  it.each([
    {
      name: 'SQLite',
      open: async () => ({
        options: { type: 'better-sqlite3', database: ':memory:' } as DataSourceOptions,
        drop: async () => undefined,
      }),
    },
    {
      name: 'MariaDB',
      open: async () => {
        const { url, drop } = await freshMariadb();
        return { options: { type: 'mariadb', url } as DataSourceOptions, drop };
      },
    },
  ])('takes a data source on $name', async ({ open }) => {
    const { options, drop } = await open();
    const dataSource = await new DataSource(options).initialize();
    await ensureSchema(fromTypeOrm(dataSource));
    expect(await dataSource.query('SELECT * FROM thorn_messages')).toEqual([]);
    await dataSource.destroy();
    await drop();
  });

  it('refuses the token of a client, and says what to give', async () => {
    await expect(ensureSchema(fromPg(Pool))).rejects.toMatchObject({
      code: 'THORN_OPTION_INVALID',
      message: expect.stringContaining('give the client itself') as string,
    });
  });
});
