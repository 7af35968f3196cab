import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { analyzeTables, insertDueDeliveries } from '../support/seed-due-deliveries.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { claim, dueHosts, nextDue } from '../../lib/outbox/wait/claim.js';

const ROWS = process.env['THORN_LONG'] === '1' ? 1_000_000 : 50_000;
const CLAIMS = 100;
const PER_HOST = 16;

let place: TestDatabase;
let receiver: ScriptedReceiver;
let slow: ScriptedReceiver;
let rig: OutboxApp;

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'postgres' }])(
  `${ROWS} due rows on $kind`,
  ({ kind }) => {
    beforeEach(async () => {
      place = await createDatabase(kind);
      receiver = await ScriptedReceiver.start();
      slow = await ScriptedReceiver.start();
    });
    afterEach(async () => {
      await rig.close();
      await receiver.stop();
      await slow.stop();
      await place.drop();
    });

    it('claims a hundred at a time, however many are due', async () => {
      rig = await openOutboxApp(place, { worker: false, isLogged: false });
      await insertDueDeliveries(rig, kind, {
        count: ROWS,
        subscriber: 'sub_x',
        hosts: ['a:1', 'b:1'],
      });
      await analyzeTables(rig, kind);
      const store = rig.strategy.store;
      for (let n = 0; n < CLAIMS; n++) {
        const now = rig.clock.now();
        expect(await nextDue(store)).toBeLessThan(now);
        const { hosts } = await dueHosts(store, '', now, 256);
        const shares = hosts.map((host) => ({ host, limit: 50 }));
        const lease = { token: `lease-${n}`, leasedUntil: now + 60_000 };
        expect(await claim(store, shares, lease, now)).toHaveLength(100);
      }
    }, 600_000);

    it('keeps memory as it is, and delays no message to another host', async () => {
      slow.otherwise({ delay: 50 });
      rig = await openOutboxApp(place, { worker: false, isLogged: false });
      const { subscribers } = rig;
      const backlog = subscriber(slow.url, { events: ['never.*'] });
      const host = new URL(slow.url).host;
      await insertDueDeliveries(rig, kind, { count: ROWS, subscriber: backlog.id, hosts: [host] });
      await analyzeTables(rig, kind);
      await rig.close();
      await subscribers.create(backlog);
      await subscribers.create(subscriber(receiver.url, { events: ['order.*'] }));
      rig = await openOutboxApp(place, {
        synchronize: false,
        isLogged: false,
        subscribers,
        perHost: PER_HOST,
      });
      const store = rig.strategy.store;
      await slow.waitFor(200);
      const heap = process.memoryUsage().heapUsed;
      const held: number[] = [];
      for (let n = 0; n < 5; n++) {
        const began = performance.now();
        const { id } = await rig.send();
        await receiver.waitFor(({ headers }) => headers['webhook-id'] === id);
        expect(performance.now() - began).toBeLessThan(5000);
        held.push(store.heldDeliveries.size + store.recorder.size);
      }
      // Twice the slots of a host are claimed ahead, and written together afterwards.
      expect(Math.max(...held)).toBeLessThan(PER_HOST * 2 + 500);
      expect(process.memoryUsage().heapUsed - heap).toBeLessThan(100 * 1024 * 1024);
      expect(rig.strategy.activity().waiting).toBeLessThan(PER_HOST * 2);
    }, 600_000);
  },
);
