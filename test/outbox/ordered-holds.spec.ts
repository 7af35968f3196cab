import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebhookEventMap } from '../../lib/delivery/index.js';
import type { Subscriber } from '../../lib/subscriber/index.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { type Arrival, OrderedReceiver } from '../support/ordered-receiver.js';
import { EVERY_DIALECT } from '../support/places.js';

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

let place: TestDatabase;
let receiver: OrderedReceiver;
let app: OutboxApp;
let told: (WebhookEventMap['delivery-held'] | WebhookEventMap['delivery-skipped'])[];

const open = async (options: Parameters<typeof openOutboxApp>[1] = {}): Promise<OutboxApp> => {
  const opened = await openOutboxApp(place, {
    schedule: [],
    endpoints: { failures: 1_000_000 },
    timeout: 30_000,
    ...options,
  });
  opened.events.on('delivery-held', (facts) => told.push(facts));
  opened.events.on('delivery-skipped', (facts) => told.push(facts));
  return opened;
};
const subscribe = (changes: Partial<Subscriber> = {}) =>
  app.subscribers.create(subscriber(receiver.url(), { ordered: true, ...changes }));
const change = (id: string, changes: Partial<Subscriber>) =>
  app.subscribers.update(id, { ...changes, updatedAt: new Date() }, 'any');
const send = async (count: number, key = 'a') => {
  for (const _ of upTo(count)) await app.send({ orderBy: { key } });
};
const fails = (fail: (arrival: Arrival) => boolean) => {
  receiver.reply = (arrival) => ({ status: fail(arrival) ? 500 : 204 });
};
const accepted = (sequences: readonly number[], key = 'a') =>
  vi.waitFor(() => expect(receiver.accepted(key)).toEqual(sequences));
const log = async () => (await app.deliveries.list({}, 'any')).items;
const waiting = (count: number) =>
  app.until(
    'SELECT id FROM thorn_deliveries WHERE queue_position > 0',
    (rows) => rows.length === count,
  );
const failed = (count: number) =>
  app.until(
    "SELECT id FROM thorn_deliveries WHERE status = 'failed'",
    (rows) => rows.length === count,
  );
const ended = () =>
  app.until(
    'SELECT id FROM thorn_deliveries WHERE due_at IS NOT NULL',
    (rows) => rows.length === 0,
  );

/** Every worker looks for keys that stand still when it starts, and once a minute. */
const restart = async (options: Parameters<typeof openOutboxApp>[1] = {}) => {
  const { subscribers } = app;
  await app.close();
  app = await open({ subscribers, synchronize: false, ...options });
};

