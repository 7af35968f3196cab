import { afterEach, describe, expect, it, vi } from 'vitest';
import { EventCatalogue } from '../../lib/event/index.js';
import { CursorExpiredError, EventHistory, type HistoryEvent } from '../../lib/dispatch/index.js';
import { formatHistoryCursor } from '../../lib/dispatch/history-cursor.js';
import { FIRST_KEY } from '../../lib/outbox/tables/keys.js';
import { seededRandom } from '../support/seeded-random.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import {
  type AppTransaction,
  type ClientOutbox,
  openClientOutbox,
} from '../support/apps/client-outbox.js';
import { Article, openOutboxApp, type OutboxApp } from '../support/apps/outbox-app.js';
import { bundleProgram, startChild } from '../services/child.js';
import { startOwnPostgres } from '../services/postgres.js';
import { CLIENT_DATABASES } from '../support/client-databases.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { printFigures } from '../support/print-figures.js';
import type { ClientTransactionsTask } from '../support/processes/client-transactions.js';
import { migrate } from '../support/sql-clients.js';
import { fileOf } from '../support/sqlite-clients.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const SEEDS = IS_LONG ? Array.from({ length: 20 }, (_, at) => at + 1) : [1];
const STEPS = IS_LONG ? 600 : 120;

/** The clients write a message when it is sent; on SQLite one transaction writes at a time. */
const PLACES = [
  { kind: 'file', client: undefined, open: 1 },
  { kind: 'postgres', client: 'pg', open: 6 },
  { kind: 'mariadb', client: 'mysql2/promise', open: 6 },
] as const;

describe.each(PLACES)('the history of events on $kind', ({ kind, client, open }) => {
  let place: TestDatabase;
  let app: ClientOutbox;
  let other: OutboxApp;
  let history: EventHistory;
  afterEach(async () => {
    await app.close();
    await other.close();
    await place.drop();
  });

  async function start(): Promise<void> {
    place = await createDatabase(kind);
    // A transaction may be open for longer than any lag.
    const options = { history: { lag: 1 }, worker: false };
    app = await openClientOutbox(place, { ...options, client });
    // On SQLite what is read waits for transactions of the same connection.
    other = await openOutboxApp(place, { ...options, synchronize: false });
    history = new EventHistory(other.strategy, new EventCatalogue(), other.clock);
  }

  it.each(SEEDS)(
    'has each message that was committed once, however transactions overlap, seed %i',
    async (seed) => {
      await start();
      const random = seededRandom(seed);
      const below = (count: number) => Math.floor(random() * count);
      const held: Held[] = [];
      const ended: Held[] = [];
      const readers = [new Reader(history, 'any'), new Reader(history, 'any', 'a.*')];
      let moments = 0;
      for (let step = 0; step < STEPS; step++) {
        const move = below(5);
        if (held.length < open && (move < 2 || held.length === 0)) {
          held.push(await Held.begin(app, ++moments));
        }
        const one = held[below(held.length)]!;
        if (move < 3) await one.send(app, ['a.x', 'b.y'][below(2)]!);
        else {
          held.splice(held.indexOf(one), 1);
          await one.end(below(3) > 0, ++moments);
          ended.push(one);
        }
        await readers[below(readers.length)]!.read(1 + below(4));
      }
      for (const one of held) await one.end(true, ++moments);
      ended.push(...held);
      const committed = ended.filter(({ isCommitted }) => isCommitted);
      for (const reader of readers) {
        const expected = committed.flatMap(({ sent }) => sent.filter((one) => reader.wants(one)));
        await reader.readAll(expected.length);
        const got = reader.items.map(({ id }) => id);
        expect(got.toSorted()).toEqual(expected.map(({ id }) => id).toSorted());
        // Whoever began after another's end comes after all of it.
        const places = new Map(got.map((id, at) => [id, at]));
        const rangeOf = ({ sent }: Held) =>
          sent.flatMap(({ id }) => places.get(id) ?? []).sort((x, y) => x - y);
        const early = committed.flatMap((first) =>
          committed
            .filter(({ beganAt }) => beganAt > first.endedAt)
            .filter((second) => rangeOf(second)[0]! < rangeOf(first).at(-1)!),
        );
        expect(early).toEqual([]);
      }
    },
  );
});

