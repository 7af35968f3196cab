import mysql, { type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SystemClock } from '../../lib/common/time.js';
import type { Statement } from '../../lib/database/dialect.js';
import { PooledStore } from '../../lib/database/pooled-store.js';
import type { JoinedTransaction, SqlClient } from '../../lib/database/sql-client.js';
import { Codecs, type MessageDraft, MessageFactory } from '../../lib/message/index.js';
import { tableNames } from '../../lib/outbox/tables/table-names.js';
import { MessageRowMapper } from '../../lib/outbox/tables/message-row-mapper.js';
import { MessageTable } from '../../lib/outbox/tables/message-table.js';
import { SecretSealer } from '../../lib/signing/index.js';
import { fromPg } from '../../lib/sql/index.js';
import { type FreshDatabase, freshMariadb, freshPostgres } from '../services/database.js';
import { CLIENT_DATABASES } from '../support/client-databases.js';
import { MARIADB_CLIENTS } from '../support/mariadb-clients.js';
import { migrate, SQL_CLIENTS } from '../support/sql-clients.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const LEASE = { token: 'conformance', leasedUntil: 9_007_199_254_740_991 };
const PLAIN = { event: 'article.published', data: { title: `'$1" ? ü\u{1f98a}` } };
const KEYED = { ...PLAIN, orderBy: { key: 'article:1' } };

let database: FreshDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshPostgres();
  await migrate(database.url);
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** Writes messages as a strategy does. @returns their ids, and how many statements it took */
async function stage(client: SqlClient<never>, joined: JoinedTransaction, drafts: MessageDraft[]) {
  const codecs = new Codecs();
  const factory = new MessageFactory(new SystemClock(), codecs);
  const store = new PooledStore(client, 10_000);
  const rows = new MessageRowMapper(codecs, new SecretSealer());
  const table = new MessageTable(store, tableNames(store), rows);
  let statements = 0;
  const counting: JoinedTransaction = {
    client,
    dialect: joined.dialect,
    run: (statement) => {
      statements++;
      return joined.run(statement);
    },
  };
  const messages = drafts.map((draft) => factory.create(draft));
  const { known } = await table.insertWith(counting, messages, LEASE);
  return { ids: messages.map(({ id }) => id.slice(4)), known: [...known], statements, store };
}

async function stored(ids: readonly string[]) {
  const { rows } = await pool.query<{ sequence: string | null; body: object; due_at: string }>(
    `SELECT sequence, body, lease, due_at FROM ${STORED_MESSAGES} WHERE id = ANY($1) ORDER BY array_position($1, id)`,
    [ids],
  );
  return rows;
}

const lease = { lease: LEASE.token, due_at: String(LEASE.leasedUntil) };

describe.each(SQL_CLIENTS)('a message that is sent by $name', ({ open, define }) => {
  it('is written by one statement, with a number of its key', async () => {
    const opened = await open(database.url, 2);
    const client = await define(opened.bare, database.url).useFactory();
    const staged = await opened.begin(async (transaction) => {
      const joined = await client.join(transaction);
      const plain = await stage(client, joined, [PLAIN]);
      const keyed = await stage(client, joined, [KEYED, PLAIN, KEYED]);
      return [plain, keyed] as const;
    });

    expect(staged.map(({ statements }) => statements)).toEqual([1, 1]);
    const [one, ...rest] = await stored(staged.flatMap(({ ids }) => ids));
    expect(one).toMatchObject({ ...lease, sequence: null, body: { data: PLAIN.data } });
    const first = Number(rest[0]!.sequence);
    expect(rest.map(({ sequence }) => sequence)).toEqual([`${first}`, null, `${first + 1}`]);
    // By the driver below the client.
    const [id] = staged[0].ids;
    const found = await staged[0].store.run({
      sql: `SELECT id FROM ${client.table('thorn_messages')} WHERE id = CAST(? AS uuid)`,
      parameters: [id],
    });
    expect(found.rows).toEqual([{ id }]);
    await Promise.all([opened.close(), client.close?.()]);
  });
});

