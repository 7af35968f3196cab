import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ReplayOptions } from '../../lib/outbox/index.js';
import { hashOf } from '../../lib/outbox/tables/keys.js';
import { MovableClock } from '../../lib/testing/index.js';
import type { Subscriber } from '../../lib/subscriber/index.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { OrderedReceiver } from '../support/ordered-receiver.js';
import { EVERY_DIALECT } from '../support/places.js';
import { giveTurns } from '../../lib/outbox/wait/give-turns.js';
import { queuePage, queuesOfKeys } from '../../lib/outbox/wait/key-queue-pages.js';

/** More than a bulk operation reads at once. */
const MORE_THAN_A_BATCH = 600;
/** More than MariaDB recurses, and more than one statement looks for. */
const MANY_SUBSCRIBERS = { mariadb: 1100, others: 110 };

let place: TestDatabase;
let receiver: OrderedReceiver;
let app: OutboxApp;
let clock: MovableClock;

const open = (options: Parameters<typeof openOutboxApp>[1] = {}) =>
  openOutboxApp(place, {
    ...{ clock, schedule: [], endpoints: { failures: 1_000_000 }, isLogged: false },
    // A request that is given up may still arrive, behind the next one.
    timeout: 30_000,
    ...options,
  });
const subscribe = (changes: Partial<Subscriber> = {}) =>
  app.subscribers.create(subscriber(receiver.url(), { ordered: true, ...changes }));
const enable = (id: string, enabled = true) =>
  app.subscribers.update(id, { enabled, updatedAt: new Date() }, 'any');
const answer = (status: number) => (receiver.reply = () => ({ status }));
const accepted = (sequences: readonly number[]) =>
  vi.waitFor(() => expect(receiver.accepted('a')).toEqual(sequences));
const rows = (where: string, count: number) =>
  app.until(`SELECT id FROM thorn_deliveries WHERE ${where}`, (found) => found.length === count);
const released = () =>
  app.until('SELECT id FROM thorn_pending_messages', (found) => found.length === 0);

/**
 * Sends two messages of a key, and others that were made between them. The one that was made last is committed first: its
 * sequence is 1, and it is in the second batch.
 *
 * @param event of the others
 */
const sendAgainstTheOrder = async (event = 'order.placed') => {
  const second = app.message({ orderBy: { key: 'a' } });
  clock.advance(1);
  const between = Array.from({ length: MORE_THAN_A_BATCH }, () => app.message({ event }));
  clock.advance(1);
  await app.pipeline.send([app.message({ orderBy: { key: 'a' } })]);
  await app.pipeline.send(between);
  await app.pipeline.send([second]);
  clock.advance(1);
};
/** Sends them while the subscriber is disabled. Unless they are asked for, it does not get the others. */
const miss = async (event = 'order.of-others') => {
  const { id } = await subscribe({ enabled: false, events: ['order.placed'] });
  await sendAgainstTheOrder(event);
  await released();
  await enable(id);
  return id;
};
const backfill = (id: string, options: Partial<ReplayOptions> = {}) =>
  app.deliveries.backfill({ subscriberId: id, since: 1, ...options }, 'any');
/** A backfill that is stopped after its first batch. */
const begin = async (id: string) => {
  const stop = new AbortController();
  const summary = await backfill(id, { signal: stop.signal, onProgress: () => stop.abort() });
  expect(summary!.next).not.toBeNull();
  return summary!.next;
};
/** What every worker does once a minute. */
const lookAround = async (one: OutboxApp) => {
  const store = one.strategy.store;
  await store.bulkOperations.unmarkAbandoned(clock.now());
  const { queues } = await queuePage(store, null, 1000);
  one.strategy.promote(queues);
};

beforeEach(async () => {
  receiver = await OrderedReceiver.start();
  clock = new MovableClock();
});
afterEach(async () => {
  // What has no key may overlap.
  expect(receiver.overlaps.filter((pair) => pair.includes(' a: '))).toEqual([]);
  await app.close();
  await receiver.stop();
  await place.drop();
});

