import { setTimeout as passes } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { idFrom } from '../../lib/outbox/tables/keys.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { Article, openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import { printFigures } from '../support/print-figures.js';
import { checkDeliveries } from '../support/check-deliveries.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const ROUNDS = IS_LONG ? 200 : 3;
const MESSAGES = `SELECT * FROM ${STORED_MESSAGES}`;
const isDone = (rows: Record<string, unknown>[]) => rows.every(({ due_at: due }) => due === null);
const article = (title: string) => Object.assign(new Article(), { title });

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'memory' }])(
  'a transaction that SQLite ends by itself, on $kind',
  ({ kind }) => {
    let place: TestDatabase;
    let receiver: ScriptedReceiver;
    let rig: OutboxApp;

    beforeEach(async () => {
      [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
      rig = await openOutboxApp(place, { queryTimeout: 2000 });
      await rig.subscribers.create(subscriber(receiver.url));
    });

    afterEach(async () => {
      await rig.close();
      await receiver.stop();
      await place.drop();
    });

    /** Lets the database grow no further than it is. */
    async function fill(): Promise<void> {
      const [row] = await rig.rows('PRAGMA page_count');
      await rig.rows(`PRAGMA max_page_count = ${String(row!['page_count'])}`);
    }

    const free = () => rig.rows('PRAGMA max_page_count = 1000000');

    async function overflow(name: string): Promise<void> {
      await fill();
      const work = rig.dataSource.transaction(async (manager) => {
        for (let n = 0; n < 500; n++)
          await manager.save(article(`${name} ${n} ${'x'.repeat(500)}`));
      });
      await expect(work).rejects.toThrow(/full/);
      await free();
    }

    const titles = async () => (await rig.rows('SELECT title FROM article')).map((r) => r['title']);

    it('sends every event that is committed after the disk was full', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await overflow(`lost ${round}`);
        await rig.dataSource.manager.save(article(`a${round}`));
        const message = rig.message();
        await rig.dataSource.transaction(async (manager) => {
          await manager.save(article(`b${round}`));
          expect(rig.transactions.enlist(message, manager)).toBe(true);
        });
        await rig.send();
      }

      expect(await titles()).toHaveLength(2 * ROUNDS);
      const messages = await rig.until(
        MESSAGES,
        (rows) => rows.length === 4 * ROUNDS && isDone(rows),
      );
      const ids = messages.map(({ id, given_id: given }) => idFrom('msg_', id, given));
      expect(checkDeliveries(receiver.received, ids)).toEqual({
        lost: [],
        duplicates: 0,
        unknown: [],
      });
      printFigures(`disk full on ${kind}`, { times: ROUNDS, messages: ids.length, lost: 0 });
    });

    it('rejects further writes in the transaction until it is rolled back', async () => {
      await rig.rows(
        `CREATE TRIGGER ends BEFORE INSERT ON article WHEN NEW.title = 'ends' BEGIN SELECT RAISE(ROLLBACK, 'ended'); END`,
      );
      const work = rig.dataSource.transaction(async (manager) => {
        await manager.save(article('before'));
        await expect(manager.transaction((inner) => inner.save(article('ends')))).rejects.toThrow(
          /ended/,
        );
        await expect(manager.save(article('after'))).rejects.toMatchObject({
          code: 'THORN_TRANSACTION_ENDED',
        });
        await manager.query(`INSERT INTO article (title) VALUES ('caught')`).catch(() => undefined);
      });
      await expect(work).rejects.toThrow(/SQLite has ended the transaction.*ended/);
      expect(await titles()).toEqual([]);
      await rig.dataSource.manager.save(article('well'));
      const [message] = await rig.until(MESSAGES, (rows) => rows.length > 0 && isDone(rows));
      expect(idFrom('msg_', message!['id'], null)).toBe(receiver.received[0]!.id);
      expect(receiver.received).toHaveLength(1);
    });

    it('allows a query runner to roll it back and begin another one', async () => {
      const runner = rig.dataSource.createQueryRunner();
      await runner.startTransaction();
      await runner.manager.save(article('before'));
      await expect(
        runner.query(`INSERT OR ROLLBACK INTO article (id, title) SELECT id, title FROM article`),
      ).rejects.toThrow(/UNIQUE/);
      await expect(runner.commitTransaction()).rejects.toMatchObject({
        code: 'THORN_TRANSACTION_ENDED',
      });
      await runner.rollbackTransaction();
      expect(runner.isTransactionActive).toBe(false);
      await runner.startTransaction();
      await runner.manager.save(article('kept'));
      await runner.commitTransaction();
      await runner.release();
      expect(await titles()).toEqual(['kept']);
      await receiver.waitFor(1);
      await rig.until(MESSAGES, (rows) => rows.length === 1 && isDone(rows));
      await passes(20);
      expect(receiver.received).toHaveLength(1);
    });
  },
);
