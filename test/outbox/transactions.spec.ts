import { Logger } from '@nestjs/common';
import { Column, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { idFrom } from '../../lib/outbox/tables/keys.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { checkDeliveries } from '../support/check-deliveries.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import { Article, openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const MESSAGES = `SELECT * FROM ${STORED_MESSAGES}`;
/** Codes with which PostgreSQL and MariaDB say that a transaction has to be repeated. */
const REPEATED = new Set(['40P01', '40001', 'ER_LOCK_DEADLOCK']);
const TREES = process.env['THORN_LONG'] === '1' ? 200 : 20;

let place: TestDatabase;
let receiver: ScriptedReceiver;
let rig: OutboxApp;

/** A page whose changes are events: writes by criteria read its rows before. */
@Entity()
@Webhooks<Page>({ payload: ({ title }) => ({ title }) })
@WebhookEvent<Page>('page.changed', { on: 'change' })
class Page {
  @PrimaryColumn()
  id!: number;

  @Column()
  title!: string;
}

async function open(kind: DatabaseKind): Promise<void> {
  place = await createDatabase(kind);
  rig = await openOutboxApp(place, { entities: [Article, Page] });
  await rig.subscribers.create(subscriber(receiver.url));
}

const article = (title: string) => Object.assign(new Article(), { title });
const titles = () =>
  receiver.received.map(({ json }) => (json as { data: { title: string } }).data.title).sort();
const finished = (count: number) => (rows: Record<string, unknown>[]) =>
  rows.length === count && rows.every(({ due_at: due }) => due === null);

beforeEach(async () => {
  receiver = await ScriptedReceiver.start();
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rig.close();
  await receiver.stop();
  await place.drop();
});

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'memory' }, { kind: 'postgres' }])(
  'transactions on $kind',
  ({ kind }) => {
    it('sends exactly the changes that survive trees of savepoints', async () => {
      await open(kind);
      const kept: string[] = [];
      for (let seed = 1; seed <= TREES; seed++) kept.push(...(await growTree(seed)));
      await rig.until(MESSAGES, finished(kept.length));
      expect(kept.length).toBeGreaterThan(TREES);
      expect(titles()).toEqual(kept.sort());
      const rows = await rig.rows('SELECT title FROM article ORDER BY title');
      expect(rows.map(({ title }) => title).sort()).toEqual(kept);
    });
  },
);

/** Makes a transaction with savepoints in savepoints, some of which are rolled back. @returns the titles that stay */
async function growTree(seed: number): Promise<readonly string[]> {
  const random = randomOf(seed);
  let count = 0;
  const grow = async (manager: EntityManager, depth: number): Promise<string[]> => {
    const kept: string[] = [];
    const steps = 1 + Math.floor(random() * 3);
    for (let step = 0; step < steps; step++) {
      const title = `${seed}-${++count}`;
      await manager.save(article(title));
      kept.push(title);
      if (depth === 3 || random() < 0.4) continue;
      const branch = manager.transaction((inner) => grow(inner, depth + 1));
      kept.push(...(await branch.catch(() => [])));
    }
    if (random() < 0.3) throw new Error('this branch is rolled back');
    return kept;
  };
  return rig.dataSource.transaction((manager) => grow(manager, 0)).catch(() => []);
}

