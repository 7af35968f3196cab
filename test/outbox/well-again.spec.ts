import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { RestartedHost } from '../support/restarted-host.js';
import { PLACES_ALIKE } from '../support/places.js';

const DELIVERIES = 'SELECT * FROM thorn_deliveries ORDER BY id';
const HOUR = 60 * 60_000;

let database: TestDatabase;
let apps: OutboxApp[];

beforeEach(() => void (apps = []));

describe.each(PLACES_ALIKE)('a host that was down, on $kind', ({ kind }) => {
  let host: RestartedHost;
  beforeEach(async () => {
    [database, host] = [await createDatabase(kind), await RestartedHost.start()];
  });
  afterEach(async () => {
    for (const app of apps) await app.close();
    await host.stop();
    await database.drop();
  });

  it('receives its waiting deliveries within 10 s of its first success, whatever the other breakers say', async () => {
    const open = async () => {
      const app = await openOutboxApp(database, {
        synchronize: apps.length === 0,
        schedule: [HOUR],
        endpoints: { failures: 3, probeInterval: HOUR },
        isLogged: false,
      });
      apps.push(app);
      await app.subscribers.create(subscriber(host.url, { id: 'sub_1' }));
      return app;
    };
    const broken = await open();
    while (broken.strategy.activity().broken === 0) await broken.send();
    const waiting = await Promise.all(Array.from({ length: 20 }, () => broken.send()));
    await broken.until(
      DELIVERIES,
      (rows) => rows.filter(({ requests }) => requests === 0).length >= waiting.length,
    );

    await host.goUp();
    const other = await open();
    await other.send();
    await expect.poll(() => waiting.filter(({ id }) => !host.ids.has(id))).toEqual([]);
    expect(broken.strategy.activity().broken).toBe(1);
  });

  it('receives what it never answered and was given up once it was well again, which does not count', async () => {
    await host.stop();
    host = await RestartedHost.start('resets', 1);
    const app = await openOutboxApp(database, {
      schedule: [HOUR],
      endpoints: { failures: 3, probeInterval: 100 },
      timeout: 60_000,
      isLogged: false,
    });
    apps.push(app);
    await app.subscribers.create(subscriber(host.url));
    const unanswered = await app.send();
    await expect.poll(() => host.silenced).toBe(1);
    while (app.strategy.activity().broken === 0) await app.send();
    await host.goUp();
    await expect.poll(() => app.strategy.activity().broken).toBe(0);
    host.dropSilent();

    await expect.poll(() => host.ids.has(unanswered.id)).toBe(true);
    const isDone = (rows: readonly Record<string, unknown>[]) => rows[0]!['status'] === 'succeeded';
    const [first] = await app.until(DELIVERIES, isDone);
    expect(first).toMatchObject({ attempts: 1, requests: 2 });
  });

  it('receives what another process gave up later, whose breaker was never open', async () => {
    await host.stop();
    host = await RestartedHost.start('resets', 1);
    const open = async (failures: number) => {
      const app = await openOutboxApp(database, {
        synchronize: apps.length === 0,
        schedule: [300_000],
        endpoints: { failures, probeInterval: 100 },
        timeout: 2000,
        isLogged: false,
      });
      apps.push(app);
      await app.subscribers.create(subscriber(host.url, { id: 'sub_1' }));
      return app;
    };
    const other = await open(1000);
    const unanswered = await other.send();
    await expect.poll(() => host.silenced).toBe(1);
    const broken = await open(3);
    while (broken.strategy.activity().broken === 0) await broken.send();
    await host.goUp();
    // The other one may take what this one could probe the host with.
    const isBroken = async () => {
      await broken.send();
      return broken.strategy.activity().broken;
    };
    await expect.poll(isBroken).toBe(0);

    await expect.poll(() => host.ids.has(unanswered.id)).toBe(true);
    const isDone = (rows: readonly Record<string, unknown>[]) => rows[0]!['status'] === 'succeeded';
    const [first] = await other.until(DELIVERIES, isDone);
    expect(first).toMatchObject({ attempts: 1, throttled: 1, requests: 2 });
  });

  it.each([
    { answer: 'none', status: null },
    { answer: '503', status: 503 },
  ])(
    'receives what failed twice before its breaker opened, which does not count; answer: $answer',
    async ({ status }) => {
      const app = await openOutboxApp(database, {
        schedule: [10, 300_000],
        endpoints: { failures: 5, probeInterval: 100 },
        isLogged: false,
      });
      apps.push(app);
      await app.subscribers.create(subscriber(host.url));
      const twice = await Promise.all([app.send(), app.send()]);
      const isTwice = ({ attempts }: Record<string, unknown>) => attempts === 2;
      await app.until(DELIVERIES, (rows) => rows.length === 2 && rows.every(isTwice));
      expect(app.strategy.activity().broken).toBe(0);
      // A 503 may pause a host at once, so that whether a second one counts is a matter of time.
      const held = `UPDATE thorn_deliveries SET response_status = ${status} WHERE attempts = 2`;
      if (status !== null) await app.rows(held);
      await app.send();
      await expect.poll(() => app.strategy.activity().broken).toBe(1);

      await host.goUp();
      await expect.poll(() => twice.filter(({ id }) => !host.ids.has(id))).toEqual([]);
      const rows = await app.until(DELIVERIES, (all) =>
        all.every((row) => row['status'] === 'succeeded'),
      );
      expect(rows.slice(0, 2)).toMatchObject(Array(2).fill({ attempts: 2, requests: 3 }));
    },
  );
});

describe('twelve hosts that are well again within a second', () => {
  it('leave no warning of Node about listeners', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on('warning', note);
    database = await createDatabase('file');
    const app = await openOutboxApp(database, {
      schedule: [50],
      endpoints: { failures: 1, probeInterval: 50 },
      pollInterval: 20,
      isLogged: false,
    });
    const receivers = await Promise.all(Array.from({ length: 12 }, () => ScriptedReceiver.start()));
    for (const receiver of receivers) {
      receiver.answer('reset', 'reset');
      await app.subscribers.create(subscriber(receiver.url));
    }
    await app.send();
    await app.until(
      DELIVERIES,
      (rows) => rows.length === 12 && rows.every((row) => row['status'] === 'succeeded'),
    );
    await app.close();
    process.off('warning', note);
    expect(warnings).toEqual([]);
    for (const receiver of receivers) await receiver.stop();
    await database.drop();
  });
});
