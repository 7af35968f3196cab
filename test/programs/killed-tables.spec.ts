import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Subscribers } from '../../lib/index.js';
import { seededRandom } from '../support/seeded-random.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import type { OwnPostgres } from '../services/postgres.js';
import { makeTriggers, startTablesApp } from '../support/apps/tables-app.js';
import { CLIENT_DATABASES, type OwnConnection } from '../support/client-databases.js';
import { clientEnvironment } from '../support/client-program.js';
import { logicalDecoding } from '../support/commits/logical-decoding.js';
import { printFigures } from '../support/print-figures.js';
import type { TableWritesTask } from '../support/processes/table-writes.js';
import { createLoggedDatabase, startDecodingPostgres } from '../support/programs/databases.js';
import { ARTICLE_TABLE, type ArticleRow, articles } from '../support/programs/article-writers.js';
import { seedsOf } from '../support/programs/seeds.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const SEEDS = seedsOf(IS_LONG ? 6 : 1);
const KILLS = IS_LONG ? 16 : 2;
const ROWS = 8;
const REQUESTS_BETWEEN = IS_LONG ? 150 : 50;
const PATIENCE = 60_000;
/** Of the applications. The processes write by all of them, and by Drizzle where its transactions have no promises. */
const CLIENTS = {
  postgres: ['pg', 'TypeORM', 'Prisma 7', 'Drizzle 0.45', 'Kysely'],
  mysql: [
    ...['mysql2/promise', 'TypeORM', 'Prisma 7 on MariaDB', 'Kysely on MariaDB'],
    'Drizzle 0.45 on MariaDB',
  ],
  sqlite: ['better-sqlite3', 'TypeORM', 'Prisma 7 on SQLite', 'Kysely on SQLite'],
};

/** What has to write in each program. */
const WRITERS = { ...CLIENTS, sqlite: [...CLIENTS.sqlite, 'Drizzle 0.45 on SQLite'] };

/** What a receiver is told of an article; of one that was removed its title and total are not compared. */
type Told = readonly [event: string, id: number, title?: string, total?: number];

/** What the database says it has committed, in the order of each row. */
interface Oracle {
  begin(): Promise<void>;
  read(): Promise<readonly Told[]>;
  end(): Promise<void>;
}

/** Another trigger than ours, by row. */
function triggerOracle(own: OwnConnection, isMysql: boolean): Oracle {
  const insert = (event: string, row: 'OLD' | 'NEW') =>
    `INSERT INTO audit (event, article_id, title, total) VALUES ('${event}', ${row}.id, ${row}.title, ${row}.total)`;
  const trigger = (kind: string, condition: string | undefined, statement: string) => {
    const head = `CREATE TRIGGER audit_${kind} AFTER ${kind} ON article FOR EACH ROW`;
    if (isMysql)
      return `${head} ${condition === undefined ? statement : `IF ${condition} THEN ${statement}; END IF`}`;
    return `${head} ${condition === undefined ? '' : `WHEN ${condition}`} BEGIN ${statement}; END`;
  };
  return {
    async begin() {
      const id = isMysql ? 'bigint AUTO_INCREMENT' : 'integer';
      await own.query(
        `CREATE TABLE audit (id ${id} PRIMARY KEY, event varchar(40), article_id integer, title varchar(40), total integer)`,
      );
      await own.query(trigger('INSERT', undefined, insert('article.created', 'NEW')));
      await own.query(
        trigger(
          'UPDATE',
          'OLD.title <> NEW.title OR OLD.total <> NEW.total',
          insert('article.changed', 'NEW'),
        ),
      );
      await own.query(trigger('DELETE', undefined, insert('article.removed', 'OLD')));
    },
    async read() {
      const rows = await own.query('SELECT * FROM audit ORDER BY id');
      return rows.map(({ event, article_id: id, title, total }) =>
        toldOf(String(event), { id: Number(id), title: String(title), total: Number(total) }),
      );
    },
    end: async () => undefined,
  };
}

/** Whole transactions, as PostgreSQL decodes its own log. */
function decodingOracle(dataSource: DataSource): Oracle {
  const log = logicalDecoding();
  return {
    begin: () => log.begin(dataSource, new Map([['article', ['id', 'title', 'total']]])),
    async read() {
      const commits = await log.read(dataSource);
      return commits.flatMap((commit) => {
        const rows = new Map<number, { before: ArticleRow | null; after: ArticleRow | null }>();
        for (const { table, before, after } of commit) {
          if (table !== 'article') continue;
          const { id } = (after ?? before) as unknown as ArticleRow;
          const known = rows.get(id) ?? { before: before as ArticleRow | null, after: null };
          rows.set(id, { ...known, after: after as ArticleRow | null });
        }
        return [...rows.values()].flatMap(({ before, after }): Told[] => {
          if (before === null) return after === null ? [] : [toldOf('article.created', after)];
          if (after === null) return [toldOf('article.removed', before)];
          const isSame = before.title === after.title && before.total === after.total;
          return isSame ? [] : [toldOf('article.changed', after)];
        });
      });
    },
    end: () => log.end(dataSource),
  };
}

