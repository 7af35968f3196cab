import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { DispatchStrategy } from '../lib/extending/index.js';
import { Subscribers, WebhookDispatcher } from '../lib/index.js';
import type { OutboxStrategy } from '../lib/outbox/index.js';
import { bundleProgram } from '../test/services/child.js';
import { makeTriggers, ORDERS, startTablesApp } from '../test/support/apps/tables-app.js';
import type { ClientDatabase, OwnConnection } from '../test/support/client-databases.js';
import { MARIADB_CLIENTS } from '../test/support/mariadb-clients.js';
import { SQL_CLIENTS } from '../test/support/sql-clients.js';
import { fileOf, SQLITE_WRITERS, SYNC_CLIENTS } from '../test/support/sqlite-clients.js';
import { median, reportFigure, reportRatio, reportValue } from './harness.js';
import { Services } from './outbox/services.js';
import { partsOf } from './parts.js';

const CHANGES = 20_000;
const COMMITS = 150;
const IDLE = 10_000;
const ROUNDS = 45;
const WRITES = 20;
const MANY = 1000;
/** Of 1,000 rows by one statement. On MariaDB triggers are by row. */
const MANY_GOALS = { postgres: 5, sqlite: 5, mysql: 8 };

type Place = Omit<ClientDatabase, 'create' | 'kinds'> & { readonly url: string };
interface Ground {
  place(database: ClientDatabase['database']): Promise<Place>;
}

/** Events of tables, whose triggers write changes down, on each database. @param wanted names of parts; all when there are none */
export async function run(wanted: readonly string[]): Promise<void> {
  const parts = partsOf<Ground>('tables', { worker, latency, idle, caller }, wanted);
  const services = new Services();
  try {
    for (const part of parts) {
      console.error(`-- ${part.name}`);
      await part.run({ place: (database) => placeOf(database, services) });
    }
  } finally {
    await services.stop();
  }
}

const DATABASES = ['postgres', 'mysql', 'sqlite'] as const;

async function placeOf(database: ClientDatabase['database'], services: Services): Promise<Place> {
  switch (database) {
    case 'postgres': {
      const { url } = (await services.postgres()) as { readonly url: string };
      const connect = () => {
        const pool = new pg.Pool({ connectionString: url, max: 1 });
        return {
          query: async (sql: string) => (await pool.query<Record<string, unknown>>(sql)).rows,
          end: () => pool.end(),
        };
      };
      return { database, writers: SQL_CLIENTS, url, connect };
    }
    case 'mysql': {
      const { url } = await services.mariadb();
      const connect = () => {
        const pool = mysql.createPool({ uri: url, connectionLimit: 1 });
        return {
          query: async (sql: string) => (await pool.query<mysql.RowDataPacket[]>(sql))[0],
          end: () => pool.end(),
        };
      };
      return { database, writers: MARIADB_CLIENTS, url, connect };
    }
    case 'sqlite': {
      const { database: file } = services.sqlite() as { readonly database: string };
      const url = `file:${file}`;
      const connect = () => {
        const db = new Database(fileOf(url));
        db.pragma('journal_mode = WAL');
        const prepared = new Map<string, Database.Statement<[], Record<string, unknown>>>();
        return {
          query: async (sql: string) => {
            // Once each, as clients do: to prepare a write compiles its triggers.
            const statement = prepared.get(sql) ?? db.prepare<[], Record<string, unknown>>(sql);
            prepared.set(sql, statement);
            return statement.reader ? statement.all() : (statement.run(), []);
          },
          end: async () => void db.close(),
        };
      };
      return { database, writers: SQLITE_WRITERS, url, connect };
    }
  }
}

/** Runs some work on a database with the table of orders. */
async function onEach(
  ground: Ground,
  work: (place: Place, own: OwnConnection) => Promise<void>,
): Promise<void> {
  for (const database of DATABASES) {
    const place = await ground.place(database);
    const own = place.connect(place.url);
    await own.query(ORDERS);
    await work(place, own).finally(() => own.end());
  }
}

