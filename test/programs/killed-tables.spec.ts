import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Subscribers } from '../../lib/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import type { OwnPostgres } from '../services/postgres.js';
import { makeTriggers, ORDERS, startTablesApp } from '../support/apps/tables-app.js';
import { CLIENT_DATABASES, type OwnConnection } from '../support/client-databases.js';
import { clientEnvironment } from '../support/client-program.js';
import { logicalDecoding } from '../support/commits/logical-decoding.js';
import { printFigures } from '../support/print-figures.js';
import type { TableWritesTask } from '../support/processes/table-writes.js';
import { createLoggedDatabase, startDecodingPostgres } from '../support/programs/databases.js';
import { seedsOf } from '../support/programs/seeds.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const SEEDS = seedsOf(IS_LONG ? 4 : 1);
const KILLS = IS_LONG ? 12 : 2;
const ROWS = 8;
const REQUESTS_BETWEEN = IS_LONG ? 100 : 50;
const PATIENCE = 60_000;
/** Of one process each. */
const CLIENTS = {
  postgres: ['pg', 'Prisma 7', 'Drizzle 0.45', 'Kysely'],
  mysql: ['mysql2/promise', 'Prisma 7 on MariaDB', 'Kysely on MariaDB', 'Drizzle 0.45 on MariaDB'],
  sqlite: ['better-sqlite3', 'Prisma 7 on SQLite', 'Kysely on SQLite', 'better-sqlite3'],
};

/** What a receiver is told of an order; of one that was removed its state and total are not compared. */
type Told = readonly [event: string, id: number, state?: string, total?: number];

interface Order {
  readonly id: number;
  readonly state: string;
  readonly total: number;
}

/** What the database says it has committed, in the order of each row. */
interface Oracle {
  begin(): Promise<void>;
  read(): Promise<readonly Told[]>;
  end(): Promise<void>;
}

/** Another trigger than ours, by row. */
function triggerOracle(own: OwnConnection, isMysql: boolean): Oracle {
  const insert = (event: string, row: 'OLD' | 'NEW') =>
    `INSERT INTO audit (event, order_id, state, total) VALUES ('${event}', ${row}.id, ${row}.state, ${row}.total)`;
  const trigger = (kind: string, condition: string | undefined, statement: string) => {
    const head = `CREATE TRIGGER audit_${kind} AFTER ${kind} ON orders FOR EACH ROW`;
    if (isMysql)
      return `${head} ${condition === undefined ? statement : `IF ${condition} THEN ${statement}; END IF`}`;
    return `${head} ${condition === undefined ? '' : `WHEN ${condition}`} BEGIN ${statement}; END`;
  };
  return {
    async begin() {
      const id = isMysql ? 'bigint AUTO_INCREMENT' : 'integer';
      await own.query(
        `CREATE TABLE audit (id ${id} PRIMARY KEY, event varchar(40), order_id integer, state varchar(40), total integer)`,
      );
      await own.query(trigger('INSERT', undefined, insert('order.placed', 'NEW')));
      await own.query(
        trigger(
          'UPDATE',
          'OLD.state <> NEW.state OR OLD.total <> NEW.total',
          insert('order.changed', 'NEW'),
        ),
      );
      await own.query(trigger('DELETE', undefined, insert('order.removed', 'OLD')));
    },
    async read() {
      const rows = await own.query('SELECT * FROM audit ORDER BY id');
      return rows.map(({ event, order_id: id, state, total }) =>
        toldOf(String(event), { id: Number(id), state: String(state), total: Number(total) }),
      );
    },
    end: async () => undefined,
  };
}

/** Whole transactions, as PostgreSQL decodes its own log. */
function decodingOracle(dataSource: DataSource): Oracle {
  const log = logicalDecoding();
  return {
    begin: () => log.begin(dataSource, new Map([['orders', ['id', 'state', 'total']]])),
    async read() {
      const commits = await log.read(dataSource);
      return commits.flatMap((commit) => {
        const rows = new Map<number, { before: Order | null; after: Order | null }>();
        for (const { table, before, after } of commit) {
          if (table !== 'orders') continue;
          const { id } = (after ?? before) as unknown as Order;
          const known = rows.get(id) ?? { before: before as Order | null, after: null };
          rows.set(id, { ...known, after: after as Order | null });
        }
        return [...rows.values()].flatMap(({ before, after }): Told[] => {
          if (before === null) return after === null ? [] : [toldOf('order.placed', after)];
          if (after === null) return [toldOf('order.removed', before)];
          const isSame = before.state === after.state && before.total === after.total;
          return isSame ? [] : [toldOf('order.changed', after)];
        });
      });
    },
    end: () => log.end(dataSource),
  };
}

function toldOf(event: string, { id, state, total }: Order): Told {
  return event === 'order.removed' ? [event, id] : [event, id, state, total];
}

describe('processes that write tables with events, and are killed', () => {
  let program: string;
  let postgres: OwnPostgres;
  beforeAll(async () => {
    [program, postgres] = await Promise.all([
      bundleProgram('test/support/processes/table-writes.ts'),
      startDecodingPostgres(),
    ]);
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
      await own.query(ORDERS);
      await makeTriggers(place, url);
      const caller = await startTablesApp(place, url, { outbox: { worker: false } });
      let started = 0;
      const clients = CLIENTS[database];
      const start = async (at: number): Promise<void> => {
        const client = clients[(started + seed) % clients.length]!;
        const task: TableWritesTask = {
          database,
          client,
          url,
          rows: ROWS,
          seed: seed * 1000 + started++,
        };
        children[at] = startChild(program, JSON.stringify(task), await clientEnvironment(client));
      };
      try {
        await oracle.begin();
        await caller.app
          .get(Subscribers)
          .create({ url: receiver.url, events: ['order.*'], ordered: true });
        // On SQLite, another process that writes makes transactions fail which have only read by then.
        for (const at of [0, 1]) await start(at);
        for (let kill = 0; kill < KILLS; kill++) {
          const wanted = receiver.received.length + REQUESTS_BETWEEN;
          await receiver.waitFor(wanted, { timeout: PATIENCE });
          await children[kill % 2]!.end('SIGKILL');
          await start(kill % 2);
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
          const { type, data } = json as { readonly type: string; readonly data: Order };
          return toldOf(type, data);
        });
        const ofRow = (all: readonly Told[], row: number) => all.filter(([, id]) => id === row);
        for (let row = 1; row <= ROWS; row++)
          expect(ofRow(told, row)).toEqual(ofRow(expected, row));
        expect(told).toHaveLength(expected.length);
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
    240_000,
  );
});
