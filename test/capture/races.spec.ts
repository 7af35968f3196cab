import {
  Column,
  DeleteDateColumn,
  Entity,
  type EntityManager,
  ManyToOne,
  PrimaryColumn,
  type QueryRunner,
} from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';
import { isWaiting, openTransaction, waitsOrEnds } from '../support/apps/lock-waits.js';

const became = { state: { nowEq: 'b' } } as const;

abstract class Base {
  @PrimaryColumn() id!: number;
  @Column({ type: 'varchar', length: 9 }) state!: string;
  @DeleteDateColumn() deletedAt!: Date | null;
}

const show = ({ id, state }: Base): string => `${id} ${state}`;

/** Its events need its own columns alone. */
@Entity('plain')
@Webhooks<Plain>({ payload: show })
@WebhookEvent<Plain>('created', { on: 'create' })
@WebhookEvent<Plain>('changed', { on: 'change' })
@WebhookEvent<Plain>('removed', { on: 'delete' })
class Plain extends Base {}

/** One of its events compares a row with what it was. */
@Entity('compared')
@Webhooks<Compared>({ payload: show })
@WebhookEvent<Compared>('created', { on: 'create' })
@WebhookEvent<Compared>('changed', { on: 'change' })
@WebhookEvent<Compared>('became', { on: 'change', when: became })
@WebhookEvent<Compared>('removed', { on: 'delete' })
class Compared extends Base {}

@Entity('shelf')
class Shelf {
  @PrimaryColumn() id!: number;
}

/** Its events need a relation. */
@Entity('related')
@Webhooks<Related>({ payload: show, relations: ['shelf'] })
@WebhookEvent<Related>('created', { on: 'create' })
@WebhookEvent<Related>('changed', { on: 'change' })
@WebhookEvent<Related>('became', { on: 'change', when: became })
@WebhookEvent<Related>('removed', { on: 'delete' })
class Related extends Base {
  @ManyToOne(() => Shelf, { nullable: true }) shelf!: Shelf | null;
}

const ENTITIES = [Plain, Compared, Related] as const;
type AnyRow = (typeof ENTITIES)[number];

/** What another transaction has done to the row 1 and not committed yet. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  'inserts it as a': [`INSERT INTO t (id, state) VALUES (1, 'a')`],
  'inserts it as b': [`INSERT INTO t (id, state) VALUES (1, 'b')`],
  'updates it': [`UPDATE t SET state = 'b' WHERE id = 1`],
  'updates it to what it is': [`UPDATE t SET state = 'a' WHERE id = 1`],
  'deletes it': ['DELETE FROM t WHERE id = 1'],
  'replaces it by a': ['DELETE FROM t WHERE id = 1', `INSERT INTO t (id, state) VALUES (1, 'a')`],
  'replaces it by b': ['DELETE FROM t WHERE id = 1', `INSERT INTO t (id, state) VALUES (1, 'b')`],
  'removes it softly': [`UPDATE t SET "deletedAt" = CURRENT_TIMESTAMP WHERE id = 1`],
};

type Write = (manager: EntityManager, of: AnyRow, loaded: Base) => Promise<unknown>;
type Writes = Readonly<Record<string, Write>>;

const VALUES = [
  { id: 1, state: 'b' },
  { id: 2, state: 'b' },
];

/** Writes that skip or update the row if it is there. */
const UPSERTS: Writes = {
  'insert().orIgnore()': (manager, of) => insertion(manager, of).orIgnore().execute(),
  'insert().orUpdate()': (manager, of) =>
    insertion(manager, of).orUpdate(['state'], ['id']).execute(),
  'upsert()': (manager, of) => manager.upsert(of, copies(VALUES), ['id']),
  'upsert() of one row': (manager, of) => manager.upsert(of, copies(VALUES)[0]!, ['id']),
};

const BY_CRITERIA: Writes = {
  'update()': (manager, of) => manager.update(of, { id: 1 }, { state: 'b' }),
  'update() by another column': (manager, of) => manager.update(of, { state: 'a' }, { state: 'b' }),
  'delete()': (manager, of) => manager.delete(of, { id: 1 }),
  'delete() by another column': (manager, of) => manager.delete(of, { state: 'a' }),
  'softDelete()': (manager, of) => manager.softDelete(of, { id: 1 }),
  'restore()': (manager, of) => manager.restore(of, { id: 1 }),
};

