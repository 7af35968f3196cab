import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { idFrom } from '../../lib/outbox/tables/keys.js';
import type { OutboxProcessTask } from '../support/processes/outbox.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { maxWithin } from '../support/attempt-starts.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import { STORED_ATTEMPTS } from '../support/stored-attempts.js';

const OPEN = 'SELECT id FROM thorn_deliveries WHERE due_at IS NOT NULL';
const MESSAGES = 'SELECT id FROM thorn_pending_messages';
const nothing = (rows: unknown[]) => rows.length === 0;

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'postgres' }])(
  'a rate limit of several processes, on $kind',
  ({ kind }) => {
    let place: TestDatabase;
    let receiver: ScriptedReceiver;
    let rig: OutboxApp;
    const children: Child[] = [];

    beforeEach(async () => {
      [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
      rig = await openOutboxApp(place, { worker: false });
    });

    afterEach(async () => {
      for (const child of children.splice(0)) await child.end('SIGKILL');
      await rig.close();
      await receiver.stop();
      await place.drop();
    });

    it('is kept across three processes, of which two are killed', async () => {
      const rateLimit = { max: 5, per: 1000 };
      const interval = 200;
      const arrivals: { readonly id: string; readonly at: number }[] = [];
      receiver.otherwise(({ id }) => {
        arrivals.push({ id, at: Date.now() });
        return 204;
      });
      const task: OutboxProcessTask = {
        options: place.options,
        outbox: { lease: 2000 },
        urls: [receiver.url],
        changes: [{ rateLimit }],
        articles: 0,
      };
      const bundle = await bundleProgram('test/support/processes/outbox.ts');
      for (let n = 0; n < 3; n++) {
        const child = startChild(bundle, JSON.stringify(task));
        children.push(child);
        await child.printed('ready');
      }
      // What the children deliver is found by the same id here.
      await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_0', rateLimit }));
      for (let n = 0; n < 60; n++) await rig.send();
      await receiver.waitFor(12);
      await children[0]!.end('SIGKILL');
      await receiver.waitFor(30);
      await children[1]!.end('SIGKILL');
      await rig.until(MESSAGES, nothing);
      await rig.until(OPEN, nothing);
      expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(60);
      // The oracle is what arrived. On a busy machine requests come closer by what the longest way takes.
      const begun = await rig.rows(
        `SELECT d.message_id, stored_attempts.started_at FROM ${STORED_ATTEMPTS} JOIN thorn_deliveries d ON d.id = stored_attempts.delivery_id`,
      );
      const ways = begun.map(({ message_id: message, started_at: at }) =>
        Math.max(
          ...arrivals
            .filter(({ id }) => id === idFrom('msg_', message, null))
            .map((one) => one.at - Number(at)),
        ),
      );
      const late = Math.max(...ways);
      const times = arrivals.map(({ at }) => at);
      expect(maxWithin(times, rateLimit.per - interval - late)).toBeLessThanOrEqual(rateLimit.max);
      const lasted = times.at(-1)! - times[0]!;
      expect(lasted + interval + late).toBeGreaterThanOrEqual((times.length - 1) * interval);
    });
  },
);