describe.each(EVERY_DIALECT)('an ordered subscriber on %j', ({ kind, ...more }) => {
  beforeEach(async () => {
    place = await createDatabase(kind);
    Object.assign(place.options, more);
    app = await open();
  });

  it('gets what ended when it was disabled before what it has missed since', async () => {
    const { id } = await subscribe({ onExhausted: 'hold' });
    answer(500);
    await app.send({ orderBy: { key: 'a' } });
    await rows("status = 'failed' AND queue_position = 0 AND lease IS NULL", 1);
    await enable(id, false);
    app.events.emit('subscriber-disabled', () => ({
      ...{ subscriberId: id, owner: null, host: 'x', reason: 'gone' as const },
      ...{
        failingSince: 1,
        failingMessages: 1,
        share: 100,
        status: 410,
        error: null,
        disablesAt: null,
      },
    }));
    await rows("reason = 'disabled'", 1);
    await app.send({ orderBy: { key: 'a' } });
    await released();
    clock.advance(1);
    await enable(id);
    answer(204);
    expect(await backfill(id)).toMatchObject({ scheduled: 2, underWay: 0, next: null });
    await accepted([1, 2]);
  });

  it('gets what it missed in the order of commits, whatever comes with which batch', async () => {
    const id = await miss('order.placed');
    expect(await backfill(id)).toMatchObject({ scheduled: MORE_THAN_A_BATCH + 2, next: null });
    await accepted([1, 2]);
  });

  it('gets what failed in the order of commits, whatever comes with which batch', async () => {
    const { id } = await subscribe();
    answer(500);
    await sendAgainstTheOrder();
    await rows("status = 'failed'", MORE_THAN_A_BATCH + 2);
    answer(204);
    const summary = await app.deliveries.retryFailed({ subscriberId: id, since: 1 }, 'any');
    expect(summary).toMatchObject({ scheduled: MORE_THAN_A_BATCH + 2, next: null });
    await accepted([1, 2]);
  });

  it('gets nothing of a key between two batches, whatever others do', async () => {
    const id = await miss();
    let other: OutboxApp | undefined;
    await backfill(id, {
      onProgress: async ({ next }) => {
        if (next === null) return;
        await app.send({ orderBy: { key: 'a' } });
        for (const { id: waiting } of await rows('queue_position > 0', 2)) {
          expect(await app.deliveries.retry(`dlv_${String(waiting)}`, 'any')).toBe('scheduled');
        }
        other = await open({ subscribers: app.subscribers, synchronize: false });
        await lookAround(other);
        await lookAround(app);
      },
    });
    await accepted([1, 2, 3]);
    await other!.close();
  });

  it('gets nothing of a key between two batches, when another operation ends', async () => {
    const id = await miss();
    await backfill(id, {
      onProgress: async ({ next }) => {
        if (next === null) return;
        const other = await app.deliveries.retryFailed({ subscriberId: id, since: 1 }, 'any');
        expect(other).toMatchObject({ next: null });
        const store = app.strategy.store;
        await giveTurns(store, (await queuePage(store, null, 1000)).queues, clock.now(), null);
        await rows('queue_position > 0', 1);
      },
    });
    await accepted([1, 2]);
  });

  it('gets what is sent meanwhile behind what later batches bring of its key', async () => {
    const { id } = await subscribe({ enabled: false, events: ['order.placed'] });
    const between = Array.from({ length: MORE_THAN_A_BATCH }, () =>
      app.message({ event: 'order.of-others' }),
    );
    await app.pipeline.send(between);
    clock.advance(1);
    await app.pipeline.send([app.message({ orderBy: { key: 'a' } })]);
    await released();
    clock.advance(1);
    await enable(id);
    await backfill(id, {
      onProgress: async ({ next }) => {
        if (next === null) return;
        await app.send({ orderBy: { key: 'a' } });
        await rows('queue_position > 0', 1);
      },
    });
    await accepted([1, 2]);
    expect(await app.rows('SELECT * FROM thorn_bulk_operations')).toEqual([]);
  });

  it('gets what it missed in order from a backfill that is stopped and resumed', async () => {
    const id = await miss();
    const after = await begin(id);
    await lookAround(app);
    expect(await backfill(id, { after })).toMatchObject({ next: null });
    await accepted([1, 2]);
  });

  it('gets what a backfill has begun to send that nobody resumes', async () => {
    await begin(await miss());
    clock.advance(5 * 60_000 - 1);
    await lookAround(app);
    expect(receiver.asked('a')).toEqual([]);
    clock.advance(1);
    await lookAround(app);
    await accepted([2]);
  });

  it('gets its turn at once among more subscribers than a database recurses', async () => {
    const many = MANY_SUBSCRIBERS[kind === 'mariadb' ? kind : 'others'];
    let answerFirst = () => {};
    const held = new Promise<void>((resolve) => (answerFirst = resolve));
    await app.subscribers.create(subscriber(receiver.url('/slow'), { events: ['first'] }));
    for (let count = 0; count < many; count++) {
      await subscribe({ url: receiver.url(`/${count}`), events: ['second'] });
    }
    receiver.reply = ({ path }) => ({ status: 204, ...(path === '/slow' && { after: held }) });
    await app.send({ event: 'first', orderBy: { key: 'a' } });
    await app.send({ event: 'second', orderBy: { key: 'a' } });
    await rows('queue_position > 0', many);
    expect(await queuesOfKeys(app.strategy.store, [hashOf('a')])).toHaveLength(many);
    answerFirst();
    await rows("status = 'succeeded'", many + 1);
  });
});

it('is looked after by workers, once a minute, when nobody resumes a bulk operation', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
  try {
    place = await createDatabase('file');
    app = await open();
    await begin(await miss());
    clock.advance(5 * 60_000);
    expect(receiver.asked('a')).toEqual([]);
    await vi.advanceTimersByTimeAsync(60_000);
    await accepted([2]);
    expect(await app.rows('SELECT * FROM thorn_bulk_operations')).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});