/** Several writes of one transaction. */
const SEVERAL: Writes = {
  'insert().orIgnore(), and a delete()': (manager, of) =>
    manager.transaction(async (inner) => {
      await insertion(inner, of).orIgnore().execute();
      await inner.delete(of, { id: 1 });
    }),
  'insert().orIgnore(), and a remove()': (manager, of) =>
    manager.transaction(async (inner) => {
      await insertion(inner, of).orIgnore().execute();
      await inner.remove(await inner.findBy<Base>(of, { id: 1 }));
    }),
  'upsert(), and an update() back': (manager, of) =>
    manager.transaction(async (inner) => {
      await inner.upsert(of, copies(VALUES), ['id']);
      await inner.update(of, { id: 1 }, { state: 'a' });
    }),
};

/** Writes of a row that was loaded: it has to be there before. */
const SAVES: Writes = {
  'save()': (manager, of, loaded) => manager.save(of, { ...loaded, state: 'b' }),
  'remove()': (manager, _, loaded) => manager.remove(loaded),
  'softRemove()': (manager, _, loaded) => manager.softRemove(loaded),
};

function copies(values: typeof VALUES): typeof VALUES {
  return values.map((one) => ({ ...one }));
}

function insertion(manager: EntityManager, of: AnyRow) {
  return manager.createQueryBuilder().insert().into<Base>(of).values(copies(VALUES));
}

const SERVERS = {
  postgres: [Plain, Related],
  'postgres before 18': [Compared],
  mariadb: [Compared],
} as const;

describe.each(Object.entries(SERVERS))('a write that meets another one, on %s', (server, types) => {
  const kind = server === 'mariadb' ? 'mariadb' : 'postgres';
  let rig: CaptureApp;
  const query = <Rows>(text: string) => rig.dataSource.query<Rows>(text);

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Shelf, ...ENTITIES]);
    if (server === 'postgres before 18') olden(rig);
    await installAudit(rig);
  });
  afterAll(() => rig.close());

  const sql = (text: string, of: AnyRow): string =>
    text.replaceAll(/\bt\b/g, of.name.toLowerCase()).replaceAll('"', isMariadb(rig) ? '`' : '"');

  const storedAgain = async (of: AnyRow): Promise<Base> => {
    await query(sql('DELETE FROM t', of));
    await query(sql(`INSERT INTO t (id, state) VALUES (1, 'a')`, of));
    rig.received();
    return rig.dataSource.manager.findOneByOrFail<Base>(of, { id: 1 });
  };

  /** Lets a write begin while another transaction has written the row, and that one commit when the write waits for it. */
  const race = async (of: AnyRow, other: string, write: Write): Promise<string> => {
    const loaded = await storedAgain(of);
    if (!hasRow(other)) await query(sql('DELETE FROM t', of));
    await query('DELETE FROM audit');
    const { runner, commit } = await openTransaction(rig.dataSource);
    for (const statement of OTHERS[other]!) await runner.query(sql(statement, of));
    const connection = await idOf(runner, rig);
    const writing = write(rig.dataSource.manager, of, loaded);
    await waitsOrEnds(rig.dataSource, writing).finally(commit);
    await writing.catch((error: unknown) => {
      // Refused: the audit has nothing of it.
      const isUnclear = (error as { readonly code?: unknown }).code === 'THORN_WRITE_UNCLEAR';
      if (!isUnclear || hasRow(other)) throw error;
    });
    return connection;
  };

  /** What the database says that the transactions of other connections than one have made of each row. */
  const committed = async (of: AnyRow, connection: string): Promise<string[]> => {
    const rows = await query<{ id: number; old: string | null; now: string | null }[]>(
      `SELECT id, old_row AS old, new_row AS now FROM audit WHERE connection <> ${connection} ORDER BY at`,
    );
    const changes = new Map<number, Change>();
    for (const { id, old, now } of rows) {
      const was = changes.get(id)?.was;
      changes.set(id, { was: was === undefined ? seen(old) : was, last: seen(old), is: seen(now) });
    }
    return [...changes].flatMap(([id, change]) => eventsOf(of, id, change)).sort();
  };

  describe.each(types)('%o', (of) => {
    describe.each(Object.keys(OTHERS))('that %s', (other) => {
      const all = { ...UPSERTS, ...BY_CRITERIA, ...(hasRow(other) ? SAVES : {}) };
      it.each(Object.entries({ ...all, ...SEVERAL }))(
        'sends what was committed: %s',
        async (_, write) => {
          const connection = await race(of, other, write);
          expect(rig.received().sort()).toEqual(await committed(of, connection));
        },
      );

      if (kind === 'postgres') return;
      it.each(Object.entries(UPSERTS))('does not fail in a transaction: %s', async (_, write) => {
        const [found] = await query<{ on: number }[]>('SELECT @@innodb_snapshot_isolation AS `on`');
        expect(Number(found!.on)).toBe(1);
        await race(of, other, (manager, ...row) =>
          manager.transaction((inner) => write(inner, ...row)),
        );
        const row = await rig.dataSource.manager.findOneBy<Base>(of, { state: 'b' });
        expect(row !== null || other === 'removes it softly').toBe(true);
      });
    });

    if (kind === 'mariadb') return;
    it.each(Object.entries(SAVES))(
      'sends what was committed when the row is gone, and inserted before the statement: %s',
      async (name, write) => {
        // Its statement answers the row.
        if (server === 'postgres' && name === 'save()') return;
        const { dataSource } = rig;
        const loaded = await storedAgain(of);
        const { runner, commit } = await openTransaction(dataSource);
        await runner.query(sql('DELETE FROM t', of));
        const between = async () => {
          await vi.waitUntil(() => isWaiting(dataSource), { interval: 3 });
          await commit();
          await vi.waitUntil(async () => !(await isWaiting(dataSource)), { interval: 3 });
          await query(sql(`INSERT INTO t (id, state) VALUES (1, 'a')`, of));
          await query('DELETE FROM audit');
        };
        let once: Promise<void> | undefined;
        const gate = () => (once ??= between());
        const hooks = { beforeUpdate: gate, beforeRemove: gate, beforeSoftRemove: gate };
        dataSource.subscribers.push(hooks);
        try {
          await write(dataSource.manager, of, loaded);
        } finally {
          dataSource.subscribers.splice(dataSource.subscribers.indexOf(hooks), 1);
        }
        expect(rig.received().sort()).toEqual(await committed(of, '0'));
      },
    );
  });
});