/** A small generator (mulberry32), so that a seed makes the same tree everywhere. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('a server', () => {
  /** As an application would: again from the beginning, as long as the database says that it may work. */
  async function insist(
    isolation: 'READ COMMITTED' | 'SERIALIZABLE',
    work: (manager: EntityManager, attempt: number) => Promise<void>,
  ): Promise<readonly string[]> {
    const failures: string[] = [];
    for (let attempt = 1; ; attempt++) {
      try {
        await rig.dataSource.transaction(isolation, (manager) => work(manager, attempt));
        return failures;
      } catch (error) {
        const { code } = error as { code?: string };
        if (code === undefined || !REPEATED.has(code)) throw error;
        failures.push(code);
      }
    }
  }

  /** Resolves when everybody has come. */
  function meeting(count: number): () => Promise<void> {
    let come: () => void;
    const all = new Promise<void>((resolve) => (come = resolve));
    let missing = count;
    return () => {
      if (--missing === 0) come();
      return all;
    };
  }

  it('sends each event once, however often deadlocks restart its transaction', async () => {
    await open('postgres');
    const [one, two] = await rig.dataSource.manager.save([article('One'), article('Two')]);
    await rig.until(MESSAGES, finished(2));
    receiver.clear();
    const bothLocked = meeting(2);
    const lock = (manager: EntityManager, { id }: Article) =>
      manager.query('SELECT 1 FROM article WHERE id = $1 FOR UPDATE', [id]);
    const work = (name: string, first: Article, second: Article) =>
      insist('READ COMMITTED', async (manager, attempt) => {
        await manager.save(article(`${name} before`));
        await lock(manager, first);
        if (attempt === 1) await bothLocked();
        await lock(manager, second);
        await manager.save(article(`${name} after`));
      });
    const failures = await Promise.all([work('Ann', one!, two!), work('Ben', two!, one!)]);
    // Both may be told of one deadlock.
    expect(new Set(failures.flat())).toEqual(new Set(['40P01']));
    const rows = await rig.until(MESSAGES, finished(6));
    expect(titles()).toEqual(['Ann after', 'Ann before', 'Ben after', 'Ben before']);
    const ids = rows.map(({ id }) => idFrom('msg_', id, null));
    expect(checkDeliveries(receiver.received, ids)).toMatchObject({ duplicates: 0, unknown: [] });
  });

  it.each([
    { kind: 'postgres', how: 'update', code: '40P01' },
    { kind: 'postgres', how: 'save', code: '40P01' },
    { kind: 'mariadb', how: 'update', code: 'ER_LOCK_DEADLOCK' },
  ] as const)(
    'logs no error of ours for a deadlock of $how() on $kind that its caller is told of, and repeats',
    async ({ kind, how, code }) => {
      const errors = vi.spyOn(Logger.prototype, 'error').mockReturnValue();
      await open(kind);
      const write = (manager: EntityManager, id: number, title: string) =>
        how === 'save'
          ? manager.save(Page, { id, title })
          : manager.update(Page, { id }, { title });
      await rig.dataSource.manager.insert(
        Page,
        [1, 2].map((id) => ({ id, title: 'new' })),
      );
      const bothLocked = meeting(2);
      const work = (title: string, ids: readonly number[]) =>
        insist('READ COMMITTED', async (manager, attempt) => {
          await write(manager, ids[0]!, title);
          if (attempt === 1) await bothLocked();
          await write(manager, ids[1]!, title);
        });
      const failures = await Promise.all([work('Ann', [1, 2]), work('Ben', [2, 1])]);
      expect(new Set(failures.flat())).toEqual(new Set([code]));
      await rig.until(MESSAGES, finished(4));
      expect(titles()).toEqual(['Ann', 'Ann', 'Ben', 'Ben']);
      expect(errors.mock.calls).toEqual([]);
    },
  );

  it('sends each event once, however often transactions fail to serialise', async () => {
    await open('postgres');
    const WORKERS = 6;
    const everybodyHasRead = meeting(WORKERS);
    const failures = await Promise.all(
      Array.from({ length: WORKERS }, (_, worker) =>
        insist('SERIALIZABLE', async (manager, attempt) => {
          const before = await manager.count(Article);
          if (attempt === 1) await everybodyHasRead();
          await manager.save(article(`worker ${worker}, after ${before} others`));
        }),
      ),
    );
    expect(failures.flat().length).toBeGreaterThan(0);
    await rig.until(MESSAGES, finished(WORKERS));
    expect(new Set(titles().map((title) => title.split(',')[0])).size).toBe(WORKERS);
    // Each has seen those before it: none of the tries that failed was sent.
    const seen = titles().map((title) => Number(/after (\d)/.exec(title)![1]));
    expect(seen.sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(receiver.received).toHaveLength(WORKERS);
  });
});