describe('a page of the history', () => {
  let place: TestDatabase;
  let app: OutboxApp;
  let history: EventHistory;

  async function start(kind: 'memory' | 'postgres'): Promise<void> {
    place = await createDatabase(kind);
    app = await openOutboxApp(place, { history: true, worker: false });
    history = new EventHistory(app.strategy, new EventCatalogue(), app.clock);
  }
  afterEach(async () => {
    await app.close();
    await place.drop();
  });

  it('ends early where few of many messages match, and leads on', async () => {
    await start('memory');
    const common = Array.from({ length: 6000 }, () => app.message({ event: 'a.x' }));
    await app.pipeline.send([...common, app.message({ event: 'b.y' })]);
    const first = await history.page({ event: 'b.*' }, 'any');
    expect(first).toMatchObject({ items: [], hasMore: true });
    const reader = new Reader(history, 'any', 'b.*');
    await reader.readAll(1);
    expect(reader.items).toMatchObject([{ event: 'b.y' }]);
  });

  it('ends where its bodies are many bytes', async () => {
    await start('memory');
    const large = Array.from({ length: 8 }, () => app.message({ data: 'x'.repeat(1_000_000) }));
    await app.pipeline.send(large);
    const { items, hasMore, next } = await history.page({}, 'any');
    expect({ count: items.length, hasMore }).toEqual({ count: 5, hasMore: true });
    const rest = await history.page({ after: next }, 'any');
    expect([...items, ...rest.items].map(({ id }) => id)).toEqual(large.map(({ id }) => id));
  });

  it('is refused within a transaction on SQLite, which it would wait for', async () => {
    await start('memory');
    for (const after of [null, 'now']) {
      const reading = app.dataSource.transaction(() => history.page({ after }, 'any'));
      await expect(reading).rejects.toThrow(/Read it before the transaction, or after it/);
    }
  });

  it('is refused to the cursor of another PostgreSQL cluster', async () => {
    await start('postgres');
    const place = { position: 2 ** 50, key: FIRST_KEY, time: app.clock.now() };
    const after = formatHistoryCursor(place, 'any');
    await expect(history.page({ after }, 'any')).rejects.toThrow(CursorExpiredError);
  });
});

