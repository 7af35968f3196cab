import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../lib/common/id.js';
import { InvalidInputError } from '../../lib/errors/index.js';
import { Deliveries, type ReplaySummary } from '../../lib/outbox/index.js';
import { deliveryId, keyOf } from '../../lib/outbox/tables/keys.js';
import { MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import {
  openOutboxApp,
  type OutboxApp,
  type OutboxAppOptions,
  subscriber,
} from '../support/apps/outbox-app.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const MESSAGES = `SELECT * FROM ${STORED_MESSAGES}`;
const DELIVERIES = 'SELECT * FROM thorn_deliveries ORDER BY id';
const HOUR = 60 * 60_000;
const NONE = { scheduled: 0, expunged: 0, disabled: 0, underWay: 0, resent: 0, next: null };

let place: TestDatabase;
let receiver: ScriptedReceiver;
let rig: OutboxApp;
let clock: MovableClock;
let deliveries: Deliveries;

async function open(kind: DatabaseKind, options: OutboxAppOptions = {}): Promise<void> {
  place = await createDatabase(kind);
  rig = await openOutboxApp(place, {
    clock,
    schedule: [],
    endpoints: { failures: 1_000_000 },
    // On a busy machine an answer takes its time; who is slow has not failed.
    timeout: 60_000,
    ...options,
  });
  deliveries = rig.deliveries;
}

/** Sends so many, one millisecond after the other, and waits until all are in the log. */
async function sent(count: number, event = 'order.placed'): Promise<string[]> {
  const before = (await rig.rows(DELIVERIES)).length;
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    clock.advance(1);
    ids.push((await rig.send({ event })).id);
  }
  await rig.until(DELIVERIES, (rows) => rows.length >= before + count);
  await rig.until(MESSAGES, (rows) => rows.every(({ due_at: due }) => due === null));
  return ids;
}

const settled = () =>
  rig.until(DELIVERIES, (rows) => rows.every(({ status }) => status !== 'pending'));

beforeEach(async () => {
  clock = new MovableClock();
  receiver = await ScriptedReceiver.start();
});

afterEach(async () => {
  await rig.close();
  await receiver.stop();
  await place.drop();
});