function toldOf(event: string, { id, title, total }: ArticleRow): Told {
  return event === 'article.removed' ? [event, id] : [event, id, title, total];
}

describe('processes that write tables with events, and are killed', () => {
  let program: string;
  let environment: Readonly<Record<string, string>>;
  let postgres: OwnPostgres;
  beforeAll(async () => {
    [program, postgres] = await Promise.all([
      bundleProgram('test/support/processes/table-writes.ts'),
      startDecodingPostgres(),
    ]);
    const clients = ['Prisma 7', 'Drizzle'].map((client) => clientEnvironment(client));
    environment = Object.assign({}, ...(await Promise.all(clients))) as Record<string, string>;
  });
  afterAll(() => postgres.stop());

  it.each(CLIENT_DATABASES.flatMap(({ database }) => SEEDS.map((seed) => ({ database, seed }))))(
    'send exactly what $database has committed, seed $seed',
    async ({ database, seed }) => {
      const place = CLIENT_DATABASES.find((one) => one.database === database)!;
      const fresh =
        database === 'postgres'
          ? (await createLoggedDatabase('postgres', postgres)).place
          : await place.create();
      const url = 'url' in fresh ? fresh.url : (fresh.options as { readonly url: string }).url;
      const own = place.connect(url);
      const decoded =
        database === 'postgres' ? new DataSource({ type: 'postgres', url }) : undefined;
      await decoded?.initialize();
      const oracle =
        decoded === undefined ? triggerOracle(own, database === 'mysql') : decodingOracle(decoded);
      const receiver = await ScriptedReceiver.start();
      const children: Child[] = [];
      await own.query(ARTICLE_TABLE);
      await makeTriggers(place, url, [articles]);
      const caller = await startTablesApp(place, url, {
        ...{ outbox: { worker: false }, tables: [articles] },
      });
      let started = 0;
      const random = seededRandom(seed);
      const any = (count: number) => Math.floor(random() * count);
      const clients = CLIENTS[database];
      const everybody: Child[] = [];
      const start = (at: number): void => {
        const client = clients[(started + seed) % clients.length]!;
        const task: TableWritesTask = {
          database,
          client,
          url,
          rows: ROWS,
          seed: seed * 1000 + started++,
        };
        children[at] = startChild(program, JSON.stringify(task), environment);
        everybody.push(children[at]);
      };
      try {
        await oracle.begin();
        await caller.app
          .get(Subscribers)
          .create({ url: receiver.url, events: ['article.*'], ordered: true });
        // On SQLite, another process that writes makes transactions fail which have only read by then.
        for (const at of [0, 1]) start(at);
        for (let kill = 0; kill < KILLS; kill++) {
          const wanted = receiver.received.length + 1 + any(2 * REQUESTS_BETWEEN);
          await receiver.waitFor(wanted, { timeout: PATIENCE });
          const victim = any(2);
          await children[victim]!.end('SIGKILL');
          start(victim);
        }
        for (const child of children) await child.printed('ready');
        for (const child of children) child.process.kill('SIGTERM');
        for (const child of children) await child.printed('idle');
        const left = async () => {
          const [changes, messages, deliveries] = await Promise.all(
            [
              'thorn_changes',
              'thorn_pending_messages',
              'thorn_deliveries WHERE due_at IS NOT NULL',
            ].map(async (table) => (await own.query(`SELECT id FROM ${table}`)).length),
          );
          return { changes, messages, deliveries };
        };
        await vi.waitFor(
          async () => expect(await left()).toEqual({ changes: 0, messages: 0, deliveries: 0 }),
          { timeout: PATIENCE, interval: 200 },
        );
        const expected = await oracle.read();
        const seen = new Set<unknown>();
        const firsts = receiver.received.filter(({ headers }) => {
          const id = headers['webhook-id'];
          return !seen.has(id) && seen.add(id);
        });
        const told = firsts.map(({ json }) => {
          const { type, data } = json as { readonly type: string; readonly data: ArticleRow };
          return toldOf(type, data);
        });
        const ofRow = (all: readonly Told[], row: number) => all.filter(([, id]) => id === row);
        for (let row = 1; row <= ROWS; row++)
          expect(ofRow(told, row)).toEqual(ofRow(expected, row));
        expect(told).toHaveLength(expected.length);
        const wrote = new Set(
          everybody.flatMap((child) => child.lines().filter((line) => line.startsWith('wrote by'))),
        );
        expect([...wrote].map((line) => line.slice('wrote by '.length)).sort()).toEqual(
          WRITERS[database].toSorted(),
        );
        const requests = receiver.received.length;
        printFigures(`killed tables on ${database}`, {
          messages: told.length,
          requests,
          kills: KILLS,
        });
      } finally {
        for (const child of children) await child.end('SIGKILL');
        await caller.close();
        await oracle.end();
        await decoded?.destroy();
        await own.end();
        await receiver.stop();
        await fresh.drop();
      }
    },
    IS_LONG ? 600_000 : 240_000,
  );
});
