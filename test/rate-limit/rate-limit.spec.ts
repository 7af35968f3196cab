import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import {
  openOutboxApp,
  type OutboxApp,
  type OutboxAppOptions,
  subscriber,
} from '../support/apps/outbox-app.js';
import { maxWithin, attemptStarts, rateUsage } from '../support/attempt-starts.js';
import { PLACES_ALIKE } from '../support/places.js';

const OPEN = 'SELECT id FROM thorn_deliveries WHERE due_at IS NOT NULL';
const MESSAGES = 'SELECT id FROM thorn_pending_messages';
const WAITING = 'SELECT due_at FROM thorn_deliveries WHERE requests = 0 AND lease IS NULL';
const nothing = (rows: unknown[]) => rows.length === 0;

describe.each(PLACES_ALIKE)('a rate limit, on $kind', ({ kind }) => {
  let place: TestDatabase;
  let receiver: ScriptedReceiver;
  let rig: OutboxApp;

  beforeEach(async () => {
    [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
  });

  afterEach(async () => {
    await rig.close();
    await receiver.stop();
    await place.drop();
  });

  async function open(options: OutboxAppOptions = {}): Promise<void> {
    rig = await openOutboxApp(place, options);
  }

  async function settled(): Promise<void> {
    await rig.until(MESSAGES, nothing);
    await rig.until(OPEN, nothing);
  }

  it('is kept and used fully, and delays no other subscriber on the same host', async () => {
    const clock = new MovableClock();
    await open({ timeout: 30_000, clock });
    const rateLimit = { max: 20, per: 1000 };
    await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_slow', rateLimit }));
    await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_fast' }));
    await Promise.all(Array.from({ length: 80 }, () => rig.send()));
    const received = (id: string) =>
      receiver.received.filter(({ headers }) => headers['hook-subscription'] === id).length;
    // While no time passes.
    await receiver.waitFor(81);
    expect([received('sub_slow'), received('sub_fast')]).toEqual([1, 80]);
    // Time stands still while this process does.
    const passing = setInterval(() => clock.advance(5), 5);
    try {
      await settled();
    } finally {
      clearInterval(passing);
    }
    const slow = await attemptStarts(rig, 'sub_slow');
    expect(slow).toHaveLength(80);
    // One by one, each an interval of 50 ms after the one before.
    expect(maxWithin(slow, 950)).toBeLessThanOrEqual(20);
    expect(rateUsage(slow, rateLimit)).toBeGreaterThan(0.7);
    // None of them was an attempt, or a failure.
    const rows = await rig.rows(
      "SELECT id FROM thorn_deliveries WHERE requests <> 1 OR attempts <> 1 OR status <> 'succeeded'",
    );
    expect(rows).toEqual([]);
    expect(rig.strategy.endpoints()).toEqual([]);
  });

  it('counts retries', async () => {
    await open({ schedule: [100, 100] });
    const rateLimit = { max: 10, per: 1000 };
    await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_slow', rateLimit }));
    const failed = new Set<string>();
    receiver.otherwise(({ id }) => {
      if (failed.has(id) || failed.size === 8) return 204;
      failed.add(id);
      return 404;
    });
    for (let n = 0; n < 12; n++) await rig.send();
    await settled();
    const starts = await attemptStarts(rig, 'sub_slow');
    expect(starts).toHaveLength(20);
    expect(maxWithin(starts, 900)).toBeLessThanOrEqual(10);
  });

  it('keeps no time for deliveries that ended while the subscriber was disabled', async () => {
    const clock = new MovableClock();
    await open({ timeout: 30_000, clock });
    // An attempt may begin half an interval late: timers do, as the clock runs four times as fast as they.
    const rateLimit = { max: 1, per: 4000 };
    await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_slow', rateLimit }));
    await Promise.all(Array.from({ length: 200 }, () => rig.send()));
    await rig.until(WAITING, ({ length }) => length > 150);
    await receiver.waitFor(1);
    const enable = (enabled: boolean) =>
      rig.subscribers.update('sub_slow', { enabled, updatedAt: new Date() }, 'any');
    await enable(false);
    const passing = setInterval(() => clock.advance(20), 5);
    try {
      await settled();
    } finally {
      clearInterval(passing);
    }
    clock.advance(8000);
    const before = receiver.received.length;
    await enable(true);
    await rig.send();
    // While no time passes.
    expect(await receiver.waitFor(before + 1)).toHaveLength(before + 1);
  });

  it.each([
    {
      title: 'applies to what waits, within a minute, when it is raised',
      rateLimit: { max: 100, per: 1000 },
    },
    { title: 'lets go what waits, within a minute, when it is removed', rateLimit: null },
  ])('$title', async ({ rateLimit }) => {
    const clock = new MovableClock();
    await open({ timeout: 30_000, clock });
    const slow = { max: 1, per: 600_000 };
    await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_slow', rateLimit: slow }));
    await Promise.all(Array.from({ length: 30 }, () => rig.send()));
    await rig.until(WAITING, ({ length }) => length === 29);
    await rig.subscribers.update('sub_slow', { rateLimit, updatedAt: new Date() }, 'any');
    const changedAt = clock.now();
    // It stops in the end, for an attempt that is due takes longer on a busy machine.
    const passing = setInterval(() => {
      if (clock.now() < changedAt + 70_000) clock.advance(100);
    }, 10);
    try {
      await settled();
    } finally {
      clearInterval(passing);
    }
    expect(await attemptStarts(rig, 'sub_slow')).toHaveLength(30);
  });

  it('applies to what waits when it is lowered', async () => {
    const clock = new MovableClock();
    await open({ timeout: 30_000, clock });
    const rateLimit = { max: 10, per: 1000 };
    await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_slow', rateLimit }));
    await Promise.all(Array.from({ length: 100 }, () => rig.send()));
    await rig.until(WAITING, ({ length }) => length > 60);
    const lower = { rateLimit: { max: 1, per: 1000 }, updatedAt: new Date() };
    await rig.subscribers.update('sub_slow', lower, 'any');
    const changedAt = clock.now();
    // No faster than time itself, for an attempt that is late asks again, at the old rate.
    const passing = setInterval(() => clock.advance(10), 10);
    try {
      await receiver.waitFor(48);
    } finally {
      clearInterval(passing);
    }
    const starts = await attemptStarts(rig, 'sub_slow');
    // But for what had its time, in the three seconds ahead, and while processes do not know of the change.
    const later = starts.filter((at) => at > changedAt + 10_000);
    expect(later.length).toBeGreaterThan(0);
    expect(maxWithin(later, 9000)).toBeLessThanOrEqual(10);
  });

  it('reports deliveries that wait for it, which are neither due nor late', async () => {
    await open();
    const rateLimit = { max: 5, per: 60_000 };
    await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_slow', rateLimit }));
    for (let n = 0; n < 30; n++) await rig.send();
    await rig.until(MESSAGES, nothing);
    await rig.until(OPEN, ({ length }) => length === 29);
    expect(await rig.deliveries.stats()).toMatchObject({
      ...{ pending: 29, rateLimited: 29, due: 0, dueMessages: 0, oldestDue: null, lag: 0 },
    });
    // Two days, for midnight may come in between.
    const history = await rig.deliveries.history({ subscriberId: 'sub_slow', days: 2 }, 'any');
    expect(history).toMatchObject({ rateLimited: 29, total: { pending: 29, succeeded: 1 } });

    const { items } = await rig.deliveries.list({ status: 'pending' }, 'any');
    const turns = items.map(({ nextAt }) => nextAt!).sort((one, other) => one - other);
    expect(items.every(({ rateLimited }) => rateLimited)).toBe(true);
    const [first] = await attemptStarts(rig, 'sub_slow');
    // One by one, 12 seconds apart, and asked for again within a minute.
    expect(turns[1]! - turns[0]!).toBe(12_000);
    expect(turns[0]).toBeGreaterThan(first! + 9000);
    expect(turns.at(-1)).toBeLessThanOrEqual(Date.now() + 60_000);

    // What is ended waits for nothing any more.
    await rig.deliveries.cancel(items[0]!.id, 'any');
    expect(await rig.deliveries.stats()).toMatchObject({ pending: 28, rateLimited: 28 });
    expect(await rig.deliveries.findById(items[0]!.id, 'any')).toMatchObject({
      ...{ rateLimited: false, nextAt: null },
    });
  });

  it('runs few statements, however many deliveries wait', async () => {
    const count = 2000;
    const clock = new MovableClock();
    await open({ pollInterval: 1000, timeout: 30_000, clock });
    const rateLimit = { max: 50, per: 1000 };
    await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_slow', rateLimit }));
    await Promise.all(Array.from({ length: count }, () => rig.send()));
    // No time passes meanwhile; the next ones to have their turn wait in memory.
    await rig.until(MESSAGES, ({ length }) => length <= 4 * rateLimit.max);
    const passing = setInterval(() => clock.advance(5), 5);
    let before: number;
    try {
      // Those have no row: what follows is claimed.
      await rig.until(MESSAGES, nothing);
      rig.log.statements.length = 0;
      before = receiver.received.length;
      await receiver.waitFor(before + 200);
    } finally {
      clearInterval(passing);
    }
    const begun = receiver.received.length - before;
    const own = rig.log.statements.filter((sql) => /thorn_/.test(sql));
    expect(own.length / begun).toBeLessThan(2);
    // Each comes back once, or twice.
    const rest = await rig.rows('SELECT COUNT(*) AS n FROM thorn_deliveries WHERE requests = 0');
    expect(Number(rest[0]!['n'])).toBeGreaterThan(1000);
    const claims = own.filter((sql) => /UPDATE \S*thorn_deliveries/.test(sql) && /lease/.test(sql));
    expect(claims.length).toBeLessThan(begun);
  });
});
