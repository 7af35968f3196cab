import { setTimeout as passes } from 'node:timers/promises';
import { Column, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { SystemClock } from '../../lib/common/time.js';
import { idFrom } from '../../lib/outbox/tables/keys.js';
import { DatabaseSubscriberRepository } from '../../lib/subscriber/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { ThornSubscriber } from '../../lib/typeorm/index.js';
import { Article, openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import type { OverlappingTask } from '../support/processes/overlapping.js';
import { bundleProgram, startChild } from '../services/child.js';
import { printFigures } from '../support/print-figures.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const SEEDS = IS_LONG ? 30 : 4;
const TASKS = 40;
const KILLS = IS_LONG ? 20 : 2;
const MESSAGES = `SELECT * FROM ${STORED_MESSAGES}`;
const isDone = (rows: Record<string, unknown>[]) => rows.every(({ due_at: due }) => due === null);
const article = (title: string) => Object.assign(new Article(), { title });

class RolledBack extends Error {}

@Entity()
@WebhookEvent<Stock>('stock.changed', { on: 'change' })
class Stock {
  @PrimaryColumn({ type: 'integer' })
  id!: number;

  @Column({ type: 'integer' })
  count!: number;
}

/** A small generator (mulberry32), so that a seed makes the same run everywhere. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'memory' }])(
  'transactions that overlap on the one connection of SQLite, on $kind',
  ({ kind }) => {
    let place: TestDatabase;
    let receiver: ScriptedReceiver;
    let rig: OutboxApp;

    beforeEach(async () => {
      [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
      // Forty tasks queue for one connection, and each commit waits for the disk.
      const serializeTransactions = { timeout: 60_000 };
      rig = await openOutboxApp(place, { queryTimeout: 20_000, serializeTransactions });
      await rig.subscribers.create(subscriber(receiver.url));
    });

    afterEach(async () => {
      await rig.close();
      await receiver.stop();
      await place.drop();
    });

    const titles = async () =>
      (await rig.rows('SELECT title FROM article')).map((row) => String(row['title'])).sort();
    const told = () =>
      receiver.received
        .map(({ json }) => (json as { data: { title?: string } }).data.title ?? 'by hand')
        .sort();

    /** Does one thing in one of the ways of TypeORM. @returns the titles that must stay */
    async function perform(name: string, random: () => number): Promise<string[]> {
      const isKept = random() < 0.6;
      const pause = async () => {
        if (random() < 0.7) await passes(Math.floor(random() * 4));
      };
      const write = async (manager: EntityManager): Promise<string[]> => {
        const written: string[] = [];
        for (let n = 0; n < 3; n++) {
          await pause();
          await manager.save(article(`${name}.${n}`));
          written.push(`${name}.${n}`);
        }
        const isInnerKept = random() < 0.5;
        await manager
          .transaction(async (inner) => {
            await inner.save(article(`${name}.inner`));
            await pause();
            if (!isInnerKept) throw new RolledBack();
          })
          .then(() => written.push(`${name}.inner`))
          .catch((error: unknown) => expect(error).toBeInstanceOf(RolledBack));
        await pause();
        if (!isKept) throw new RolledBack();
        return written;
      };
      const kept = (error: unknown): string[] => {
        expect(error).toBeInstanceOf(RolledBack);
        return [];
      };
      const way = random();
      await pause();
      if (way < 0.45) return rig.dataSource.transaction(write).catch(kept);
      if (way < 0.65) {
        const runner = rig.dataSource.createQueryRunner();
        if (random() < 0.5) await runner.connect();
        await runner.startTransaction();
        try {
          const written = await write(runner.manager);
          await runner.commitTransaction();
          return written;
        } catch (error) {
          await runner.rollbackTransaction();
          return kept(error);
        } finally {
          await runner.release();
        }
      }
      if (way < 0.8) {
        await rig.dataSource.manager.save([article(`${name}.x`), article(`${name}.y`)]);
        return [`${name}.x`, `${name}.y`];
      }
      if (way < 0.9) {
        await rig.dataSource.manager.insert(Article, { title: `${name}.i` });
        return [`${name}.i`];
      }
      // A repository of no transaction, within one: TypeORM has a single connection for both.
      return rig.dataSource
        .transaction(async (manager) => {
          await rig.dataSource.getRepository(Article).save(article(`${name}.g`));
          await pause();
          return [`${name}.g`, ...(await write(manager))];
        })
        .catch(kept);
    }

    it.each(Array.from({ length: SEEDS }, (_, seed) => ({ seed: seed + 1 })))(
      'stores and sends exactly what each transaction committed, seed $seed',
      async ({ seed }) => {
        const random = randomOf(seed);
        const tasks = Array.from({ length: TASKS }, (_, n) => perform(`t${n}`, random));
        const kept = (await Promise.all(tasks)).flat().sort();
        expect(await titles()).toEqual(kept);
        await rig.until(MESSAGES, (rows) => rows.length === kept.length && isDone(rows));
        await receiver.waitFor(kept.length);
        expect(told()).toEqual(kept);
        printFigures(`overlapping transactions on ${kind}, seed ${seed}`, {
          kept: kept.length,
          lost: 0,
        });
      },
    );

    it('hides uncommitted changes of a transaction from other saves', async () => {
      const { manager } = rig.dataSource;
      const { id } = await manager.save(article('committed'));
      let isOpen!: () => void;
      const opened = new Promise<void>((resolve) => (isOpen = resolve));
      const other = rig.dataSource.transaction(async (inner) => {
        await inner.save(Article, { id, title: 'same' });
        isOpen();
        await passes(30);
        throw new RolledBack();
      });
      await opened;
      const saving = manager.save(Article, { id, title: 'same' });
      await expect(other).rejects.toThrow(RolledBack);
      await saving;
      expect(await titles()).toEqual(['same']);
    });

    it('rejects a write that would wait for itself, and says what to do', async () => {
      await rig.close();
      rig = await openOutboxApp(place, { serializeTransactions: { timeout: 50 } });
      const runner = rig.dataSource.createQueryRunner();
      await runner.startTransaction();
      const repository = rig.dataSource.getRepository(Article);
      await expect(repository.save(article('by the wrong way'))).rejects.toMatchObject({
        code: 'THORN_TRANSACTION_TIMEOUT',
        message: expect.stringMatching(/50 ms.*through its manager.*serializeTransactions/),
      });
      await runner.manager.save(article('by the right way'));
      await runner.commitTransaction();
      await runner.release();
      await repository.save(article('afterwards'));
      expect(await titles()).toEqual(['afterwards', 'by the right way']);
    });

    it('takes nothing of others into a transaction that was begun with startTransaction()', async () => {
      await rig.close();
      rig = await openOutboxApp(place, { entities: [Stock], queryTimeout: 20_000 });
      await rig.subscribers.create(subscriber(receiver.url));
      const { dataSource } = rig;
      const ids = Array.from({ length: 20 }, (_, at) => at);
      await dataSource.query(
        `INSERT INTO stock (id, count) VALUES ${ids.map((id) => `(${id}, 0)`).join()}`,
      );
      const update = async (id: number) => {
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
        await dataSource.manager.update(Stock, { id }, { count: 1 });
        await rig.send();
      };
      const writeAndRollBack = async () => {
        const runner = dataSource.createQueryRunner();
        for (let turn = 0; turn < 10; turn++) await Promise.resolve();
        await runner.startTransaction();
        await runner.manager.update(Stock, { id: 0 }, { count: 2 });
        await passes(20);
        await runner.rollbackTransaction();
        await runner.release();
      };
      const [some, others] = [ids.slice(0, 10), ids.slice(10)];
      await Promise.all([...some.map(update), writeAndRollBack(), ...others.map(update)]);
      expect(await rig.rows('SELECT DISTINCT count FROM stock')).toEqual([{ count: 1 }]);
      await receiver.waitFor(40);
      expect(receiver.received.filter(({ event }) => event === 'stock.changed')).toHaveLength(20);
    });

    it('allows reads while a transaction is open', async () => {
      const runner = rig.dataSource.createQueryRunner();
      await runner.startTransaction();
      await runner.manager.save(article('open'));
      expect(await rig.dataSource.manager.countBy(Article, { title: 'other' })).toBe(0);
      await runner.rollbackTransaction();
      await runner.release();
    });

    it('leaves a transaction that was begun by hand open when a save cannot begin its own', async () => {
      await rig.dataSource.query('BEGIN');
      await rig.dataSource.query(`INSERT INTO article (title) VALUES ('by hand')`);
      const refused = rig.dataSource.manager.save(article('refused'));
      await expect(refused).rejects.toThrow(/within a transaction/);
      await rig.dataSource.query('COMMIT');
      expect(await titles()).toEqual(['by hand']);
    });

    it.each(['commitTransaction', 'rollbackTransaction'] as const)(
      'lets others write after a COMMIT by hand, whatever %s() says',
      async (end) => {
        const runner = rig.dataSource.createQueryRunner();
        await runner.startTransaction();
        await runner.manager.save(article('by hand'));
        await runner.query('COMMIT');
        await runner[end]().catch(() => runner.rollbackTransaction());
        await runner.release();
        await rig.dataSource.manager.save(article('another'));
        expect(await titles()).toEqual(['another', 'by hand']);
      },
    );

    it('leaves the order of transactions to the application when the option is off', async () => {
      await rig.close();
      rig = await openOutboxApp(place, { serializeTransactions: false });
      const runner = rig.dataSource.createQueryRunner();
      await runner.startTransaction();
      await rig.dataSource.manager.save(article('joins'));
      await runner.rollbackTransaction();
      await runner.release();
      expect(await titles()).toEqual([]);
    });

    it('changes a subscriber within a transaction as well when the option is off', async () => {
      await rig.close();
      const clock = new SystemClock();
      rig = await openOutboxApp(place, {
        serializeTransactions: false,
        entities: [Article, ThornSubscriber],
        subscribers: (tables) => new DatabaseSubscriberRepository(tables, clock),
      });
      const { subscribers, dataSource } = rig;
      const one = subscriber('http://127.0.0.1:8080/');
      const updatedAt = new Date();
      const descriptions = () => rig.rows('SELECT description FROM thorn_subscribers');
      await dataSource.transaction(async (manager) => {
        await manager.save(article('first'));
        await subscribers.create(one);
      });
      const undone = dataSource.transaction(async (manager) => {
        await manager.save(article('second'));
        await subscribers.update(one.id, { description: 'undone', updatedAt }, 'any');
        throw new RolledBack();
      });
      await expect(undone).rejects.toThrow(RolledBack);
      expect(await descriptions()).toEqual([{ description: null }]);
      const both = ['one', 'two'].map((description) =>
        subscribers.update(one.id, { description, updatedAt }, 'any'),
      );
      expect(await Promise.all(both)).toHaveLength(2);
      const changes = await rig.rows('SELECT kind FROM thorn_subscriber_changes');
      expect(changes).toHaveLength(3);
    });
  },
);