const start = (place: Place, options: Parameters<typeof startTablesApp>[2] = {}) =>
  startTablesApp(place as never, place.url, {
    ...options,
    outbox: { pollInterval: 1000, ...options.outbox },
  });

/** Messages a second that are made of changes; their deliveries wait. */
async function worker(ground: Ground): Promise<void> {
  await onEach(ground, async (place, own) => {
    await makeTriggers(place as never, place.url);
    for (let at = 0; at < CHANGES; at += MANY) await own.query(insertion(at));
    const app = await start(place, { subscribers: { '*': { url: 'http://127.0.0.1:19090/' } } });
    await app.app.get<OutboxStrategy>(DispatchStrategy).pause('*');
    const since = performance.now();
    const before = await left(own);
    while ((await left(own)) > 0) await sleep(20);
    reportRatio(
      `tables.worker-${place.database}`,
      '1,000 messages a second',
      before / (performance.now() - since),
      5,
    );
    await app.close();
  });
}

/** From a commit to the arrival of its request: of another program, and of a transaction that sends a message as well. */
async function latency(ground: Ground): Promise<void> {
  const arrivals = new Map<string, number>();
  const server = createServer((request, response) => {
    const at = performance.now();
    let body = '';
    request
      .on('data', (chunk: Buffer) => (body += chunk.toString()))
      .on('end', () => {
        const { type, data } = JSON.parse(body) as { type: string; data: { total: number } };
        if (type === 'order.changed') arrivals.set(String(data.total), at);
        response.writeHead(204).end();
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await onEach(ground, async (place, own) => {
    await makeTriggers(place as never, place.url);
    await own.query("INSERT INTO orders VALUES (1, 'NEW', 0)");
    const app = await start(place);
    await app.app.get(Subscribers).create({ url, events: ['*'] });
    const dispatcher = app.app.get(WebhookDispatcher);
    const [kind] = place.writers;
    const measured = async (commit: (sql: string) => Promise<unknown>) => {
      const found: number[] = [];
      for (let n = 0; n < COMMITS; n++) {
        const total = `${n + 1}`;
        arrivals.clear();
        await commit(`UPDATE orders SET total = ${total} WHERE id = 1`);
        const committed = performance.now();
        while (!arrivals.has(total)) await sleep(1);
        // The first ones find code that is not compiled yet.
        if (n >= COMMITS / 5) found.push(Math.max(0, arrivals.get(total)! - committed));
        await sleep(20 + ((n * 37) % 110));
      }
      return found.sort((one, other) => one - other);
    };
    const outside = await measured((sql) => own.query(sql));
    const { database } = place;
    reportValue(`tables.latency-${database}`, median(outside), 'ms', 100);
    reportValue(
      `tables.latency-p99-${database}`,
      outside[Math.floor(outside.length * 0.99)]!,
      'ms',
      300,
    );
    await own.query('UPDATE orders SET total = 0');
    await sleep(500);
    const own_ = await measured((sql) =>
      app.client.begin(async (tx) => {
        await kind!.execute(tx, sql);
        await dispatcher.send('order.noted', {}, { tx });
      }),
    );
    reportValue(`tables.latency-own-${database}`, median(own_), 'ms', 10);
    await app.close();
  });
  server.close();
}

/** What a process with tables costs that has nothing to do: queries a second, and hundredths of a core. */
async function idle(ground: Ground): Promise<void> {
  await onEach(ground, async (place, own) => {
    await makeTriggers(place as never, place.url);
    const costs = async (tables?: []) => {
      const app = await start(place, tables === undefined ? {} : { tables });
      await sleep(2000);
      const before = [process.cpuUsage(), await queries(place, own), performance.now()] as const;
      await sleep(IDLE);
      const { user, system } = process.cpuUsage(before[0]);
      const seconds = (performance.now() - before[2]) / 1000;
      const found = {
        cpu: (user + system) / seconds / 10_000,
        queries: ((await queries(place, own)) - before[1]) / seconds,
      };
      await app.close();
      return found;
    };
    const [without, within] = [await costs([]), await costs()];
    reportValue(`tables.idle-cpu-${place.database}`, within.cpu - without.cpu, '% of a core', 1);
    if (place.database !== 'sqlite') {
      reportValue(
        `tables.idle-queries-${place.database}`,
        within.queries - without.queries,
        'a second',
        10,
      );
    }
  });
}

/** What the server has run so far. */
async function queries({ database }: Place, own: OwnConnection): Promise<number> {
  if (database === 'sqlite') return 0;
  // The figures of PostgreSQL are told once a second.
  await sleep(1200);
  const sql =
    database === 'postgres'
      ? 'SELECT xact_commit AS n FROM pg_stat_database WHERE datname = current_database()'
      : "SELECT VARIABLE_VALUE AS n FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'COM_SELECT'";
  return Number((await own.query(sql))[0]!['n']);
}

const STATES = ['none', 'unheard', 'heard', 'by hand'] as const;
type State = (typeof STATES)[number];

/** A client that runs some statements in a transaction of its own. */
interface Caller {
  write(statements: readonly string[]): Promise<unknown>;
  close(): Promise<unknown>;
}

/** The caller's time for a changed row in a transaction of its own, by each client, and for 1,000 rows by one statement. */
async function caller(ground: Ground): Promise<void> {
  for (const folder of ['prisma-7', 'drizzle']) {
    const workspace = join('test', 'clients', folder);
    const entry = join(workspace, 'open.ts');
    // There its packages are found.
    const opener = await bundleProgram(entry, {}, join(workspace, '.cache'));
    process.env[`THORN_TEST_${folder}`] = opener;
  }
  for (const database of DATABASES) {
    const places = new Map<State, Place>();
    const owns = new Map<State, OwnConnection>();
    for (const state of STATES) {
      const place = await ground.place(database);
      const own = place.connect(place.url);
      await own.query(ORDERS);
      if (state === 'unheard' || state === 'heard') await makeTriggers(place as never, place.url);
      if (state === 'unheard')
        await own.query("INSERT INTO thorn_captured_tables VALUES ('orders', FALSE, '[]')");
      if (state === 'by hand') await own.query(OUTBOX);
      await own.query(insertion(0));
      places.set(state, place);
      owns.set(state, own);
    }
    for (const client of ['driver', 'prisma', 'drizzle', 'typeorm'] as const) {
      const callers = new Map<State, Caller>();
      for (const [state, place] of places) callers.set(state, await openCaller(client, place));
      const times = await inTurn(callers, WRITES, (n, state) => changed(n, state === 'by hand'));
      for (const one of callers.values()) await one.close();
      reportOne(client === 'driver' ? database : `${database}-${client}`, times);
    }
    const callers = new Map([...owns].map(([state, own]) => [state, driverOf(own)]));
    const times = await inTurn(callers, 1, () => ['UPDATE orders SET total = total + 1']);
    reportMany(database, times);
    for (const own of owns.values()) await own.end();
  }
}

async function openCaller(
  client: 'driver' | 'prisma' | 'drizzle' | 'typeorm',
  place: Place,
): Promise<Caller> {
  if (client === 'driver') {
    const own = place.connect(place.url);
    return { ...driverOf(own), close: () => own.end() };
  }
  if (client === 'typeorm') {
    const at =
      place.database === 'sqlite'
        ? { type: 'better-sqlite3' as const, database: fileOf(place.url) }
        : { type: place.database, url: place.url };
    const source = await new DataSource(at).initialize();
    const write = (statements: readonly string[]) =>
      source.transaction(async (manager) => {
        for (const sql of statements) await manager.query(sql);
      });
    return { write, close: () => source.destroy() };
  }
  const name = client === 'prisma' ? 'Prisma 7' : 'Drizzle 0.45';
  if (client === 'drizzle' && place.database === 'sqlite') {
    const opened = await SYNC_CLIENTS.find((one) => one.name === name)!.open(place.url);
    return {
      write: async (statements) =>
        opened.transaction((tx) => statements.forEach((sql) => opened.execute(tx, sql))),
      close: async () => opened.close(),
    };
  }
  const kind = place.writers.find((one) => one.name.startsWith(name))!;
  const opened = await kind.open(place.url, 1);
  const write = (statements: readonly string[]) =>
    opened.begin(async (tx) => {
      for (const sql of statements) await kind.execute(tx, sql);
    });
  return { write, close: () => opened.close() };
}

function driverOf(own: OwnConnection): Caller {
  const write = async (statements: readonly string[]) => {
    for (const sql of ['BEGIN', ...statements, 'COMMIT']) await own.query(sql);
  };
  return { write, close: async () => undefined };
}

/** Milliseconds of each write, round by round in turn, so that a disturbance of the machine meets all states. */
async function inTurn(
  callers: ReadonlyMap<State, Caller>,
  writes: number,
  statements: (n: number, state: State) => readonly string[],
): Promise<(state: State) => number> {
  const found = new Map<State, number[]>(STATES.map((state) => [state, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [state, { write }] of callers) {
      for (let n = 0; n < writes; n++) {
        const made = statements(n, state);
        const since = performance.now();
        await write(made);
        found.get(state)!.push(performance.now() - since);
      }
    }
  }
  return (state) => median(found.get(state)!);
}

function reportOne(place: string, times: (state: State) => number): void {
  const all = STATES.map((state) => `${state} ${times(state).toFixed(3)}`);
  console.error(`${place}: ${all.join(', ')} ms`);
  const against = (of: State, goal: number) =>
    reportRatio(
      `tables.${of}-${place}`,
      'the same write',
      times(of) / times('none'),
      goal,
      'at most',
    );
  against('heard', 1.5);
  against('unheard', 1.1);
  const byHand = times('heard') / times('by hand');
  reportRatio(`tables.by-hand-${place}`, 'an outbox by hand', byHand, 0.6, 'at most');
}

function reportMany(database: ClientDatabase['database'], times: (state: State) => number): void {
  const heard = times('heard') / times('none');
  const goal = MANY_GOALS[database];
  reportRatio(`tables.many-heard-${database}`, 'the same write', heard, goal, 'at most');
  const unheard = times('unheard') / times('none');
  if (database === 'postgres')
    reportRatio(`tables.many-unheard-${database}`, 'the same write', unheard, 1.3, 'at most');
  else reportFigure(`tables.many-unheard-${database}`, unheard, 'times the same write');
}

/** A changed row, and what a team without triggers writes beside it. */
function changed(n: number, isByHand: boolean): readonly string[] {
  const update = `UPDATE orders SET total = total + 1 WHERE id = ${1 + n}`;
  if (!isByHand) return [update];
  const body = `{"id":${n},"state":"NEW","total":${n}}`;
  return [update, `INSERT INTO outbox (id, body) VALUES ('${randomUUID()}', '${body}')`];
}

const OUTBOX = 'CREATE TABLE outbox (id varchar(36) PRIMARY KEY, body varchar(1000) NOT NULL)';

function insertion(from: number): string {
  const rows = Array.from({ length: MANY }, (_, at) => `(${from + at + 1}, 'NEW', ${at})`);
  return `INSERT INTO orders VALUES ${rows.join(', ')}`;
}

async function left(own: OwnConnection): Promise<number> {
  return Number((await own.query('SELECT COUNT(*) AS n FROM thorn_changes'))[0]!['n']);
}
