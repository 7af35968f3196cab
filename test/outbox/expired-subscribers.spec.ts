import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TypeOrmClient } from '../../lib/database/typeorm-client.js';
import type { WebhookEventMap } from '../../lib/delivery/index.js';
import { SubscriberExpiry } from '../../lib/dispatch/index.js';
import { thornEntities } from '../../lib/typeorm/index.js';
import { DatabaseSubscriberRepository, type Subscriber } from '../../lib/subscriber/index.js';
import { MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import { Receiver } from '../support/receiver.js';

const DAY = 24 * 60 * 60_000;
const TTL = 60_000;
const DELIVERIES = 'SELECT event, status, reason, requests FROM thorn_deliveries ORDER BY event';

let clock: MovableClock;
let receiver: ScriptedReceiver;
let place: TestDatabase;
let sources: DataSource[];
/** Two processes: that of the worker, and another. */
let here: DatabaseSubscriberRepository;
let there: DatabaseSubscriberRepository;
let rig: OutboxApp;
let told: WebhookEventMap['subscriber-expired'][];
let passes: SubscriberExpiry[];

async function open(kind: DatabaseKind): Promise<void> {
  place = await createDatabase(kind);
  const entities = thornEntities;
  for (const synchronize of [true, false]) {
    sources.push(await new DataSource({ ...place.options, entities, synchronize }).initialize());
  }
  [here, there] = sources.map(
    (source) => new DatabaseSubscriberRepository(new TypeOrmClient(source), clock),
  ) as [DatabaseSubscriberRepository, DatabaseSubscriberRepository];
  rig = await openOutboxApp(place, {
    ...{ clock, subscribers: here, perHost: 1, isLogged: false, timeout: 60_000 },
    schedule: [10_000, 2 * TTL],
  });
  rig.events.on('subscriber-expired', (payload) => told.push(payload));
  const { events, strategy } = rig;
  passes = [here, there].map(
    (subscribers) => new SubscriberExpiry(subscribers, events, clock, strategy),
  );
}

const subscribe = (changes: Partial<Subscriber> = {}) =>
  here.create(subscriber(receiver.url, { expiresAt: new Date(clock.now() + TTL), ...changes }));
const renew = (repository: DatabaseSubscriberRepository, { id }: Subscriber) =>
  repository.update(
    id,
    { expiresAt: new Date(clock.now() + DAY), updatedAt: new Date(clock.now()) },
    'any',
  );
const pass = () => Promise.all(passes.map((one) => one.pass()));
const events = () => receiver.received.map(({ event }) => event);
/** The deliveries, once as many as that have ended. */
async function deliveries(count: number) {
  const isOver = (rows: Record<string, unknown>[]) =>
    rows.length === count && rows.every(({ status }) => status !== 'pending');
  const rows = await rig.until(DELIVERIES, isOver);
  return rows.map(({ event, status, reason, requests }) => [
    event,
    status,
    reason,
    Number(requests),
  ]);
}

beforeEach(async () => {
  [sources, told] = [[], []];
  clock = new MovableClock();
  receiver = await ScriptedReceiver.start();
});

afterEach(async () => {
  await rig.close();
  for (const source of sources) await source.destroy();
  await receiver.stop();
  await place.drop();
});

describe.each<{ kind: DatabaseKind }>([
  { kind: 'file' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
])('a subscriber with an end, on $kind', ({ kind }) => {
  beforeEach(() => open(kind));

  it('gets nothing from then on, retries included, and is told and removed once', async () => {
    const { id, expiresAt } = await subscribe({ owner: 'ann' });
    const other = await subscribe({ expiresAt: null, events: ['other'] });
    receiver.otherwise(500);
    await rig.send({ event: 'a' });
    await vi.waitFor(() => expect(events()).toEqual(['a']));
    await rig.until(DELIVERIES, ([row]) => Number(row?.['requests']) === 1);
    clock.advance(TTL - 1);
    rig.strategy.wake();
    await rig.until(DELIVERIES, ([row]) => Number(row?.['requests']) === 2);
    await pass();
    expect(told).toEqual([]);

    clock.advance(1);
    await rig.send({ event: 'b' });
    receiver.otherwise(204);
    await rig.send({ event: 'other' });
    await vi.waitFor(() => expect(events()).toEqual(['a', 'a', 'other']));
    // The retry is due in two minutes: what waits ends without it.
    await Promise.all([pass(), pass()]);
    expect(told).toEqual([
      { subscriberId: id, owner: 'ann', host: new URL(receiver.url).host, expiresAt: +expiresAt! },
    ]);
    expect(await deliveries(2)).toEqual([
      ['a', 'failed', 'expired', 2],
      ['other', 'succeeded', null, 1],
    ]);

    clock.advance(7 * DAY - 1);
    await pass();
    expect(await there.findById(id, 'any')).not.toBeNull();
    clock.advance(60 * 60_000);
    await pass();
    expect(await there.findById(id, 'any')).toBeNull();
    expect(await there.findById(other.id, 'any')).not.toBeNull();
    expect(told).toHaveLength(1);
    expect(events()).toEqual(['a', 'a', 'other']);
  });

  it('is not tried again when the retry is due after the end', async () => {
    await subscribe();
    receiver.otherwise(500);
    await rig.send({ event: 'a' });
    await rig.until(DELIVERIES, ([row]) => Number(row?.['requests']) === 1);
    clock.advance(DAY);
    rig.strategy.wake();

    expect(await deliveries(1)).toEqual([['a', 'failed', 'expired', 1]]);
    expect(events()).toEqual(['a']);
  });

  it('loses nothing when another process renews it in the last moment', async () => {
    const one = await subscribe();
    receiver.answer(500);
    await rig.send({ event: 'a' });
    await rig.until(DELIVERIES, ([row]) => Number(row?.['requests']) === 1);
    clock.advance(TTL - 2);
    // Read in this moment, it is not read again for five seconds.
    await here.match({ event: 'a', owner: null, audience: 'everyone' });
    clock.advance(1);
    await renew(there, one);
    clock.advance(1);
    await pass();
    await rig.send({ event: 'b' });
    rig.strategy.wake();

    expect(await deliveries(2)).toEqual([
      ['a', 'succeeded', null, 2],
      ['b', 'succeeded', null, 1],
    ]);
    expect(told).toEqual([]);
  });
});

describe('a subscriber with an end', () => {
  beforeEach(() => open('file'));

  it.each([
    ['ends', 'expired'],
    ['is renewed by another process', null],
  ])('while its first attempt waits for a slot: it %s', async (_, reason) => {
    const busy = await Receiver.start();
    let answer = () => {};
    busy.hold = new Promise<void>((resolve) => (answer = resolve));
    const one = await subscribe({ url: busy.url });
    await rig.send({ event: 'a' });
    await rig.send({ event: 'b' });
    await busy.waitFor(1);
    if (reason === null) await renew(there, one);
    clock.advance(TTL);
    answer();

    expect(await deliveries(2)).toEqual([
      ['a', 'succeeded', null, 1],
      reason === null ? ['b', 'succeeded', null, 1] : ['b', 'failed', 'expired', 0],
    ]);
    expect(busy.events).toEqual(reason === null ? ['a', 'b'] : ['a']);
    await busy.stop();
  });

  it('gets what is sent once it is renewed, though its end is told only then', async () => {
    const { id, expiresAt } = await subscribe();
    receiver.answer(500);
    clock.advance(TTL);
    await there.markExpired(clock.now(), 1);
    await renew(here, { id } as Subscriber);
    await rig.send({ event: 'a' });
    await rig.until(DELIVERIES, ([row]) => Number(row?.['requests']) === 1);
    const payload = { subscriberId: id, owner: null, host: 'a', expiresAt: +expiresAt! };
    rig.events.emit('subscriber-expired', () => payload);
    await vi.waitFor(() => expect(told).toEqual([payload]));
    clock.advance(2 * TTL);
    rig.strategy.wake();

    expect(await deliveries(1)).toEqual([['a', 'succeeded', null, 2]]);
  });

  it('lets its keys go on once it is renewed, and is told again of its next end', async () => {
    const one = await subscribe({ ordered: true, onExhausted: 'hold' });
    receiver.otherwise(500);
    for (const event of ['a', 'b']) await rig.send({ event, orderBy: { key: 'k' } });
    await rig.until(DELIVERIES, ([row]) => Number(row?.['requests']) === 1);
    clock.advance(TTL);
    await pass();
    expect(await deliveries(2)).toEqual([
      ['a', 'failed', 'expired', 1],
      ['b', 'failed', 'expired', 0],
    ]);

    receiver.otherwise(204);
    await renew(here, one);
    await rig.send({ event: 'c', orderBy: { key: 'k' } });
    await vi.waitFor(() => expect(events()).toEqual(['a', 'c']));
    const { scheduled } = (await rig.deliveries.backfill(
      { subscriberId: one.id, since: new Date(clock.now() - DAY) },
      'any',
    ))!;
    expect(scheduled).toBe(2);
    await vi.waitFor(() => expect(events()).toEqual(['a', 'c', 'a', 'b']));
    clock.advance(DAY);
    await pass();
    expect(told).toHaveLength(2);
  });
});