describe('a process that is killed while its transactions overlap', () => {
  let program: string;
  beforeAll(async () => {
    program = await bundleProgram('test/support/processes/overlapping.ts');
  });

  it.each(Array.from({ length: KILLS }, (_, seed) => ({ seed: seed + 1 })))(
    'has stored what it has acknowledged, and a message for each row, seed $seed',
    async ({ seed }) => {
      const database = await createDatabase('file');
      const tables = await openOutboxApp(database, { worker: false });
      await tables.close();
      const task: OverlappingTask = { options: database.options, writers: 12 };
      const child = startChild(program, JSON.stringify(task));
      let output = '';
      const written = new Promise<void>((resolve) => {
        child.process.stdout!.on('data', (chunk: Buffer) => {
          output += chunk.toString();
          if (output.split('\n').length > 100 + ((seed * 37) % 300)) resolve();
        });
      });
      await written;
      await child.end('SIGKILL');

      const app = await openOutboxApp(database, { synchronize: false, worker: false });
      const rows = await app.rows('SELECT title FROM article');
      // On SQLite this moves what is staged to the table of messages.
      await app.deliveries.stats();
      const messages = await app.rows('SELECT id, event, body FROM thorn_messages');
      await app.close();
      await database.drop();
      const stored = rows.map(({ title }) => String(title)).sort();
      const told = messages
        .filter(({ event }) => event === 'article.created')
        .map(({ body }) => (JSON.parse(String(body)) as { data: { title: string } }).data.title);
      expect(told.sort()).toEqual(stored);
      // The last line may be cut.
      const lines = output.split('\n').slice(0, -1);
      const acknowledged = (what: string) =>
        lines
          .filter((line) => line.startsWith(`${what} `))
          .map((line) => line.slice(what.length + 1));
      expect(stored).toEqual(expect.arrayContaining(acknowledged('saved')));
      const ids = messages.map(({ id }) => idFrom('msg_', id, null));
      expect(ids).toEqual(expect.arrayContaining(acknowledged('sent')));
      printFigures(`killed with overlapping transactions, seed ${seed}`, {
        rows: stored.length,
        messages: ids.length,
        lost: 0,
      });
    },
  );
});