it('a transaction that MariaDB has ended by itself sends nothing, and is refused', async () => {
  const rig = await openCaptureApp('mariadb', [Shelf, ...ENTITIES]);
  const { manager } = rig.dataSource;
  await manager.insert(Plain, copies(VALUES));
  rig.received();
  let removed = 0;
  const cross = (first: number, second: number) =>
    manager.transaction(async (inner) => {
      await inner.remove(await inner.findOneByOrFail(Plain, { id: first }));
      removed++;
      await expect.poll(() => removed).toBe(2);
      // One of the two is the victim, and goes on.
      await inner.query(`SELECT id FROM plain WHERE id = ${second} FOR UPDATE`).catch(() => {});
      await inner.query('SELECT 1');
    });
  const results = await Promise.allSettled([cross(1, 2), cross(2, 1)]);
  const left = await manager.find(Plain);
  const received = rig.received();
  await rig.close();

  expect(results.filter(({ status }) => status === 'rejected')).toMatchObject([
    { reason: { code: 'THORN_TRANSACTION_ENDED' } },
  ]);
  expect(left).toHaveLength(1);
  expect(received).toEqual([`removed "${3 - left[0]!.id} b"`]);
});

it('writes of a nested transaction that MariaDB has ended are not made, one after the other', async () => {
  const rig = await openCaptureApp('mariadb', [Shelf, ...ENTITIES]);
  const { manager } = rig.dataSource;
  await manager.insert(
    Plain,
    [1, 2, 3, 4].map((id) => ({ id, state: 'b' })),
  );
  rig.received();
  let locked = 0;
  const cross = (first: number, second: number) =>
    manager.transaction(async (outer) => {
      await outer.query(`SELECT id FROM plain WHERE id = ${first} FOR UPDATE`);
      locked++;
      await expect.poll(() => locked).toBe(2);
      await outer.transaction((inner) =>
        Promise.all([
          inner.delete(Plain, { id: second }),
          inner.delete(Plain, { id: first + 2 }),
          inner.insert(Plain, { id: first + 4, state: 'n' }),
        ]),
      );
    });
  const results = await Promise.allSettled([cross(1, 2), cross(2, 1)]);
  const left = (await manager.find(Plain, { order: { id: 'ASC' } })).map(({ id }) => id);
  const received = rig.received().sort();
  await rig.close();

  const kept = results.findIndex(({ status }) => status === 'fulfilled') + 1;
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  // The other one has removed what the first had locked, and its own.
  expect(left).toEqual([kept, 5 - kept, kept + 4].sort());
  expect(received).toEqual([
    `created "${kept + 4} n"`,
    ...[3 - kept, kept + 2].sort().map((id) => `removed "${id} b"`),
  ]);
});