describe.each<{ kind: DatabaseKind }>([
  { kind: 'file' },
  { kind: 'memory' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
])('Deliveries on $kind', ({ kind }) => {
  it('lists deliveries by subscriber, message, status, event and time, page by page', async () => {
    await open(kind);
    const one = await rig.subscribers.create(subscriber(receiver.url));
    const two = await rig.subscribers.create(
      subscriber(receiver.url, { id: 'sub_two', events: ['b'] }),
    );
    receiver.answer(204, 500);
    await sent(1, 'a');
    await sent(1, 'c');
    const noon = clock.now() + 1;
    const [last] = await sent(1, 'b');
    await rig.until(DELIVERIES, (rows) => rows.length === 4);
    const listed = async (query: Parameters<Deliveries['list']>[0]) =>
      (await deliveries.list(query, 'any')).items.map(({ event }) => event).sort();

    expect(await listed({})).toEqual(['a', 'b', 'b', 'c']);
    expect(await listed({ subscriberId: two.id })).toEqual(['b']);
    expect(await listed({ subscriberId: one.id })).toEqual(['a', 'b', 'c']);
    expect(await listed({ messageId: last! })).toEqual(['b', 'b']);
    expect(await listed({ status: 'failed' })).toEqual(['c']);
    expect(await listed({ status: 'succeeded' })).toEqual(['a', 'b', 'b']);
    expect(await listed({ status: 'pending' })).toEqual([]);
    expect(await listed({ event: 'b', subscriberId: one.id })).toEqual(['b']);
    expect(await listed({ since: noon })).toEqual(['b', 'b']);
    expect(await listed({ until: new Date(noon) })).toEqual(['a', 'c']);

    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page = await deliveries.list({ limit: 3, after }, 'any');
      seen.push(...page.items.map(({ id }) => id));
      after = page.next;
    } while (after !== null);
    expect(seen).toHaveLength(4);
    expect(seen).toEqual([...seen].sort().reverse());
  });

  it('shows a delivery with its attempts', async () => {
    await open(kind, { schedule: [1000] });
    const { id } = await rig.subscribers.create(subscriber(receiver.url));
    receiver.answer(
      {
        status: 500,
        body: 'x'.repeat(20_000),
        headers: { 'X-Request-Id': 'r1', 'Set-Cookie': 's=1' },
      },
      'reset',
    );
    const began = clock.now() + 1;
    const [message] = await sent(1);
    const { items } = await deliveries.list({}, 'any');
    expect(items).toMatchObject([{ status: 'pending', attemptCount: 1 }]);
    expect(items[0]!.nextAt).toBeGreaterThanOrEqual(began + 1000);
    clock.advance(2000);
    await settled();
    expect(await deliveries.findById(items[0]!.id, 'any')).toEqual({
      id: items[0]!.id,
      messageId: message,
      subscriberId: id,
      expunged: false,
      event: 'order.placed',
      status: 'failed',
      reason: 'exhausted',
      attemptCount: 2,
      latestStatus: null,
      statusClass: 'error',
      nextAt: null,
      rateLimited: false,
      blocked: false,
      blockedBy: null,
      holding: false,
      createdAt: began,
      attemptedAt: clock.now(),
      finishedAt: clock.now(),
      attempts: [
        {
          number: 1,
          startedAt: began,
          duration: expect.any(Number),
          status: 500,
          error: null,
          response: 'x'.repeat(16_384),
          answerHeaders: { 'x-request-id': 'r1', date: expect.any(String) },
          address: '127.0.0.1',
        },
        {
          number: 2,
          startedAt: clock.now(),
          duration: expect.any(Number),
          status: null,
          error: { code: 'connection-reset', message: expect.any(String) },
          response: null,
          answerHeaders: null,
          address: '127.0.0.1',
        },
      ],
    });
  });

  it('shows an owner no deliveries of another owner', async () => {
    await open(kind);
    await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_ann', owner: 'ann' }));
    await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_bob', owner: 'bob' }));
    receiver.otherwise(500);
    await sent(1);
    await rig.until(DELIVERIES, (rows) => rows.length === 2);
    const ann = { owner: 'ann' };
    const mine = await deliveries.list({}, ann);
    expect(mine.items.map((item) => item.subscriberId)).toEqual(['sub_ann']);
    const { items } = await deliveries.list({ subscriberId: 'sub_bob' }, 'any');
    const theirs = items[0]!.id;
    expect((await deliveries.list({ subscriberId: 'sub_bob' }, ann)).items).toEqual([]);
    expect((await deliveries.list({}, { owner: 'eve' })).items).toEqual([]);
    expect((await deliveries.list({}, { owner: null })).items).toEqual([]);
    expect(await deliveries.findById(theirs, ann)).toBeNull();
    expect(await deliveries.retry(theirs, ann)).toBeNull();
    expect(await deliveries.cancel(theirs, ann)).toBeNull();
    expect(await deliveries.retryFailed({ subscriberId: 'sub_bob', since: 0 }, ann)).toBeNull();
    expect(await deliveries.backfill({ subscriberId: 'sub_bob', since: 0 }, ann)).toBeNull();
    expect(receiver.received).toHaveLength(2);
    expect(await deliveries.findById(mine.items[0]!.id, ann)).not.toBeNull();
  });

  it('retries a delivery in any state, with the same ids', async () => {
    await open(kind);
    await rig.subscribers.create(subscriber(receiver.url));
    receiver.answer(404);
    await sent(1);
    const [{ id } = { id: '' }] = (await deliveries.list({}, 'any')).items;
    expect(await deliveries.retry(id, 'any')).toBe('scheduled');
    await receiver.waitFor(2);
    await settled();
    expect(await deliveries.findById(id, 'any')).toMatchObject({
      status: 'succeeded',
      attemptCount: 2,
    });
    expect(await deliveries.retry(id, 'any')).toBe('scheduled');
    const all = await receiver.waitFor(3);
    await settled();
    expect(new Set(all.map((one) => one.id)).size).toBe(1);
    expect(new Set(all.map((one) => one.deliveryId)).size).toBe(1);
    expect((await deliveries.findById(id, 'any'))!.attempts.map(({ number }) => number)).toEqual([
      1, 2, 3,
    ]);
    expect(await deliveries.retry('dlv_unknown', 'any')).toBeNull();
  });

  it('brings a waiting retry forward', async () => {
    await open(kind, { schedule: [HOUR] });
    await rig.subscribers.create(subscriber(receiver.url));
    receiver.answer(500);
    await sent(1);
    const [{ id } = { id: '' }] = (await deliveries.list({}, 'any')).items;
    expect(await deliveries.retry(id, 'any')).toBe('scheduled');
    await receiver.waitFor(2);
    await settled();
  });

  it('explains why it does not retry', async () => {
    await open(kind);
    const one = await rig.subscribers.create(subscriber(receiver.url));
    receiver.otherwise(404);
    await sent(2);
    const { items } = await deliveries.list({}, 'any');
    await rig.rows(
      'UPDATE thorn_messages SET body = NULL WHERE id = ' +
        quoted(keyOf('msg_', items[0]!.messageId)),
    );
    await rig.subscribers.update(one.id, { enabled: false, updatedAt: new Date() }, 'any');
    expect(await deliveries.retry(items[0]!.id, 'any')).toBe('expunged');
    expect(await deliveries.retry(items[1]!.id, 'any')).toBe('disabled');
    const failed = { subscriberId: one.id, since: 0 };
    expect(await deliveries.retryFailed(failed, 'any')).toEqual({
      ...NONE,
      expunged: 1,
      disabled: 1,
    });
    await rig.rows(
      "UPDATE thorn_deliveries SET lease = 'x', due_at = 9999999999999, status = 'pending', reason = NULL WHERE id = " +
        quoted(keyOf('dlv_', items[1]!.id)),
    );
    await rig.subscribers.update(one.id, { enabled: true, updatedAt: new Date() }, 'any');
    expect(await deliveries.retry(items[1]!.id, 'any')).toBe('under-way');
    expect(await deliveries.cancel(items[1]!.id, 'any')).toBe('under-way');
    expect(receiver.received).toHaveLength(2);
  });

  it('retries every failed delivery of a time in batches, and reports the counts', async () => {
    await open(kind);
    const one = await rig.subscribers.create(subscriber(receiver.url));
    const two = await rig.subscribers.create(subscriber(receiver.url, { events: ['other'] }));
    receiver.otherwise(500);
    await sent(1);
    const since = clock.now() + 1;
    await sent(3);
    const until = clock.now() + 1;
    await sent(1);
    await sent(1, 'other');
    await rig.until(DELIVERIES, (rows) => rows.length === 7);
    // A log that is longer than one batch.
    await copies(1200, one.id, since);
    receiver.otherwise(204);
    const range = { subscriberId: one.id, since, until };
    const dry = await deliveries.retryFailed({ ...range, dryRun: true }, 'any');
    expect(dry).toEqual({ ...NONE, scheduled: 1203 });
    expect(receiver.received).toHaveLength(7);
    const progress: ReplaySummary[] = [];
    const done = await deliveries.retryFailed(
      { ...range, onProgress: (summary) => void progress.push(summary) },
      'any',
    );
    expect(done).toEqual(dry);
    expect(progress.map(({ scheduled }) => scheduled)).toEqual([500, 1000, 1203]);
    await receiver.waitFor(7 + 1203);
    await settled();
    expect(
      (await deliveries.list({ subscriberId: one.id, status: 'failed' }, 'any')).items,
    ).toHaveLength(3);
    expect(
      (await deliveries.list({ subscriberId: two.id, status: 'failed' }, 'any')).items,
    ).toHaveLength(1);
  });

  it('brings waiting retries forward, but no delivery without an attempt', async () => {
    await open(kind, { schedule: [HOUR] });
    const one = await rig.subscribers.create(subscriber(receiver.url));
    receiver.otherwise(500);
    await sent(3);
    await rig.rows(
      'UPDATE thorn_deliveries SET requests = 0 WHERE id IN (SELECT id FROM (SELECT id FROM thorn_deliveries ORDER BY id DESC LIMIT 1) newest)',
    );
    receiver.otherwise(204);

    const range = { subscriberId: one.id, since: 0 };
    expect(await deliveries.retryFailed({ ...range, dryRun: true }, 'any')).toEqual({
      ...NONE,
      scheduled: 2,
    });
    expect(await deliveries.retryFailed(range, 'any')).toEqual({ ...NONE, scheduled: 2 });
    await receiver.waitFor(3 + 2);
    await rig.until(
      DELIVERIES,
      (rows) => rows.filter(({ status }) => status === 'succeeded').length === 2,
    );
    expect(await deliveries.retryFailed(range, 'any')).toEqual(NONE);
  });

  it('resumes a bulk operation where it was stopped', async () => {
    await open(kind);
    const one = await rig.subscribers.create(subscriber(receiver.url));
    receiver.otherwise(500);
    await sent(1);
    await copies(600, one.id, clock.now());
    receiver.otherwise(204);
    const stop = new AbortController();
    const options = { subscriberId: one.id, since: 0 };
    const first = await deliveries.retryFailed(
      { ...options, signal: stop.signal, onProgress: () => stop.abort() },
      'any',
    );
    expect(first).toMatchObject({ scheduled: 500, next: expect.any(String) });
    const second = await deliveries.retryFailed({ ...options, after: first!.next }, 'any');
    expect(second).toEqual({ ...NONE, scheduled: 101 });
    await receiver.waitFor(1 + 601);
  });

  it('sends what a subscriber missed while it was disabled, and no message twice', async () => {
    await open(kind);
    const one = await rig.subscribers.create(
      subscriber(receiver.url, { owner: 'ann', events: ['order.*'] }),
    );
    const toggle = (enabled: boolean) =>
      rig.subscribers.update(one.id, { enabled, updatedAt: new Date() }, 'any');
    await sent(1);
    const since = clock.now();
    await toggle(false);
    const draft = { event: 'order.placed' };
    const missed = [
      await rig.send(draft),
      await rig.send({ ...draft, owner: 'ann', audience: 'owner' }),
    ];
    await rig.send({ ...draft, owner: 'bob', audience: 'owner' });
    await rig.send({ event: 'user.created' });
    await rig.until(
      MESSAGES,
      (rows) => rows.length === 5 && rows.every(({ due_at: due }) => due === null),
    );
    expect(await deliveries.backfill({ subscriberId: one.id, since }, 'any')).toEqual({
      ...NONE,
      disabled: 2,
    });
    await toggle(true);
    expect(await deliveries.backfill({ subscriberId: one.id, since, dryRun: true }, 'any')).toEqual(
      {
        ...NONE,
        scheduled: 2,
      },
    );
    expect(receiver.received).toHaveLength(1);
    expect(await deliveries.backfill({ subscriberId: one.id, since }, { owner: 'ann' })).toEqual({
      ...NONE,
      scheduled: 2,
    });
    const received = await receiver.waitFor(3);
    expect(
      received
        .slice(1)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(missed.map(({ id }) => id).sort());
    await settled();
    expect(await deliveries.backfill({ subscriberId: one.id, since }, 'any')).toEqual(NONE);
    expect(receiver.received).toHaveLength(3);
  });

  it('backfills deliveries that ended because their subscriber was disabled', async () => {
    await open(kind, { schedule: [HOUR] });
    const one = await rig.subscribers.create(subscriber(receiver.url));
    receiver.answer(500);
    const since = clock.now();
    await sent(1);
    await rig.subscribers.update(one.id, { enabled: false, updatedAt: new Date() }, 'any');
    clock.advance(2 * HOUR);
    await settled();
    await rig.subscribers.update(one.id, { enabled: true, updatedAt: new Date() }, 'any');
    expect(await deliveries.backfill({ subscriberId: one.id, since }, 'any')).toEqual({
      ...NONE,
      scheduled: 1,
    });
    await receiver.waitFor(2);
    await settled();
  });

  it('makes deliveries due that wait for the rate limit of their subscriber', async () => {
    await open(kind);
    await rig.subscribers.create(subscriber(receiver.url, { rateLimit: { max: 1, per: 60_000 } }));
    for (let n = 0; n < 2; n++) await rig.send();
    await rig.until(
      'SELECT id FROM thorn_deliveries WHERE requests = 0 AND lease IS NULL',
      ({ length }) => length === 1,
    );
    await rig.strategy.onModuleDestroy();
    const { items } = await deliveries.list({ status: 'pending' }, 'any');
    const { id, nextAt } = items[0]!;
    expect(nextAt).toBeGreaterThan(clock.now());
    expect(await deliveries.retry(id, 'any')).toBe('scheduled');
    expect(await deliveries.findById(id, 'any')).toMatchObject({
      ...{ rateLimited: true, nextAt: clock.now() },
    });
  });

  it('cancels waiting deliveries, and emits events', async () => {
    await open(kind, { schedule: [HOUR] });
    await rig.subscribers.create(subscriber(receiver.url));
    const told: unknown[] = [];
    rig.events.on('failed', (payload) => told.push(payload));
    receiver.answer(500);
    await sent(1);
    const [{ id, messageId } = { id: '', messageId: '' }] = (await deliveries.list({}, 'any'))
      .items;
    expect(await deliveries.cancel(id, 'any')).toBe('cancelled');
    expect(told).toMatchObject([
      { deliveryId: id, messageId, reason: 'cancelled', host: new URL(receiver.url).host },
    ]);
    expect(await deliveries.cancel(id, 'any')).toBe('finished');
    expect(await deliveries.findById(id, 'any')).toMatchObject({ reason: 'cancelled' });
    const { subscriberId: owner } = (await deliveries.findById(id, 'any'))!;
    // Called off is called off: no bulk verb brings it back.
    expect(await deliveries.retryFailed({ subscriberId: owner, since: 0 }, 'any')).toEqual(NONE);
  });

  it('counts pending, due and failed deliveries', async () => {
    await open(kind, {
      schedule: [HOUR],
      endpoints: { failures: 1_000_000, probeInterval: 3 * HOUR },
    });
    await rig.subscribers.create(subscriber(receiver.url));
    expect(await deliveries.stats()).toEqual({
      pending: 0,
      due: 0,
      leased: 0,
      rateLimited: 0,
      blocked: 0,
      holding: 0,
      failed: 0,
      pendingMessages: 0,
      dueMessages: 0,
      oldestDue: null,
      oldestDelivery: null,
      lag: 0,
    });
    receiver.answer(500, 410);
    await sent(2);
    expect(await deliveries.stats()).toMatchObject({ pending: 1, failed: 1, due: 0, lag: 0 });
    await rig.rows(
      `UPDATE thorn_deliveries SET host = 'nobody:1', subscriber_id = '${keyOf('sub_', 'x')}' WHERE due_at IS NOT NULL`,
    );
    await rig.strategy.onModuleDestroy();
    clock.advance(2 * HOUR);
    const stats = await deliveries.stats();
    expect(stats).toMatchObject({ pending: 1, due: 1 });
    expect(stats.lag).toBe(clock.now() - stats.oldestDue!);
    const { items } = await deliveries.list({ status: 'pending' }, 'any');
    expect(stats.oldestDelivery).toBe(items[0]!.id);
    expect(stats.lag).toBeGreaterThan(HOUR / 2);
  });

  it('rejects invalid arguments', async () => {
    await open(kind);
    for (const query of [
      { limit: 0 },
      { limit: 1001 },
      { limit: 1.5 },
      { status: 'done' as never },
      { since: Number.NaN },
      { since: Number.MAX_VALUE },
      { subject: '' },
      { subject: 'a\0' },
      { subject: 'a'.repeat(256) },
      { subject: 7 as never },
      { after: 'a b' },
      { after: 'sub_1' },
      { nonsense: 1 } as never,
    ]) {
      await expect(deliveries.list(query, 'any')).rejects.toThrow(InvalidInputError);
    }
    const { id } = await rig.subscribers.create(subscriber(receiver.url));
    for (const [field, value] of [
      ['dryrun', true],
      ['until', Number.MAX_VALUE],
      ['after', 'garbage'],
      ['after', '1:'],
    ] as const) {
      const options = { subscriberId: id, since: 0, [field]: value };
      await expect(deliveries.backfill(options, 'any')).rejects.toMatchObject({ field });
    }
    const since = clock.now() - (24 * HOUR) / 7;
    expect(await deliveries.backfill({ subscriberId: id, since }, 'any')).toMatchObject({});
    expect(await deliveries.list({ since }, 'any')).toMatchObject({ items: [] });
    await expect(deliveries.list({}, undefined as never)).rejects.toThrow(/scope/);
    await expect(deliveries.list({}, {} as never)).rejects.toThrow(/scope/);
    await expect(
      deliveries.retryFailed({ subscriberId: 'sub_1', since: 'now' as never }, 'any'),
    ).rejects.toThrow(/since/);
    await expect(
      deliveries.retryFailed({ subscriberId: 'sub_1', since: 0, after: '7/x' }, 'any'),
    ).rejects.toThrow(/after/);
    expect(await deliveries.findById("' OR 1=1\0", 'any')).toBeNull();
  });
});

/** Adds so many failed deliveries, each of a message of its own, made one after the other from `time` on. */
async function copies(count: number, subscriberId: string, time: number): Promise<void> {
  const [message] = await rig.rows('SELECT * FROM thorn_messages LIMIT 1');
  const now = time;
  for (let n = 0; n < count; n++) {
    const id = newId('msg_', now);
    const delivery = keyOf('dlv_', deliveryId({ id, time: now }, subscriberId));
    await rig.rows(
      `INSERT INTO thorn_messages (id, event, time, audience, headers, settings, recipients, body) SELECT '${keyOf('msg_', id)}', event, ${now}, audience, headers, settings, recipients, body FROM thorn_messages WHERE id = ${quoted(message!['id'] as string)}`,
    );
    await rig.rows(
      `INSERT INTO thorn_deliveries (id, message_id, subscriber_id, given_subscriber_id, event, status, reason, attempts, throttled, requests, finished_at) VALUES ('${delivery}', '${keyOf('msg_', id)}', '${keyOf('sub_', subscriberId)}', '${subscriberId}', 'order.placed', 'failed', 'exhausted', 1, 0, 1, ${now})`,
    );
  }
}

function quoted(text: string): string {
  return `'${text}'`;
}
