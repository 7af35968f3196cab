import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import { blocksOf } from './blocks.js';

const ERASURE = blocksOf('docs/security/audit.md')
  .find(({ language }) => language === 'sql')!
  .code.split(';\n')
  .filter((statement) => statement.trim() !== '');

/** Stands in everything that is about the owner to be forgotten. */
const TRACE = 'ada-lovelace';
const TABLES = ['thorn_messages', 'thorn_deliveries', 'thorn_attempts'];

describe.each<DatabaseKind>(['file', 'postgres', 'mariadb'])(
  'the erasure of an owner on %s',
  (kind) => {
    let place: TestDatabase;
    let receiver: ScriptedReceiver;
    let app: OutboxApp;

    beforeEach(async () => {
      [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
      app = await openOutboxApp(place, { schedule: [0, 3_600_000] });
    });

    afterEach(async () => {
      await app.close();
      await receiver.stop();
      await place.drop();
    });

    const about = (owner: string, text: string) =>
      app.send({
        event: 'order.placed',
        owner,
        orderBy: { key: text },
        ref: `/users/${text}`,
        data: { text },
      });

    const stored = async () => {
      const rows = await Promise.all(TABLES.map((table) => app.rows(`SELECT * FROM ${table}`)));
      return JSON.stringify(rows);
    };

    const erase = async () => {
      for (const statement of ERASURE) await app.rows(statement);
    };

    it('leaves nothing of what has ended, and all of what others own', async () => {
      await app.subscribers.create(subscriber(receiver.url));
      // Its own answer, to two attempts.
      receiver.answer({ status: 500, body: `no ${TRACE}` }, { status: 200, body: `yes ${TRACE}` });
      await about('7', TRACE);
      await receiver.waitFor(2);
      const other = await about('8', 'grace-hopper');
      await receiver.waitFor(3);
      const succeeded = "SELECT id FROM thorn_deliveries WHERE status = 'succeeded'";
      await app.until(succeeded, (rows) => rows.length === 2);
      await app.until('SELECT id FROM thorn_pending_messages', (rows) => rows.length === 0);
      expect(await stored()).toContain(TRACE);

      await erase();

      expect(await stored()).not.toContain(TRACE);
      expect(await app.rows("SELECT id FROM thorn_messages WHERE owner = '7'")).toEqual([]);
      const { items } = await app.deliveries.list({}, 'any');
      const results = items.map(async ({ id, messageId }) => [
        messageId === other.id,
        await app.deliveries.retry(id, 'any'),
      ]);
      expect((await Promise.all(results)).toSorted()).toEqual([
        [false, 'expunged'],
        [true, 'scheduled'],
      ]);
      expect(await stored()).toContain('grace-hopper');
    });

    it('leaves out what still waits', async () => {
      await app.subscribers.create(subscriber(receiver.url));
      receiver.answer({ status: 500 }, { status: 500 });
      await about('7', TRACE);
      await receiver.waitFor(2);
      await app.until(
        'SELECT id FROM thorn_deliveries WHERE requests = 2 AND due_at IS NOT NULL',
        (rows) => rows.length === 1,
      );

      await erase();

      expect(await stored()).toContain(TRACE);
    });
  },
);
