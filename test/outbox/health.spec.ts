import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import type { WebhookEventMap } from '../../lib/delivery/index.js';
import { MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import {
  openOutboxApp,
  type OutboxApp,
  type OutboxAppOptions,
  subscriber,
} from '../support/apps/outbox-app.js';

const DAY = 24 * 60 * 60_000;
const HEALTH = 'SELECT * FROM thorn_health';
const DELIVERIES = 'SELECT * FROM thorn_deliveries ORDER BY id';

let place: TestDatabase;
let receiver: ScriptedReceiver;
let rigs: OutboxApp[];
let clock: MovableClock;

async function open(kind: DatabaseKind, options: OutboxAppOptions = {}): Promise<OutboxApp> {
  if (rigs.length === 0) place = await createDatabase(kind);
  const rig = await openOutboxApp(place, {
    clock,
    synchronize: rigs.length === 0,
    // One attempt each: a delivery that failed does not come back when the clock moves.
    schedule: [],
    endpoints: { failures: 1_000_000 },
    // On a busy machine an answer takes its time; who is slow has not failed.
    timeout: 60_000,
    health: { disableAfter: 5 * DAY },
    ...options,
  });
  rigs.push(rig);
  return rig;
}

function heard<Name extends 'subscriber-failing' | 'subscriber-disabled'>(
  rig: OutboxApp,
  name: Name,
) {
  const told: WebhookEventMap[Name][] = [];
  rig.events.on(name, (payload) => told.push(payload));
  return told;
}

const isEnabled = async (rig: OutboxApp, id: string) =>
  (await rig.subscribers.findById(id, 'any'))!.enabled;

async function fails(rig: OutboxApp, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await rig.send();
}

beforeEach(async () => {
  rigs = [];
  clock = new MovableClock();
  receiver = await ScriptedReceiver.start();
  vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
});

afterEach(async () => {
  vi.restoreAllMocks();
  for (const rig of rigs) await rig.close();
  await receiver.stop();
  await place.drop();
});

describe.each<{ kind: DatabaseKind }>([
  { kind: 'file' },
  { kind: 'memory' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
])('health on $kind', ({ kind }) => {
  it('disables a subscriber that failed for five days and 20 messages, and tells the owner', async () => {
    receiver.otherwise(500);
    const rig = await open(kind);
    const one = await rig.subscribers.create(subscriber(receiver.url, { owner: 'ann' }));
    const [failing, disabled] = [
      heard(rig, 'subscriber-failing'),
      heard(rig, 'subscriber-disabled'),
    ];
    const began = clock.now();
    await fails(rig, 19);
    await rig.until(HEALTH, ([row]) => row?.['failing_messages'] === 19);
    const facts = { subscriberId: one.id, owner: 'ann', host: new URL(receiver.url).host };
    expect(failing).toEqual([]);
    for (const [days, share] of [
      [2.5, 50],
      [3.75, 75],
      [4.5, 90],
    ] as const) {
      clock.advance(began + days * DAY - clock.now());
      await fails(rig, 1);
      await vi.waitFor(() => expect(failing.at(-1)).toMatchObject({ share }));
    }
    expect(failing).toHaveLength(3);
    expect(failing.at(-1)).toMatchObject({
      ...{ ...facts, failingSince: began, failingMessages: 22, status: 500, error: null },
      disablesAt: began + 5 * DAY,
    });

    clock.advance(began + 5 * DAY - 1 - clock.now());
    await fails(rig, 1);
    await rig.until(HEALTH, ([row]) => row?.['failing_messages'] === 23);
    expect(await isEnabled(rig, one.id)).toBe(true);

    clock.advance(1);
    await fails(rig, 1);
    await vi.waitFor(() => expect(disabled).toHaveLength(1));
    expect(disabled).toEqual([
      {
        ...{ ...facts, failingSince: began, failingMessages: 24, reason: 'failing' },
        ...{ share: 100, status: 500, error: null, disablesAt: null },
      },
    ]);
    expect(await isEnabled(rig, one.id)).toBe(false);
    await rig.send();
    await rig.until(HEALTH, (rows) => rows.length === 0);
    expect(receiver.received).toHaveLength(24);
    expect(failing).toHaveLength(3);
  });

  it('waits for enough messages, however long that takes', async () => {
    receiver.otherwise(500);
    const rig = await open(kind);
    const one = await rig.subscribers.create(subscriber(receiver.url));
    await fails(rig, 1);
    await rig.until(HEALTH, (rows) => rows.length === 1);
    clock.advance(50 * DAY);
    const failing = heard(rig, 'subscriber-failing');
    await fails(rig, 18);
    await rig.until(HEALTH, ([row]) => row?.['failing_messages'] === 19);
    // The five days are over, so it may be disabled at any time.
    await vi.waitFor(() =>
      expect(failing.at(-1)).toMatchObject({ share: 90, disablesAt: clock.now() }),
    );
    expect(await isEnabled(rig, one.id)).toBe(true);
    await fails(rig, 1);
    await vi.waitFor(async () => expect(await isEnabled(rig, one.id)).toBe(false));
  });

  it('starts counting again after a success', async () => {
    const rig = await open(kind);
    const one = await rig.subscribers.create(subscriber(receiver.url));
    const failing = heard(rig, 'subscriber-failing');
    for (const told of [1, 2]) {
      receiver.otherwise(500);
      await fails(rig, 25);
      await rig.until(HEALTH, ([row]) => row?.['failing_messages'] === 25);
      clock.advance(4 * DAY);
      await fails(rig, 1);
      await vi.waitFor(() => expect(failing).toHaveLength(told));
      receiver.otherwise(204);
      await rig.send();
      await rig.until(HEALTH, (rows) => rows.length === 0);
    }
    expect(failing.map(({ share }) => share)).toEqual([80, 80]);
    expect(await isEnabled(rig, one.id)).toBe(true);
  });

  it('counts a message once, however many attempts it had', async () => {
    receiver.otherwise(500);
    const rig = await open(kind, { schedule: [1000, 1000, 1000] });
    await rig.subscribers.create(subscriber(receiver.url));
    await rig.send();
    for (let n = 1; n < 4; n++) {
      await rig.until(DELIVERIES, ([row]) => row?.['requests'] === n && row['lease'] === null);
      clock.advance(2000);
    }
    await rig.until(DELIVERIES, ([row]) => row?.['status'] === 'failed');
    await rig.strategy.onApplicationShutdown();
    expect(await rig.rows(HEALTH)).toMatchObject([{ failing_messages: 1 }]);
  });

  it('disables a subscriber that answers 410 at once, and ends its waiting deliveries', async () => {
    const rig = await open(kind, { schedule: [DAY] });
    const one = await rig.subscribers.create(subscriber(receiver.url));
    const disabled = heard(rig, 'subscriber-disabled');
    receiver.answer(500, 410);
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 1);
    await rig.send();
    await rig.until(
      DELIVERIES,
      (rows) => rows.length === 2 && rows.every(({ status }) => status === 'failed'),
    );
    await vi.waitFor(() => expect(disabled).toHaveLength(1));
    expect(disabled[0]).toMatchObject({ subscriberId: one.id, reason: 'gone' });
    expect(await isEnabled(rig, one.id)).toBe(false);
    const rows = await rig.rows(DELIVERIES);
    expect(rows.map(({ reason }) => reason).sort()).toEqual(['disabled', 'gone']);
  });

  it('does not count our own errors against a subscriber', async () => {
    const rig = await open(kind);
    await rig.subscribers.create(subscriber(receiver.url, { contentType: 'text/unknown' }));
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 1);
    await rig.strategy.onApplicationShutdown();
    expect(await rig.rows('SELECT error_code FROM thorn_deliveries')).toEqual([
      { error_code: 'unencodable' },
    ]);
    expect(await rig.rows(HEALTH)).toEqual([]);
  });

  it('reads and writes in batches, and runs no statement while every delivery succeeds', async () => {
    const rig = await open(kind);
    await rig.subscribers.create(subscriber(receiver.url));
    rig.log.statements.length = 0;
    const began = performance.now();
    await rig.pipeline.send(Array.from({ length: 200 }, () => rig.message()));
    await rig.until(DELIVERIES, (rows) => rows.length === 200);
    const ours = () =>
      rig.log.statements.filter((sql) => /thorn_health/.test(sql) && sql !== HEALTH);
    // Whether somebody else has seen it fail is looked up once a second at most.
    expect(ours().filter((sql) => !sql.startsWith('SELECT'))).toEqual([]);
    expect(ours().length).toBeLessThanOrEqual((performance.now() - began) / 1000);
    receiver.otherwise(500);
    rig.log.statements.length = 0;
    await rig.pipeline.send(Array.from({ length: 200 }, () => rig.message()));
    await rig.until(HEALTH, ([row]) => row?.['failing_messages'] === 200);
    // Three for each set of outcomes at most, and for what was left of the successes. One by one they would be 600.
    const sets = rig.log.statements.filter((sql) => /INTO \W?thorn_deliveries/.test(sql));
    expect(ours().length).toBeLessThanOrEqual(3 * (sets.length + 1));
    expect(ours().length).toBeLessThan(200);
  });
});

describe.each<{ kind: DatabaseKind }>([
  { kind: 'file' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
])('health of several processes on $kind', ({ kind }) => {
  it('adds up the failures of every process, and resets all of them at a success in one', async () => {
    receiver.otherwise(500);
    const one = await open(kind);
    const two = await open(kind, { subscribers: one.subscribers });
    const disabled = [heard(one, 'subscriber-disabled'), heard(two, 'subscriber-disabled')];
    const { id } = await one.subscribers.create(subscriber(receiver.url));
    await Promise.all([fails(one, 15), fails(two, 15)]);
    await one.until(HEALTH, ([row]) => row?.['failing_messages'] === 30);
    receiver.otherwise(204);
    await two.send();
    await one.until(HEALTH, (rows) => rows.length === 0);
    receiver.otherwise(500);
    await Promise.all([fails(one, 10), fails(two, 9)]);
    await one.until(HEALTH, ([row]) => row?.['failing_messages'] === 19);
    clock.advance(5 * DAY);
    await fails(one, 1);
    await vi.waitFor(async () => expect(await isEnabled(one, id)).toBe(false));
    await vi.waitFor(() => expect(disabled.flat()).toHaveLength(1));
  });
});