beforeEach(async () => {
  receiver = await OrderedReceiver.start();
  told = [];
});
afterEach(async () => {
  expect(receiver.overlaps).toEqual([]);
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

  it('skips what has failed for good, and tells so', async () => {
    const { id } = await subscribe();
    fails(({ sequence }) => sequence === 1);
    await send(2);
    await accepted([2]);
    expect(told).toMatchObject([
      { subscriberId: id, key: 'a', sequence: 1, reason: 'exhausted', event: 'order.placed' },
    ]);
    expect(told[0]).not.toHaveProperty('until');
  });

  it('ends a request with its timeout, beyond a lease that is renewed', async () => {
    await restart({ timeout: 4000, lease: 2000 });
    await subscribe();
    receiver.reply = ({ sequence }) =>
      sequence === 1 ? { status: 204, after: new Promise(() => {}) } : { status: 204 };
    await send(2);
    await accepted([2]);
    expect(told).toMatchObject([{ sequence: 1, reason: 'exhausted' }]);
    // The receiver does not see the end of the request.
    expect(receiver.overlaps.splice(0)).toEqual(['/hooks a: 1 and 2']);
  });

  it('holds a key until its failed delivery is retried', async () => {
    await subscribe({ onExhausted: 'hold' });
    fails(({ sequence, attempt, key }) => key === 'a' && sequence === 1 && attempt === 1);
    await send(3);
    await send(1, 'b');
    await accepted([1], 'b');
    await waiting(2);
    expect(receiver.asked('a')).toEqual([1]);
    await vi.waitFor(() => expect(told).toHaveLength(1));
    expect(told).toMatchObject([{ key: 'a', sequence: 1, reason: 'exhausted', until: null }]);
    await vi.waitFor(async () =>
      expect(await app.deliveries.stats()).toMatchObject({
        ...{ pending: 2, blocked: 2, holding: 1, due: 0 },
      }),
    );
    const items = await log();
    const held = items.find(({ holding }) => holding)!;
    expect(held).toMatchObject({ status: 'failed', reason: 'exhausted', nextAt: null });
    expect(items.filter(({ blocked }) => blocked)).toMatchObject([
      { status: 'pending', nextAt: null, attemptCount: 0 },
      { status: 'pending', nextAt: null, attemptCount: 0 },
    ]);
    const last = await app.deliveries.findById(items.find(({ blocked }) => blocked)!.id, 'any');
    expect(last).toMatchObject({ blockedBy: held.id });
    expect(await app.deliveries.findById(held.id, 'any')).toMatchObject({ blockedBy: null });
    const pending = await app.deliveries.list({ status: 'pending' }, 'any');
    expect(pending.items.map(({ blocked }) => blocked)).toEqual([true, true]);
    expect(await app.deliveries.retry(held.id, 'any')).toBe('scheduled');
    await accepted([1, 2, 3]);
    await ended();
    expect(await app.deliveries.stats()).toMatchObject({
      pending: 0,
      blocked: 0,
      holding: 0,
      failed: 0,
    });
  });

  it('holds a key until its failed delivery is cancelled', async () => {
    await subscribe({ onExhausted: 'hold' });
    fails(({ sequence }) => sequence === 1);
    await send(3);
    await waiting(2);
    await failed(1);
    const held = (await log()).find(({ holding }) => holding)!;
    expect(await app.deliveries.cancel(held.id, 'any')).toBe('cancelled');
    await accepted([2, 3]);
    expect(await app.deliveries.findById(held.id, 'any')).toMatchObject({
      ...{ status: 'failed', reason: 'cancelled', holding: false },
    });
  });

  it('holds a key for as long as the subscriber says', async () => {
    await subscribe({ onExhausted: 'hold', holdFor: 300 });
    let second = 0;
    receiver.reply = ({ sequence }) => {
      if (sequence === 2) second = Date.now();
      return { status: sequence === 1 ? 500 : 204 };
    };
    await send(3);
    await accepted([2, 3]);
    expect(told).toMatchObject([
      { sequence: 1, until: expect.any(Number) },
      { sequence: 1, key: 'a', reason: 'exhausted' },
    ]);
    const [{ until }] = told as [WebhookEventMap['delivery-held']];
    expect(second).toBeGreaterThanOrEqual(until!);
    await ended();
    expect((await log()).map(({ status, holding }) => [status, holding])).toEqual([
      ['succeeded', false],
      ['succeeded', false],
      ['failed', false],
    ]);
  });

  it('lets a retry by hand wait for what is under way, and for what is earlier', async () => {
    await subscribe({ onExhausted: 'hold' });
    await send(3);
    await accepted([1, 2, 3]);
    await ended();
    const [third, second, first] = await log();
    let answer!: () => void;
    receiver.reply = ({ sequence }) =>
      sequence === 4
        ? { status: 204, after: new Promise((resolve) => (answer = resolve)) }
        : { status: 204 };
    await send(1);
    await vi.waitFor(() => expect(receiver.asked('a')).toHaveLength(4));
    for (const one of [third!, first!, second!]) {
      expect(await app.deliveries.retry(one.id, 'any')).toBe('scheduled');
    }
    await waiting(3);
    await send(1);
    await waiting(4);
    expect(receiver.asked('a')).toHaveLength(4);
    answer();
    await accepted([1, 2, 3, 4, 1, 2, 3, 5]);
  });

  it('gets what it missed in order', async () => {
    const { id } = await subscribe({ enabled: false });
    await send(5);
    await app.until('SELECT id FROM thorn_pending_messages', (rows) => rows.length === 0);
    await change(id, { enabled: true });
    const summary = await app.deliveries.backfill({ subscriberId: id, since: 1 }, 'any');
    expect(summary).toMatchObject({ scheduled: 5, underWay: 0 });
    await accepted(upTo(5));
    fails(() => true);
    await send(4);
    await failed(4);
    fails(() => false);
    expect(await app.deliveries.retryFailed({ subscriberId: id, since: 1 }, 'any')).toMatchObject({
      scheduled: 4,
    });
    await accepted(upTo(9));
  });

  it('ends what waits for its turn when it is disabled, and begins anew', async () => {
    const { id } = await subscribe({ onExhausted: 'hold' });
    fails(() => true);
    await send(4);
    await waiting(3);
    await failed(1);
    await change(id, { enabled: false });
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
    await ended();
    expect(await app.rows('SELECT id FROM thorn_deliveries WHERE key_hash IS NOT NULL')).toEqual(
      [],
    );
    await change(id, { enabled: true });
    fails(() => false);
    await send(2);
    await accepted([5, 6]);
  });

  it.each(['disabled', 'removed'])('ends a held key when it is %s', async (how) => {
    const { id } = await subscribe({ onExhausted: 'hold' });
    fails(({ sequence, attempt }) => sequence === 1 && attempt === 1);
    await send(3);
    await failed(1);
    await waiting(2);
    if (how === 'removed') await app.subscribers.delete(id, 'any');
    else await change(id, { enabled: false });
    await restart();
    await ended();
    expect(
      await app.rows('SELECT DISTINCT reason, key_hash, queue_position FROM thorn_deliveries'),
    ).toEqual([{ reason: 'disabled', key_hash: null, queue_position: null }]);
    if (how === 'removed') return;
    await change(id, { enabled: true });
    expect(await app.deliveries.backfill({ subscriberId: id, since: 1 }, 'any')).toMatchObject({
      scheduled: 3,
    });
    await accepted([1, 2, 3]);
  });

  it('holds a key on when it listens to other events', async () => {
    const { id } = await subscribe({ onExhausted: 'hold' });
    const other = await app.subscribers.create(
      subscriber(receiver.url('/other'), { ordered: true, onExhausted: 'hold' }),
    );
    fails(({ sequence, attempt }) => sequence === 1 && attempt === 1);
    await send(3);
    await failed(2);
    await waiting(4);
    await change(id, { events: ['order.removed'] });
    await change(other.id, { onExhausted: 'skip' });
    await restart();
    await vi.waitFor(() => expect(receiver.accepted('a', '/other')).toEqual([2, 3]));
    const held = (await log()).find(({ holding }) => holding)!;
    expect(held).toMatchObject({ subscriberId: id });
    expect(await app.deliveries.retry(held.id, 'any')).toBe('scheduled');
    await accepted([1, 2, 3]);
  });

  it('gets all that waits once it is no longer ordered', async () => {
    await restart({ timeout: 60_000 });
    const { id } = await subscribe();
    const answers: (() => void)[] = [];
    receiver.reply = () => ({
      status: 204,
      after: new Promise((resolve) => answers.push(resolve)),
    });
    await send(4);
    await waiting(3);
    await change(id, { ordered: false });
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    answers[0]!();
    // None of them waits for another one's answer.
    await vi.waitFor(() => expect(answers).toHaveLength(4));
    for (const answer of answers) answer();
    await vi.waitFor(() => expect(receiver.accepted('a').sort()).toEqual(upTo(4)));
    receiver.overlaps.length = 0;
  });

  it('lets a held key go once it no longer holds', async () => {
    const { id } = await subscribe({ onExhausted: 'hold' });
    fails(({ sequence }) => sequence === 1);
    await send(3);
    await failed(1);
    await waiting(2);
    await change(id, { onExhausted: 'skip' });
    await restart();
    await accepted([2, 3]);
    expect(told).toMatchObject([{ sequence: 1, until: null }, { sequence: 1 }]);
  });

  it('goes on behind a process that died before it gave the next turn', async () => {
    await subscribe({ onExhausted: 'hold' });
    fails(() => true);
    await send(1);
    await send(1, 'b');
    await failed(2);
    await send(2);
    await send(2, 'b');
    await waiting(4);
    const { subscribers } = app;
    await app.close();
    const idle = await open({ subscribers, synchronize: false, worker: false });
    await idle.rows(
      `UPDATE thorn_deliveries SET due_at = NULL, host = NULL, key_hash = NULL, queue_position = NULL WHERE queue_position = 0`,
    );
    await idle.close();
    fails(() => false);
    app = await open({ subscribers, synchronize: false });
    await accepted([2, 3]);
    await accepted([2, 3], 'b');
    expect(receiver.asked('a')).toEqual([1, 2, 3]);
  });

  it('gets the backlog of a paused host, and what a rate limit lets through, in order', async () => {
    const { id } = await subscribe({ rateLimit: { max: 4, per: 1000 } });
    receiver.reply = ({ attempt, sequence }) => ({
      status: sequence === 2 && attempt < 3 ? 503 : 204,
    });
    await app.close();
    app = await open({
      subscribers: app.subscribers,
      synchronize: false,
      schedule: [20, 20, 20],
      endpoints: { failures: 3, probeInterval: 200 },
    });
    await Promise.all([send(3), send(3, 'b'), send(3, 'c')]);
    await accepted(upTo(3));
    await accepted(upTo(3), 'b');
    await accepted(upTo(3), 'c');
    expect(id).toBeDefined();
  });
});