it('the history of a PostgreSQL server that has crashed has what is sent afterwards', async () => {
  // What a rollback has written is gone with the crash, and so are the numbers of its transactions.
  const server = await startOwnPostgres('wal_writer_delay=10000');
  const place = { options: { type: 'postgres', url: server.url } } as const;
  const open = async (synchronize: boolean) => {
    const app = await openOutboxApp(place, { history: true, worker: false, synchronize });
    return { app, history: new EventHistory(app.strategy, new EventCatalogue(), app.clock) };
  };
  const before = await open(true);
  await before.app.pipeline.send([before.app.message()]);
  for (let at = 0; at < 5; at++) {
    const rolledBack = before.app.dataSource.transaction(async (manager) => {
      await manager.save(Object.assign(new Article(), { title: 'x' }));
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
  }
  // Work of the server itself, such as an ANALYZE, may hold a page up.
  const first = await vi.waitFor(async () => {
    const page = await before.history.page({}, 'any');
    expect(page.items).toHaveLength(1);
    return page;
  });
  const places = [first, await before.history.page({ after: 'now' }, 'any')];
  await before.app.close();
  await server.crash();
  const { app, history } = await open(false);
  const sent = Array.from({ length: 8 }, () => app.message());
  for (const one of sent) await app.pipeline.send([one]);
  for (const { next } of places) {
    const ids = async () => (await history.page({ after: next }, 'any')).items.map(({ id }) => id);
    await expect.poll(ids).toEqual(sent.map(({ id }) => id));
  }
  await app.close();
  await server.stop();
});

const KILLS = 12;
const OF_PROCESSES = { file: 'Knex on SQLite', postgres: 'pg', mariadb: 'mysql2/promise' } as const;

describe.each(IS_LONG ? PLACES : [])(
  'the history of processes that are killed, on $kind',
  ({ kind }) => {
    it('has each message that was committed once', { timeout: 600_000 }, async () => {
      const client = OF_PROCESSES[kind];
      const database = CLIENT_DATABASES.find(({ kinds }) =>
        kinds.some(({ name }) => name === client),
      )!;
      const [program, place, receiver] = await Promise.all([
        bundleProgram('test/support/processes/client-transactions.ts'),
        database.create(),
        ScriptedReceiver.start(),
      ]);
      await migrate(place.url);
      const asked = database.connect(place.url);
      await asked.query('CREATE TABLE purchase (id varchar(50) PRIMARY KEY, paid_by varchar(50))');
      await asked.query('CREATE TABLE beside (id varchar(50) PRIMARY KEY)');
      const settings = { history: { lag: 1000 }, worker: false, synchronize: false };
      const app = await openOutboxApp(
        {
          options:
            kind === 'file'
              ? { type: 'better-sqlite3', database: fileOf(place.url) }
              : { type: kind, url: place.url },
        },
        settings,
      );
      let seed = 0;
      const begin = () => {
        const task: ClientTransactionsTask = {
          ...{ client, url: place.url, receiver: receiver.url, pollInterval: 500 },
          ...{ seed: ++seed, transactions: 1000, history: settings.history },
        };
        return startChild(program, JSON.stringify(task));
      };
      const children = Array.from({ length: 3 }, begin);
      try {
        const random = seededRandom(1);
        const history = new EventHistory(app.strategy, new EventCatalogue(), app.clock);
        const readers = [new Reader(history, 'any'), new Reader(history, 'any', 'purchased')];
        for (let kill = 1; kill <= KILLS; kill++) {
          const count = kill * 60 + Math.floor(random() * 60);
          for (const reader of readers) await reader.readAll(count);
          const at = Math.floor(random() * children.length);
          await children[at]!.end('SIGKILL');
          children[at] = begin();
        }
        await Promise.all(children.map((child) => child.printed('done')));
        const committed = (await asked.query('SELECT id FROM purchase')).map(({ id }) =>
          String(id),
        );
        for (const reader of readers) {
          await reader.readAll(committed.length);
          const got = reader.items.map(({ body }) => (body as { data: { id: string } }).data.id);
          expect(got.toSorted()).toEqual(committed.toSorted());
        }
        printFigures(`history of killed processes on ${kind}`, { committed: committed.length });
      } finally {
        await Promise.all(children.map((child) => child.end('SIGKILL')));
        await app.close();
        await receiver.stop();
        await asked.end();
        await place.drop();
      }
    });
  },
);

/** A transaction that stays open until it is told to end. */
class Held {
  readonly sent: { readonly id: string; readonly event: string }[] = [];
  isCommitted = false;
  endedAt = 0;
  #tx!: AppTransaction;
  #work!: Promise<unknown>;
  #end!: (commit: boolean) => void;

  private constructor(readonly beganAt: number) {}

  static async begin(app: ClientOutbox, moment: number): Promise<Held> {
    const one = new Held(moment);
    const told = new Promise<boolean>((resolve) => (one.#end = resolve));
    await new Promise<void>((resolve, reject) => {
      one.#work = app
        .begin(async (tx) => {
          one.#tx = tx;
          resolve();
          if (!(await told)) throw new Error('rolled back');
        })
        .catch((error: unknown) => {
          reject(error);
          if ((error as Error).message !== 'rolled back') throw error;
        });
    });
    return one;
  }

  async send(app: ClientOutbox, event: string): Promise<void> {
    const message = app.message({ event });
    await this.#tx.send(message);
    this.sent.push({ id: message.id, event });
  }

  async end(commit: boolean, moment: number): Promise<void> {
    this.#end(commit);
    await this.#work;
    [this.isCommitted, this.endedAt] = [commit, moment];
  }
}

/** Somebody who follows `next`. */
class Reader {
  readonly items: HistoryEvent[] = [];
  #next: string | null = null;

  constructor(
    private readonly history: EventHistory,
    private readonly scope: 'any',
    private readonly pattern?: string,
  ) {}

  wants({ event }: { readonly event: string }): boolean {
    return this.pattern === undefined || event.startsWith('a.');
  }

  async read(limit: number): Promise<boolean> {
    const { items, next, hasMore } = await this.history.page(
      { after: this.#next, limit, ...(this.pattern !== undefined && { event: this.pattern }) },
      this.scope,
    );
    expect(items.length).toBeLessThanOrEqual(limit);
    this.items.push(...items);
    this.#next = next;
    return hasMore;
  }

  /** Reads on until it has so many: transactions of other databases on the server may hold it up. */
  async readAll(count: number): Promise<void> {
    await expect
      .poll(async () => {
        while (await this.read(100));
        return this.items.length;
      })
      .toBeGreaterThanOrEqual(count);
  }
}