describe('on MariaDB', () => {
  let mariadb: FreshDatabase;
  let own: mysql.Pool;

  beforeAll(async () => {
    mariadb = await freshMariadb();
    await migrate(mariadb.url);
    own = mysql.createPool({ uri: mariadb.url, connectionLimit: 1 });
    await own.query('CREATE TABLE counted (questions bigint)');
  });
  afterAll(async () => {
    await own.end();
    await mariadb.drop();
  });

  it.each(MARIADB_CLIENTS)(
    'a message that is sent by $name adds three statements',
    async ({ name, open, define, execute }) => {
      const opened = await open(mariadb.url, 2);
      const client = await define(opened.bare, mariadb.url).useFactory();
      const count = (tx: never) =>
        execute(
          tx,
          "INSERT INTO counted SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'QUESTIONS'",
        );
      await own.query('DELETE FROM counted');
      // The first transaction of all is asked of which database it is.
      await opened.begin(async (tx) => void (await client.join(tx)));
      const ids = await opened.begin(async (tx) => {
        await count(tx);
        const plain = await stage(client, await client.join(tx), [PLAIN]);
        await count(tx);
        const keyed = await stage(client, await client.join(tx), [KEYED, PLAIN, KEYED]);
        return [...plain.ids, ...keyed.ids];
      });
      const [counts] = await own.query<RowDataPacket[]>('SELECT questions FROM counted ORDER BY 1');
      const [first, second] = counts.map(({ questions }) => Number(questions));
      // With the one that counts.
      expect(second! - first! - 1).toBeLessThanOrEqual(3);
      const [rows] = await own.query<RowDataPacket[]>(
        `SELECT lease, due_at, sequence FROM ${STORED_MESSAGES} WHERE id IN (?) ORDER BY sequence`,
        [ids],
      );
      const [one, other, ...rest] = rows.map(({ sequence }) => sequence as number | null);
      expect([one, other]).toEqual([null, null]);
      expect(rest).toEqual([rest[0], rest[0]! + 1]);
      for (const row of rows) expect(row).toMatchObject({ lease: LEASE.token });
      const given = { ...PLAIN, id: name.replaceAll(/[^a-z0-9]/gi, '-') };
      const again = await opened.begin(async (tx) =>
        [
          await stage(client, await client.join(tx), [given]),
          await stage(client, await client.join(tx), [given]),
        ].map(({ known }) => known.length),
      );
      expect(again).toEqual([0, 1]);
      await Promise.all([opened.close(), client.close?.()]);
    },
  );
});

describe.each(CLIENT_DATABASES.filter(({ database }) => database !== 'postgres'))(
  'a message that $database cannot write in full',
  ({ database: system, kinds, create, connect }) => {
    const rename = (from: string, to: string) =>
      system === 'mysql' ? `RENAME TABLE ${from} TO ${to}` : `ALTER TABLE ${from} RENAME TO ${to}`;

    it.each(kinds)(
      'leaves nothing where $name goes on and commits',
      async ({ open, define, execute }) => {
        const place = await create();
        await migrate(place.url);
        const own = connect(place.url);
        await own.query('CREATE TABLE beside (id int)');
        await own.query(rename('thorn_pending_messages', 'hidden'));
        const opened = await open(place.url, 2);
        const client = await define(opened.bare, place.url).useFactory();
        await opened.begin(async (tx) => {
          for (const drafts of [[PLAIN], [KEYED, PLAIN]]) {
            const staged = stage(client, await client.join(tx), drafts);
            await expect(staged).rejects.toMatchObject({
              code: 'THORN_TABLES_MISSING',
              message: expect.stringContaining('does not find thorn_pending_messages.') as string,
            });
          }
          await execute(tx, 'INSERT INTO beside VALUES (1)');
        });

        expect(await own.query('SELECT id FROM beside')).toHaveLength(1);
        expect(await own.query('SELECT id FROM thorn_messages')).toEqual([]);
        await Promise.all([opened.close(), client.close?.(), own.end()]);
        await place.drop();
      },
    );
  },
);

// Prisma up to 6 does with its engine: https://github.com/prisma/prisma/issues/14978
it('stages messages by a client that sends every value as a text', async () => {
  const client = await fromPg(pool).useFactory();
  const connection = await pool.connect();
  await connection.query('BEGIN');
  let count = 0;
  const joined: JoinedTransaction = {
    client,
    dialect: client.dialect,
    run: async ({ sql, parameters }: Statement) => {
      const name = `texts_${count++}`;
      const types = parameters.map(() => 'text').join(', ');
      await connection.query(`PREPARE ${name} (${types}) AS ${client.dialect.placeholders(sql)}`);
      const values = parameters.map((value) =>
        value === null ? 'NULL' : pg.escapeLiteral(String(value)),
      );
      const { rows, rowCount } = await connection.query<Record<string, unknown>>(
        `EXECUTE ${name} (${values.join(', ')})`,
      );
      return { rows, affected: rowCount ?? 0 };
    },
  };
  const ids: string[] = [];
  for (const drafts of [
    [PLAIN],
    [PLAIN, PLAIN],
    [KEYED, PLAIN, KEYED],
    [{ ...PLAIN, id: 'msg_given' }],
    Array.from({ length: 20 }, () => KEYED),
  ]) {
    ids.push(...(await stage(client, joined, drafts)).ids);
  }
  await connection.query('COMMIT');
  connection.release();

  const { rows } = await pool.query("SELECT 1 FROM thorn_messages WHERE given_id = 'msg_given'");
  expect(rows).toHaveLength(1);
  const written = await stored(ids.filter((id) => id !== 'given'));
  expect(written).toHaveLength(26);
  for (const row of written) expect(row).toMatchObject(lease);
});
