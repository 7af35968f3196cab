import { EventEmitter, once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { Readable, type Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import QueryStream from 'pg-query-stream';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setUpConnections } from '../../lib/outbox/database/postgres-connections.js';
import { type FreshDatabase, freshPostgres } from '../services/database.js';
import { Article, openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';

const START = 'START TRANSACTION';

const databases: FreshDatabase[] = [];
const fresh = async () => {
  const made = await freshPostgres();
  databases.push(made);
  return made;
};
let database: FreshDatabase;
beforeAll(async () => {
  database = await fresh();
});
afterAll(async () => {
  for (const made of databases) await made.drop();
});

/** A connection of a pool of one, with a table of its own. */
async function connect(schema: string, extra: object, isSetUp: boolean) {
  const pool = new pg.Pool({
    connectionString: database.url,
    options: `-c search_path=${schema}`,
    max: 1,
    ...extra,
  });
  if (isSetUp) setUpConnections({ driver: { master: pool } } as unknown as DataSource);
  const client = await pool.connect();
  await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE; CREATE SCHEMA ${schema}`);
  await client.query('CREATE TABLE item (id int PRIMARY KEY, title text)');
  return {
    pool,
    client,
    end: () => {
      client.release(true);
      return pool.end();
    },
  };
}

describe('a transaction of pg', () => {
  let client: pg.PoolClient;
  let end: () => Promise<void>;
  let answers: number;
  const open = async (extra = {}) => {
    ({ client, end } = await connect('own', extra, true));
    const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
    answers = 0;
    connection.on('readyForQuery', () => (answers += 1));
  };
  /** Another connection to the same table. */
  const again = async () => {
    const pool = new pg.Pool({ connectionString: database.url, options: '-c search_path=own' });
    client = await pool.connect();
    end = () => {
      client.release();
      return pool.end();
    };
  };
  beforeEach(() => open());
  afterEach(() => end());

  const insert = (id: number, title = 'new') =>
    client.query('INSERT INTO item VALUES ($1, $2)', [id, title]);
  const ids = async () => {
    const { rows } = await client.query<{ id: number }>('SELECT id FROM item ORDER BY id');
    return rows.map(({ id }) => id);
  };

  it('begins with its first statement, in one round trip', async () => {
    await client.query(START);
    expect(answers).toBe(0);
    await insert(1);
    expect(answers).toBe(1);
    await client.query('ROLLBACK');
    await client.query(START);
    await insert(2);
    await client.query('COMMIT');
    expect(answers).toBe(4);
    expect(await ids()).toEqual([2]);
  });

  it.each([
    ...['COMMIT', 'ROLLBACK', 'SAVEPOINT one', 'SET TRANSACTION READ ONLY', 'LOCK TABLE item'],
    ...['select 1', ' DELETE FROM item', 'WITH a AS (SELECT 1) TABLE a', 'UPDATE item SET id = 1'],
  ])('begins with %s, in one round trip', async (sql) => {
    await client.query(START);
    await client.query(sql, []);
    expect(answers).toBe(1);
    await client.query('ROLLBACK');
  });

  it.each([
    ['several statements', 'INSERT INTO item VALUES (1); SELECT 1'],
    ['a comment', '-- first\nINSERT INTO item VALUES (1)'],
    ['a block', 'DO $$ BEGIN INSERT INTO item VALUES (1); END $$'],
  ])('may begin with %s, which it undoes', async (_, sql) => {
    await client.query(START);
    await client.query(sql, []);
    await client.query('ROLLBACK');
    expect(await ids()).toEqual([]);
  });

  it('takes a callback, and says that it is one before it has begun', async () => {
    const { command } = await new Promise<pg.QueryResult>((resolve) => {
      client.query(START, (_, result) => resolve(result));
    });
    expect(command).toBe('START');
    await client.query('ROLLBACK');
    expect(statusOf(client)).toBe('I');
    for (const sql of ['SELECT 1', 'SHOW search_path']) {
      await client.query(START);
      expect(statusOf(client)).toBe('T');
      const begun = client.query(sql);
      expect(statusOf(client)).toBe('T');
      await begun;
      expect(statusOf(client)).toBe('T');
      await client.query('ROLLBACK');
      expect(statusOf(client)).toBe('I');
    }
    await client.query(START);
    let status: unknown;
    client.once('drain', () => (status = statusOf(client)));
    await client.query('ROLLBACK');
    expect(status).toBe('I');
  });

  it('comes behind what waits for its turn, also when a callback begins it', async () => {
    const called = new Promise((resolve, reject) => {
      client.query('SELECT 1', () => {
        const inner = [client.query(START), insert(2), client.query('ROLLBACK')];
        Promise.all(inner).then(resolve, reject);
      });
    });
    expect(await insert(1)).toMatchObject({ command: 'INSERT', rowCount: 1 });
    await called;
    expect(await ids()).toEqual([1]);
  });

  it('begins at once on connections with the option pipeline', async () => {
    await end();
    await open({ pipeline: true });
    await client.query('BEGIN');
    await expect(client.query('SELECT 1/0')).rejects.toThrow('division by zero');
    await expect(client.query(START)).rejects.toMatchObject({ code: '25P02' });
    await client.query('ROLLBACK');
    await client.query(START);
    expect(answers).toBeGreaterThan(3);
    await insert(1);
    await client.query('ROLLBACK');
    expect(await ids()).toEqual([]);
  });

  it('tells of a query that pg does not send, and goes on', async () => {
    const named = (text: string) => client.query({ name: 'one', text });
    await named('SELECT 1 AS one');
    await client.query(START);
    await expect(named('SELECT 2 AS two')).rejects.toThrow('must be unique');
    await client.query('ROLLBACK');
    await client.query(START);
    await expect(client.query('SELECT $1::int AS one')).rejects.toMatchObject({ code: '42P02' });
    await client.query('ROLLBACK');
    await client.query(START);
    expect(await client.query('SELECT 3 AS three')).toMatchObject({ rows: [{ three: 3 }] });
    await client.query('ROLLBACK');
    await client.query(START);
    const failing = {
      toPostgres: () => {
        throw new Error('no value');
      },
    };
    await expect(client.query('SELECT $1', [failing])).rejects.toThrow('no value');
    await client.query('ROLLBACK');
    await client.query(START);
    const noList = { at: 1 } as unknown as unknown[];
    await expect(client.query('SELECT 1', noList)).rejects.toThrow('must be an array');
    await client.query('ROLLBACK');
    expect(await client.query('SELECT 4 AS four')).toMatchObject({ rows: [{ four: 4 }] });
  });

  it('answers its first statement as ever: a callback, a named one, rows as arrays', async () => {
    await client.query(START);
    const called = new Promise((resolve) => {
      client.query('SELECT $1::int AS one', [1], (_, result) => resolve(result.rows));
    });
    expect(await called).toEqual([{ one: 1 }]);
    for (const turn of [1, 2, 3]) {
      await client.query('COMMIT');
      await client.query(START);
      const named = { name: 'two', text: 'SELECT $1::int AS two', values: [turn] };
      expect(await client.query(named)).toMatchObject({
        command: 'SELECT',
        rows: [{ two: turn }],
      });
    }
    await client.query('COMMIT');
    await client.query(START);
    const { rows } = await client.query({ text: 'SELECT 1, 2', rowMode: 'array' });
    expect(rows).toEqual([[1, 2]]);
    await client.query('COMMIT');
  });

  it('fails with its first statement, and undoes what comes behind', async () => {
    await insert(1);
    for (const [sql, code] of [
      ['SELEC', '42601'],
      ['SELECT 1/0', '22012'],
      ['INSERT INTO item VALUES (1)', '23505'],
    ] as const) {
      await client.query(START);
      await expect(client.query(sql)).rejects.toMatchObject({ code });
      await expect(insert(2)).rejects.toMatchObject({ code: '25P02' });
      await client.query('ROLLBACK');
    }
    expect(await ids()).toEqual([1]);
  });

  it('prepares a named statement again whose first attempt it has refused', async () => {
    const named = { name: 'later', text: 'SELECT count(*)::int AS count FROM later' };
    await client.query(START);
    await expect(client.query(named)).rejects.toMatchObject({ code: '42P01' });
    await client.query('ROLLBACK');
    await client.query('CREATE TABLE later (id int)');
    expect((await client.query(named)).rows).toEqual([{ count: 0 }]);
  });

  it.each([
    ['travels', 'INSERT INTO item VALUES (1)'],
    ['comes alone', 'INSERT INTO item VALUES (1); SELECT 1'],
  ])('stores nothing behind a START TRANSACTION that fails and %s', async (_, first) => {
    const { stream } = (client as unknown as { connection: { stream: Writable } }).connection;
    const write = stream.write.bind(stream) as (text: string, encoding: string) => boolean;
    stream.write = (bytes: Buffer) => {
      return write(bytes.toString('latin1').replace('TRANS', 'TRULY'), 'latin1');
    };
    client.on('error', () => undefined);
    await client.query(START);
    await expect(client.query(first)).rejects.toMatchObject({ code: '42601' });
    await expect(insert(2)).rejects.toThrow();
    await expect(client.query('COMMIT')).rejects.toThrow();
    await end();
    await again();
    expect(await ids()).toEqual([]);
  });

  it('is ended by the ROLLBACK of a later one when it has failed', async () => {
    await client.query('BEGIN');
    await expect(client.query('SELECT 1/0')).rejects.toThrow('division by zero');
    await idle(client);
    await expect(client.query(START)).rejects.toMatchObject({ code: '25P02' });
    expect(statusOf(client)).toBe('E');
    await client.query('ROLLBACK');
    await client.query(START);
    await insert(1);
    await client.query('COMMIT');
    expect(await ids()).toEqual([1]);
  });

  it('lets statements that are not awaited run in their order', async () => {
    const statements = [
      client.query(START),
      client.query('CREATE TABLE other (id int); INSERT INTO other VALUES (1)'),
      client.query('INSERT INTO other SELECT id + 1 FROM other'),
      client.query('SELECT sum(id)::int AS sum FROM other'),
      client.query('ROLLBACK'),
      client.query(START),
      insert(1),
      client.query('COMMIT'),
      insert(2),
    ];
    const results = await Promise.all(statements);
    expect(results[3]).toMatchObject({ rows: [{ sum: 3 }] });
    expect(await ids()).toEqual([1, 2]);
  });

  it('is the same as without Thorn, whatever its statements are', async () => {
    const plain = await connect('plain', {}, false);
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          for (const one of [client, plain.client]) {
            await one.query('ROLLBACK');
            await one.query('DROP TABLE IF EXISTS made; TRUNCATE item; SET ROLE NONE');
          }
          const seen: unknown[] = [];
          const expected: unknown[] = [];
          for (const burst of steps) {
            expected.push(await outcomes(plain.client, burst));
            seen.push(await outcomes(client, burst));
          }
          expect(seen).toEqual(expected);
          for (const [one, list] of [
            [client, seen],
            [plain.client, expected],
          ] as const) {
            list.push(await outcomes(one, ['SELECT * FROM item ORDER BY id']), statusOf(one));
            await one.query('ROLLBACK');
            list.push(await outcomes(one, ['SELECT * FROM item ORDER BY id']));
          }
          expect(seen).toEqual(expected);
        }),
        { seed: 20261127, numRuns: process.env['THORN_LONG'] === '1' ? 5000 : 150 },
      );
    } finally {
      await plain.end();
    }
  });

  const count = async () => {
    const { rows } = await client.query<{ count: number }>('SELECT count(*)::int FROM item');
    return rows[0]!.count;
  };

  it('may begin with COPY, in both directions', async () => {
    await client.query(START);
    const lines = Array.from({ length: 1000 }, (_, id) => `${id}\ttitle\n`);
    await pipeline(Readable.from(lines), client.query(copyFrom('COPY item FROM STDIN')));
    expect(await count()).toBe(1000);
    await client.query('ROLLBACK');
    expect(await count()).toBe(0);

    await client.query("INSERT INTO item VALUES (1, 'one'), (2, 'two')");
    await client.query(START);
    const copied = await client.query(copyTo('COPY item TO STDOUT')).toArray();
    expect(Buffer.concat(copied as Buffer[]).toString()).toBe('1\tone\n2\ttwo\n');
    await client.query('DELETE FROM item');
    await client.query('ROLLBACK');
    expect(await count()).toBe(2);
  });

  it('may begin with a stream of rows', async () => {
    await client.query(START);
    const rows = client.query(new QueryStream('SELECT generate_series(1, $1) AS at', [500]));
    expect(await rows.toArray()).toHaveLength(500);
    await client.query('INSERT INTO item VALUES (1)');
    await client.query('ROLLBACK');
    expect(await count()).toBe(0);
  });

  it('may begin with a query that listens to the connection itself', async () => {
    const events: string[] = [];
    const query = new pg.Query('SELECT $1::int', [1]);
    const { submit } = query;
    query.submit = (connection) => {
      for (const event of ['parseComplete', 'commandComplete', 'readyForQuery']) {
        connection.on(event, () => events.push(event));
      }
      submit.call(query, connection);
    };
    await client.query(START);
    await once(client.query(query), 'end');
    await client.query('ROLLBACK');
    expect(events.slice(0, 3)).toEqual(['parseComplete', 'commandComplete', 'readyForQuery']);
  });

  it('refuses a COPY without rows, and goes on', async () => {
    await client.query(START);
    await expect(client.query('COPY item FROM STDIN')).rejects.toThrow('No source stream defined');
    await client.query('ROLLBACK');
    expect(await count()).toBe(0);
  });
});

describe.each(['BEGIN', START])('a transaction begun by hand with %s', (begin) => {
  let app: OutboxApp;
  let runner: QueryRunner;
  beforeEach(async () => {
    const { url } = await fresh();
    app = await openOutboxApp({ options: { type: 'postgres', url } });
    await app.subscribers.create(subscriber('http://127.0.0.1:9/'));
    await app.dataSource.manager.insert(Article, { title: 'there' });
    await app.until('SELECT status FROM thorn_deliveries', (rows) => rows.length === 1);
    runner = app.dataSource.createQueryRunner();
  });
  afterEach(async () => {
    await runner.release();
    await app.close();
  });

  it.each<[string, (manager: EntityManager) => Promise<unknown>]>([
    ['update', (manager) => manager.update(Article, { title: 'there' }, { title: 'changed' })],
    ['delete', (manager) => manager.delete(Article, { title: 'there' })],
    ['insert', (manager) => manager.insert(Article, { title: 'new' })],
    ['upsert', (manager) => manager.upsert(Article, { id: 2, title: 'new' }, ['id'])],
  ])('is undone by its ROLLBACK, and sends nothing: %s', async (_, write) => {
    await runner.query(begin);
    await write(runner.manager);
    await runner.query('ROLLBACK');
    expect(await app.rows('SELECT title FROM article')).toEqual([{ title: 'there' }]);
    expect(await app.rows('SELECT id FROM thorn_messages')).toHaveLength(1);
  });
});

it('leaves clients alone that are not written in JavaScript', () => {
  const query = () => undefined;
  const client = Object.assign(new EventEmitter(), { query });
  const pool = new EventEmitter();
  setUpConnections({ driver: { master: pool } } as unknown as DataSource);
  pool.emit('acquire', client);
  expect(client.query).toBe(query);
});

type Query = string | { text: string; values?: unknown[]; name?: string; queryMode?: 'extended' };

const id = fc.integer({ min: 1, max: 4 });
/** Statements that are given to pg at once, without awaiting one after the other. */
const step: fc.Arbitrary<readonly Query[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(START) },
    fc.constantFrom('COMMIT', 'ROLLBACK', 'SAVEPOINT one', 'ROLLBACK TO SAVEPOINT one'),
    fc.constantFrom('SELEC', 'SELECT 1/0', 'SELECT no_column', 'SELECT $1::int', '', '-- nothing'),
    fc.constantFrom('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'SHOW transaction_isolation'),
    fc.constantFrom('LOCK TABLE item', 'SET LOCAL ROLE NONE', 'CREATE TABLE made (id int)'),
    fc.constantFrom('SELECT 1 AS one; SELECT 2 AS two', 'SELECT 1;', ';', 'COMMIT; SELECT 1'),
    fc.constantFrom('VALUES (1), (2)', '/* first */ SELECT 1 AS one', "SELECT ';' AS text"),
    id.map((one) => `INSERT INTO item VALUES (${one}) RETURNING id`),
    id.map((one) => ({ text: 'INSERT INTO item VALUES ($1, $2)', values: [one, 'title'] })),
    id.map((one) => ({ text: 'DELETE FROM item WHERE id = $1', values: [one] })),
    id.map((one) => ({ name: 'named', text: 'SELECT $1::int / 2 AS half', values: [one] })),
    id.map((one) => ({ text: `WITH one AS (SELECT ${one} AS id) SELECT * FROM one` })),
    id.map((one) => ({ text: `SELECT ${one} AS id`, queryMode: 'extended' as const })),
    fc.constant({ text: 'SELECT $1::int AS value', values: ['no number'] as unknown[] }),
  ),
  { minLength: 1, maxLength: 3 },
);

async function outcomes(client: pg.PoolClient, queries: readonly Query[]): Promise<unknown> {
  const settled = await Promise.allSettled(queries.map((query) => client.query(query)));
  await idle(client);
  return settled.map((one) => {
    if (one.status === 'rejected') return (one.reason as { code?: string }).code;
    // A text of several statements has several results.
    return [one.value]
      .flat()
      .map(({ command, rowCount, rows }) => ({ command, rowCount, rows: rows as unknown[] }));
  });
}

/** Resolves when the server awaits the next statement: an error comes before that. */
async function idle(client: pg.PoolClient): Promise<void> {
  while (!(client as unknown as { readyForQuery: boolean }).readyForQuery) await setImmediate();
}

/** `I` outside of transactions, `T` within one, `E` within one that has failed. */
function statusOf(client: pg.PoolClient): string | null {
  return (client as unknown as { getTransactionStatus(): string | null }).getTransactionStatus();
}
