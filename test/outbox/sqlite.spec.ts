import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { checkDeliveries } from '../support/check-deliveries.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const MESSAGES = `SELECT * FROM ${STORED_MESSAGES}`;
const isDone = (rows: Record<string, unknown>[]) => rows.every(({ due_at: due }) => due === null);

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'memory' }])(
  'messages outside a transaction while another one is open, on $kind',
  ({ kind }) => {
    let place: TestDatabase;
    let receiver: ScriptedReceiver;
    let rig: OutboxApp;

    async function open(queryTimeout: number): Promise<void> {
      rig = await openOutboxApp(place, { queryTimeout });
      await rig.subscribers.create(subscriber(receiver.url));
    }

    beforeEach(async () => {
      [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
      await open(700);
    });

    afterEach(async () => {
      vi.restoreAllMocks();
      await rig.close();
      await receiver.stop();
      await place.drop();
    });

    /** A transaction of somebody else's, as of another request; resolves to what ends it. */
    async function somebodyElse(): Promise<() => Promise<void>> {
      let end!: () => void;
      const ending = new Promise<void>((resolve) => (end = resolve));
      let begun!: () => void;
      const beginning = new Promise<void>((resolve) => (begun = resolve));
      const work = later(async () => {
        await rig.dataSource
          .transaction(async (manager) => {
            await manager.query(`INSERT INTO article (title) VALUES ('open')`);
            begun();
            await ending;
            throw new Error('rolled back');
          })
          .catch(() => undefined);
      });
      await beginning;
      return async () => {
        end();
        await work;
      };
    }

    /** In a turn of the event loop of its own, as every request is. */
    function later(work: () => Promise<void>): Promise<void> {
      return new Promise((resolve) => setTimeout(() => void work().then(resolve), 0));
    }

    it('resolves send() once the messages are stored for good, and not before', async () => {
      await rig.close();
      await open(60_000);
      const end = await somebodyElse();
      let isAcknowledged = false;
      const sending = rig.send().finally(() => (isAcknowledged = true));
      await new Promise((resolve) => setTimeout(resolve, 400));
      expect(isAcknowledged).toBe(false);
      await end();
      const { id } = await sending;
      await receiver.waitFor(1);
      await rig.until(MESSAGES, isDone);
      expect(checkDeliveries(receiver.received, [id])).toEqual({
        lost: [],
        duplicates: 0,
        unknown: [],
      });
    });

    it('rejects send() when storing takes too long, and stores nothing', async () => {
      const end = await somebodyElse();
      await expect(rig.send()).rejects.toThrow(/Nothing was stored.*queryTimeout/);
      await end();
      expect((await rig.deliveries.stats()).pendingMessages).toBe(0);
      expect(await rig.rows(MESSAGES)).toEqual([]);
    });

    it('rejects send() within a BEGIN by hand, of which the outbox cannot know', async () => {
      await rig.dataSource.query('BEGIN');
      await expect(rig.send()).rejects.toMatchObject({ code: 'THORN_OUTBOX_LOCKED' });
      await rig.dataSource.query('COMMIT');
      expect((await rig.deliveries.stats()).pendingMessages).toBe(0);
      expect(await rig.rows(MESSAGES)).toEqual([]);
      const { id } = await rig.send();
      expect((await receiver.waitFor(1))[0]!.id).toBe(id);
    });

    it('rejects send() outside a transaction that does not end, and logs what to look for', async () => {
      const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
      let isOpen!: () => void;
      const opened = new Promise<void>((resolve) => (isOpen = resolve));
      let end!: () => void;
      // Called by the very function that sends: what it does within the transaction is not within it for that.
      const open = rig.dataSource.transaction(async (manager) => {
        await manager.query(`INSERT INTO article (title) VALUES ('open')`);
        isOpen();
        await new Promise<void>((resolve) => (end = resolve));
      });
      await opened;
      await expect(rig.send()).rejects.toMatchObject({ code: 'THORN_OUTBOX_LOCKED' });
      expect(warn).not.toHaveBeenCalled();
      const now = performance.now.bind(performance);
      const sending = rig.send();
      vi.spyOn(performance, 'now').mockImplementation(() => now() + 10_000);
      await expect(sending).rejects.toMatchObject({ code: 'THORN_OUTBOX_LOCKED' });
      expect(warn.mock.calls.map(([line]) => String(line))).toEqual([
        'The outbox has waited for 10 s to write to SQLite: a transaction of this application is open. Look for a ' +
          'query runner with startTransaction() and without commitTransaction() or rollbackTransaction(). Until it ' +
          'ends, send() outside of it is refused, and what was delivered is not written down.',
      ]);
      end();
      await open;
      const { id } = await rig.send();
      expect((await receiver.waitFor(1))[0]!.id).toBe(id);
    });

    it('waits for the transaction of a query runner, and joins it with its manager', async () => {
      const runner = rig.dataSource.createQueryRunner();
      await runner.startTransaction();
      await expect(rig.send()).rejects.toMatchObject({
        code: 'THORN_OUTBOX_LOCKED',
        message: expect.stringContaining('{ manager: queryRunner.manager }') as string,
      });
      const { manager } = runner;
      const message = rig.message();
      expect(rig.transactions.enlist(message, manager)).toBe(true);
      await runner.commitTransaction();
      await receiver.waitFor(({ id }) => id === message.id);
      expect(receiver.received).toHaveLength(1);
      await runner.release();
    });

    it('does not wait for a transaction that send() is called in', async () => {
      let id = '';
      await rig.dataSource
        .transaction(async (manager) => {
          await manager.query(`INSERT INTO article (title) VALUES ('open')`);
          ({ id } = await rig.send());
          throw new Error('rolled back');
        })
        .catch(() => undefined);
      await receiver.waitFor(1);
      await rig.until(MESSAGES, (rows) => rows.length === 1 && isDone(rows));
      expect(checkDeliveries(receiver.received, [id])).toEqual({
        lost: [],
        duplicates: 0,
        unknown: [],
      });
    });
  },
);
