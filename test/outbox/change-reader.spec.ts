import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type EventPlan } from '../../lib/capture/plan/event-plan.js';
import { ReportedTables } from '../../lib/capture/index.js';
import type { ReportedChange } from '../../lib/database/triggers/reported-table.js';
import type { Message } from '../../lib/message/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import type { FreshDatabase } from '../services/database.js';
import { openClientOutbox } from '../support/apps/client-outbox.js';
import { type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { CLIENT_DATABASES, type OwnConnection } from '../support/client-databases.js';
import { migrate } from '../support/sql-clients.js';

interface Row {
  readonly id: number;
  readonly n: number;
}

/** Tells of each row what a transaction did to it; of one with a negative number it cannot. */
class Counters extends ReportedTables {
  readonly tables = [{ name: 'counters', key: ['id'], omit: [] }];
  isHeard = true;
  isPositive = (n: number) => n >= 0;
  /** What a set waits for. */
  wait: () => Promise<unknown> | undefined = () => undefined;
  /** Called with each set. */
  seen: (changes: readonly ReportedChange[]) => void = () => undefined;

  constructor(private readonly message: OutboxApp['message']) {
    super();
  }

  describe(): void {}

  columnsOf(): readonly [] {
    return [];
  }

  eventsOf(): readonly EventPlan[] {
    return [{ name: 'counter.changed' } as EventPlan];
  }

  mayBeHeard(): boolean {
    return this.isHeard;
  }

  async messagesOf(changes: readonly ReportedChange[]): Promise<readonly Message[]> {
    this.seen(changes);
    await this.wait();
    const units = new Map<string, ReportedChange[]>();
    for (const change of changes) {
      const { id } = (change.after ?? change.before) as unknown as Row;
      const key = change.transaction === null ? change.id : `${change.transaction} ${id}`;
      const unit = units.get(key);
      if (unit === undefined) units.set(key, [change]);
      else unit.push(change);
    }
    return [...units.values()].map((unit) => {
      const { id, n } = (unit.at(-1)!.after ?? unit.at(-1)!.before) as unknown as Row;
      if (!this.isPositive(n)) throw new Error('Numbers are positive');
      const from = (unit[0]!.before as unknown as Row | null)?.n ?? null;
      return this.message({
        event: 'counter.changed',
        data: { id, from, to: n },
        orderBy: { key: `c:${id}` },
      });
    });
  }
}

interface Told {
  readonly id: number;
  readonly from: number | null;
  readonly to: number;
}

describe.each(CLIENT_DATABASES)('what reads changes on $database', (place) => {
  const { database } = place;
  const isPostgres = database === 'postgres';
  let fresh: FreshDatabase;
  let own: OwnConnection;
  let receiver: ScriptedReceiver;
  const apps: OutboxApp[] = [];

  beforeEach(async () => {
    fresh = await place.create();
    await migrate(fresh.url);
    own = place.connect(fresh.url);
    receiver = await ScriptedReceiver.start();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    for (const app of apps.splice(0)) await app.close();
    await own.end();
    await receiver.stop();
    await fresh.drop();
  });

  async function start(
    options: Parameters<typeof openClientOutbox>[1] = {},
    changes: Parameters<typeof subscriber>[1] = {},
  ) {
    const [kind] = place.writers;
    let tables!: Counters;
    const type = { postgres: 'postgres', mysql: 'mariadb', sqlite: 'better-sqlite3' }[database];
    const at =
      database === 'sqlite' ? { database: fresh.url.replace(/^file:/, '') } : { url: fresh.url };
    const app = await openClientOutbox(
      { options: { type, ...at } as never },
      {
        ...(database === 'sqlite' ? {} : { client: kind!.name }),
        ...{ synchronize: false, leavesOutUnheard: true },
        reported: ({ message }) => (tables = new Counters(message)),
        ...options,
      },
    );
    apps.push(app);
    await app.subscribers.create(subscriber(receiver.url, changes));
    return { app, tables };
  }
  /** Writes changes as a trigger does. */
  const write = (
    changes: readonly (readonly [tx: number, id: number, from: number | null, to: number | null])[],
  ) => {
    const row = (id: number, n: number | null) => (n === null ? 'NULL' : `'{"id":${id},"n":${n}}'`);
    const rows = changes.map(
      ([tx, id, from, to]) =>
        `(${isPostgres ? tx : 'NULL'}, 'counters', ${row(id, from)}, ${row(id, to)})`,
    );
    return own.query(
      `INSERT INTO thorn_changes (tx, source, old_row, new_row) VALUES ${rows.join(', ')}`,
    );
  };
  const told = () => receiver.received.map(({ json }) => (json as { data: Told }).data);
  const left = () =>
    own.query('SELECT id, source, fault, failed_at FROM thorn_changes ORDER BY id');

  const emptied = () => vi.waitFor(async () => expect(await left()).toEqual([]));
  const ofRow = (id: number) =>
    told()
      .filter((one) => one.id === id)
      .map(({ to }) => to);

  it('sends each change once, in the order of its row', async () => {
    await start({}, { ordered: true });
    for (let n = 1; n <= 20; n++)
      await write([
        [n, 1, n - 1, n],
        [n, 2, n - 1, n],
      ]);
    await receiver.waitFor(40);
    await emptied();
    const numbers = Array.from({ length: 20 }, (_, at) => at + 1);
    expect([ofRow(1), ofRow(2)]).toEqual([numbers, numbers]);
  });

  it('tells what a transaction did to a row, however large it is', async () => {
    const ids = Array.from({ length: 1500 }, (_, at) => at + 1);
    // Another transaction, which is committed first, is among them.
    await write([
      ...ids.map((id) => [7, id, null, 1] as const),
      [8, 0, null, 1],
      ...ids.map((id) => [7, id, 1, 2] as const),
      [8, 0, 1, 2],
    ]);
    await start();
    await receiver.waitFor(isPostgres ? 1501 : 3002);
    await emptied();
    const expected = [0, ...ids].flatMap((id) =>
      isPostgres
        ? [{ id, from: null, to: 2 }]
        : [
            { id, from: null, to: 1 },
            { id, from: 1, to: 2 },
          ],
    );
    const sorted = told().toSorted((one, other) => one.id - other.id || one.to - other.to);
    expect(sorted).toEqual(expected);
  });

  it('lets a row that no message can be made of stand alone, and tries it again when asked', async () => {
    const error = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await write(
      Array.from({ length: 40 }, (_, at) => [at, at, null, at % 13 === 5 ? -1 : at + 1] as const),
    );
    const { app, tables } = await start();
    await receiver.waitFor(37);
    await vi.waitFor(async () => expect(await left()).toHaveLength(3));
    await write([[50, 5, -1, 1]]);
    await receiver.waitFor(38);
    expect(
      told()
        .map(({ id }) => id)
        .sort(),
    ).not.toContain(18);
    const kept = await left();
    expect(kept.map(({ fault }) => fault)).toEqual(Array(3).fill('Numbers are positive'));
    expect(await app.strategy.changes()).toEqual({ waiting: 0, failed: 3 });
    const lines = error.mock.calls.filter(([line]) => String(line).includes('thorn_changes'));
    expect(lines).toHaveLength(1);
    expect(lines[0]![0]).toContain('a change of counters');

    tables.isPositive = () => true;
    expect(await app.strategy.retryChanges()).toBe(3);
    await receiver.waitFor(41);
    await emptied();
  });

  // Elsewhere each change stands alone.
  it.each(isPostgres ? [70_000] : [])(
    'keeps all %d changes of a row in one transaction that no message can be made of',
    async (count) => {
      vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
      await own.query(
        `INSERT INTO thorn_changes (tx, source, old_row, new_row) SELECT 7, 'counters', '{"id":1,"n":0}', '{"id":1,"n":-1}' FROM generate_series(1, ${count})`,
      );
      await write([[8, 2, null, 1]]);
      await start();
      await receiver.waitFor(1);
      await vi.waitFor(async () => {
        const kept = await left();
        expect(kept).toHaveLength(count);
        expect(kept.every(({ fault }) => fault === 'Numbers are positive')).toBe(true);
      });
    },
  );

  it('repeats what the database does not let it do, and calls no row faulty', async () => {
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const { tables } = await start();
    let failures = 3;
    tables.seen = () => {
      if (failures-- > 0) throw Object.assign(new Error('canceling statement'), { code: '57014' });
    };
    await write([
      [1, 1, null, 1],
      [1, 2, null, 1],
    ]);
    await receiver.waitFor(2);
    await emptied();
    expect(
      told()
        .map(({ id }) => id)
        .sort(),
    ).toEqual([1, 2]);
  });

  it('works in one process alone, and another one goes on when that ends', async () => {
    const [one, other] = [await start(), await start()];
    const sets: string[] = [];
    one.tables.seen = () => sets.push('one');
    other.tables.seen = () => sets.push('other');
    for (let n = 1; n <= 10; n++) {
      await write([[n, n, null, n]]);
      await receiver.waitFor(n);
    }
    expect(new Set(sets).size).toBe(1);
    const [holder] = sets[0] === 'one' ? [one, other] : [other, one];
    apps.splice(apps.indexOf(holder.app), 1);
    await holder.app.close();
    await write([[11, 11, null, 11]]);
    await receiver.waitFor(11);
    expect(new Set(sets).size).toBe(2);
  });

  it('commits nothing once another process has its lease', async () => {
    const { tables } = await start({ lease: 2000 });
    let calls = 0;
    tables.seen = () => void calls++;
    await write([[1, 1, null, 1]]);
    await receiver.waitFor(1);
    const other = `UPDATE thorn_leases SET lease = 'another', due_at = ${Date.now() + 3000} WHERE name = 'changes'`;
    let isTaken: Promise<unknown> | undefined;
    const before = calls;
    const taken = new Promise<void>((resolve) => {
      tables.seen = () => {
        calls++;
        isTaken ??= own.query(other).then(() => resolve());
      };
    });
    tables.wait = () => isTaken;
    await write([[2, 2, null, 2]]);
    await taken;
    const since = performance.now();
    await receiver.waitFor(2);
    expect(performance.now() - since).toBeGreaterThan(1500);
    expect(calls - before).toBe(2);
    expect(ofRow(2)).toEqual([2]);
  });

  it('leaves the changes of tables to others that it knows nothing of', async () => {
    await own.query("INSERT INTO thorn_changes (source, new_row) VALUES ('others', '{}')");
    await start();
    await write([[1, 1, null, 1]]);
    await receiver.waitFor(1);
    await vi.waitFor(async () => expect(await left()).toHaveLength(1));
    expect(await left()).toMatchObject([{ source: 'others', fault: null }]);
  });
});