/** Tells whether the row is there before another transaction writes it. */
function hasRow(other: string): boolean {
  return !other.startsWith('inserts');
}

function isMariadb({ dataSource }: CaptureApp): boolean {
  return dataSource.options.type === 'mariadb';
}

/** The database's own id of a connection. */
async function idOf(runner: QueryRunner, rig: CaptureApp): Promise<string> {
  const sql = `SELECT ${isMariadb(rig) ? 'CONNECTION_ID()' : 'pg_backend_pid()'} AS id`;
  const [found] = (await runner.query(sql)) as [{ readonly id: unknown }];
  return String(found.id);
}

interface Seen {
  readonly state: string;
  readonly isRemoved: boolean;
}

/** What a transaction has made of a row. */
interface Change {
  readonly was: Seen | null;
  /** Before its last statement. */
  readonly last: Seen | null;
  readonly is: Seen | null;
}

function seen(row: string | null): Seen | null {
  if (row === null) return null;
  const [state, isRemoved] = row.split(' ') as [string, string];
  return { state, isRemoved: isRemoved === '1' };
}

function eventsOf(of: AnyRow, id: number, { was, last, is }: Change): string[] {
  const isThere = (row: Seen | null): row is Seen => row?.isRemoved === false;
  if (!isThere(was)) return isThere(is) ? [`created "${id} ${is.state}"`] : [];
  if (!isThere(is)) return [`removed "${id} ${last!.state}"`];
  if (was.state === is.state) return [];
  const became = of === Plain || is.state !== 'b' ? [] : [`became "${id} b"`];
  return [...became, `changed "${id} ${is.state}"`];
}

/** Lets triggers write down what becomes of rows. */
async function installAudit(rig: CaptureApp): Promise<void> {
  const { dataSource } = rig;
  const isOnMariadb = isMariadb(rig);
  const self = isOnMariadb ? 'CONNECTION_ID()' : 'pg_backend_pid()';
  const run = (text: string) => dataSource.query(text);
  const row = (of: string): string =>
    isOnMariadb
      ? `CONCAT(${of}.state, ' ', ${of}.\`deletedAt\` IS NOT NULL)`
      : `${of}.state || ' ' || (${of}."deletedAt" IS NOT NULL)::int`;
  const serial = isOnMariadb ? 'INT AUTO_INCREMENT PRIMARY KEY' : 'serial';
  await run(
    `CREATE TABLE audit (at ${serial}, id int, old_row varchar(20), new_row varchar(20), connection bigint)`,
  );
  if (!isOnMariadb) {
    await run(`CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO audit (id, old_row, new_row, connection) SELECT COALESCE(NEW.id, OLD.id),
        CASE WHEN TG_OP <> 'INSERT' THEN ${row('OLD')} END,
        CASE WHEN TG_OP <> 'DELETE' THEN ${row('NEW')} END, ${self};
      RETURN NULL;
    END $$`);
  }
  for (const of of ENTITIES) {
    const table = of.name.toLowerCase();
    for (const [on, old, now] of [
      ['INSERT', 'NULL', row('NEW')],
      ['UPDATE', row('OLD'), row('NEW')],
      ['DELETE', row('OLD'), 'NULL'],
    ] as const) {
      await run(
        isOnMariadb
          ? `CREATE TRIGGER audit_${table}_${on} AFTER ${on} ON ${table} FOR EACH ROW
              INSERT INTO audit (id, old_row, new_row, connection)
              VALUES (${on === 'DELETE' ? 'OLD' : 'NEW'}.id, ${old}, ${now}, ${self})`
          : `CREATE TRIGGER audit_${on} AFTER ${on} ON ${table} FOR EACH ROW EXECUTE FUNCTION audit()`,
      );
    }
  }
}

/** Lets TypeORM and the capture believe that a server is of an older version. */
function olden({ dataSource, capture }: CaptureApp): void {
  capture.detach();
  (dataSource.driver as { version?: string }).version = '17.5';
  capture.attach();
}
