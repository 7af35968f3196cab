import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type AttemptRecord,
  DeliveryLog,
  type LoggedAttempt,
  type ReadKept,
  StandardDeliveryLog,
} from '../../lib/delivery/index.js';
import { MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import {
  openOutboxApp,
  type OutboxApp,
  type OutboxAppOptions,
  subscriber,
} from '../support/apps/outbox-app.js';
import { Receiver } from '../support/receiver.js';
import { STORED_ATTEMPTS } from '../support/stored-attempts.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const MESSAGES = `SELECT * FROM ${STORED_MESSAGES}`;
const DELIVERIES = 'SELECT * FROM thorn_deliveries ORDER BY id';
const ATTEMPTS = `SELECT * FROM ${STORED_ATTEMPTS} ORDER BY delivery_id, number`;

let place: TestDatabase;
let receiver: ScriptedReceiver;
let rig: OutboxApp;
let clock: MovableClock;
let errors: string[];

async function open(kind: DatabaseKind, options: OutboxAppOptions = {}): Promise<void> {
  place = await createDatabase(kind);
  rig = await openOutboxApp(place, {
    clock,
    schedule: [1000],
    endpoints: { failures: 1_000_000 },
    ...options,
  });
}

const settled = () =>
  rig.until(DELIVERIES, (rows) => rows.every(({ status }) => status !== 'pending'));

/** Sends so many messages, and waits until the first attempt of each is written. */
async function sent(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await rig.send();
  await rig.until(DELIVERIES, (rows) => rows.length === count);
  await rig.until(MESSAGES, (rows) => rows.every(({ due_at: due }) => due === null));
}

beforeEach(async () => {
  clock = new MovableClock();
  receiver = await ScriptedReceiver.start();
  errors = [];
  vi.spyOn(Logger.prototype, 'error').mockImplementation((line) => void errors.push(String(line)));
});

afterEach(async () => {
  await rig.close();
  await receiver.stop();
  await place.drop();
  vi.restoreAllMocks();
});

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'memory' }, { kind: 'postgres' }])(
  'the delivery log, on $kind',
  ({ kind }) => {
    it('keeps only failed attempts, and every delivery', async () => {
      await open(kind, { deliveryLog: new StandardDeliveryLog('failures') });
      await rig.subscribers.create(subscriber(receiver.url));
      receiver.answer(204, 500);
      await sent(2);
      clock.advance(2000);
      await settled();
      const { items } = await rig.deliveries.list({}, 'any');
      expect(items.map(({ status, attemptCount }) => [status, attemptCount]).sort()).toEqual([
        ['succeeded', 1],
        ['succeeded', 2],
      ]);
      expect(await rig.rows(ATTEMPTS)).toMatchObject([{ number: 1, status: 500 }]);
      const failedOnce = items.find(({ attemptCount }) => attemptCount === 2)!;
      const { attempts: log } = (await rig.deliveries.findById(failedOnce.id, 'any'))!;
      expect(log).toMatchObject([{ number: 1, status: 500 }]);
    });

    it('keeps no attempt, and still sends no message twice', async () => {
      await open(kind, { deliveryLog: new StandardDeliveryLog('nothing') });
      const one = await rig.subscribers.create(subscriber(receiver.url));
      receiver.answer(204, 500);
      await sent(2);
      clock.advance(2000);
      await settled();
      expect(await rig.rows(ATTEMPTS)).toEqual([]);
      const { items } = await rig.deliveries.list({}, 'any');
      expect((await rig.deliveries.findById(items[0]!.id, 'any'))!.attempts).toEqual([]);
      const summary = await rig.deliveries.backfill({ subscriberId: one.id, since: 0 }, 'any');
      expect(summary).toMatchObject({ scheduled: 0 });
      expect(receiver.received).toHaveLength(3);
    });

    it('writes attempts in batches, in the transaction of their outcomes', async () => {
      const busy = await Receiver.start();
      /** Answers at once when so many requests have arrived. */
      const answer = async (status: number, count: number) => {
        let go = () => {};
        [busy.status, busy.hold] = [status, new Promise<void>((resolve) => (go = resolve))];
        clock.advance(1500);
        await busy.waitFor(count);
        go();
      };
      await open(kind, { schedule: [1000, 1000] });
      for (let n = 0; n < 20; n++) await rig.subscribers.create(subscriber(busy.url));
      await Promise.all([answer(500, 20), rig.send()]);
      await rig.until(DELIVERIES, (rows) => rows.length === 20);
      expect(await rig.rows(ATTEMPTS)).toHaveLength(20);
      expect(await rig.rows('SELECT * FROM thorn_attempts')).toEqual([]);
      await answer(500, 40);
      await rig.until(DELIVERIES, (rows) => rows.every(({ requests }) => requests === 2));
      expect(await rig.rows(ATTEMPTS)).toHaveLength(40);
      const inserts = rig.log.statements.filter((sql) => /INTO \S*thorn_attempts/.test(sql));
      expect(inserts.length).toBeLessThan(10);

      await rig.rows('ALTER TABLE thorn_attempts RENAME TO elsewhere');
      await answer(204, 60);
      await vi.waitFor(() => expect(errors.join()).toMatch(/Writing \d+ outcome\(s\) failed/));
      expect(await rig.rows(DELIVERIES)).toMatchObject(
        Array.from({ length: 20 }, () => ({ status: 'pending', requests: 2 })),
      );
      await rig.rows('ALTER TABLE elsewhere RENAME TO thorn_attempts');
      await settled();
      expect(await rig.rows(ATTEMPTS)).toHaveLength(60);
      await busy.stop();
    });

    it('stores the first attempt with its delivery, also after a wait for the rate limit', async () => {
      await open(kind, { schedule: [1000], endpoints: { failures: 1_000_000 } });
      await rig.subscribers.create(
        subscriber(receiver.url, { rateLimit: { max: 1, per: 60_000 } }),
      );
      receiver.answer({ body: 'at once' }, { status: 500, body: 'no' }, { body: 'again' });
      await rig.send();
      await rig.send();
      await rig.until(DELIVERIES, (rows) => rows.length === 2);
      clock.advance(70_000);
      await rig.until(DELIVERIES, (rows) => rows.every(({ requests }) => requests === 1));
      expect(await rig.rows('SELECT * FROM thorn_attempts')).toEqual([]);
      clock.advance(70_000);
      await settled();
      const { items } = await rig.deliveries.list({}, 'any');
      const found = await Promise.all(items.map(({ id }) => rig.deliveries.findById(id, 'any')));
      const attempts = found.map((one) => one!.attempts).toSorted((a, b) => a.length - b.length);
      expect(attempts).toMatchObject([
        [{ number: 1, status: 200, response: 'at once' }],
        [
          { number: 1, status: 500, response: 'no' },
          { number: 2, status: 200, response: 'again' },
        ],
      ]);
      const [first, second] = attempts[1]!;
      expect(second!.startedAt - first!.startedAt).toBeGreaterThanOrEqual(60_000);
    });
  },
);

/** Tells what it is told, and decides nothing. */
class Told extends DeliveryLog {
  readonly sets: (readonly LoggedAttempt[])[] = [];
  hold: Promise<void> | null = null;

  override keeps(): boolean {
    return true;
  }

  override async written(attempts: readonly LoggedAttempt[]): Promise<void> {
    this.sets.push(attempts);
    await this.hold;
  }

  override async attemptsOf(_delivery: string, kept: ReadKept): Promise<readonly AttemptRecord[]> {
    return kept();
  }

  get numbers(): (readonly [number, string])[] {
    return this.sets.flat().map(({ number, status }) => [number, status] as const);
  }
}

describe('a custom delivery log', () => {
  it('receives every attempt once it is stored, with the state of the delivery', async () => {
    const log = new Told();
    await open('file', { deliveryLog: log });
    await rig.subscribers.create(subscriber(receiver.url));
    receiver.answer(500);
    await sent(1);
    await vi.waitFor(() => expect(log.numbers).toEqual([[1, 'pending']]));
    clock.advance(2000);
    await settled();
    await vi.waitFor(() =>
      expect(log.numbers).toEqual([
        [1, 'pending'],
        [2, 'succeeded'],
      ]),
    );
    const [first] = log.sets.flat();
    expect(first).toMatchObject({
      host: new URL(receiver.url).host,
      attempt: { status: 500, event: 'order.placed' },
    });
  });

  it('supplies the attempts of a delivery', async () => {
    class Elsewhere extends Told {
      override async attemptsOf(): Promise<readonly AttemptRecord[]> {
        const answer = 'from elsewhere';
        return [
          {
            number: 1,
            startedAt: 1,
            duration: 1,
            status: 200,
            error: null,
            response: answer,
            answerHeaders: null,
            address: null,
          },
        ];
      }
    }
    await open('file', { deliveryLog: new Elsewhere() });
    await rig.subscribers.create(subscriber(receiver.url));
    await sent(1);
    const [delivery] = (await rig.deliveries.list({}, 'any')).items;
    const { attempts: log } = (await rig.deliveries.findById(delivery!.id, 'any'))!;
    expect(log.map(({ response }) => response)).toEqual(['from elsewhere']);
  });

  it('delays no delivery when it is slow, and receives the gathered attempts in one batch', async () => {
    const log = new Told();
    let resolve = () => {};
    log.hold = new Promise<void>((done) => (resolve = done));
    await open('file', { deliveryLog: log });
    await rig.subscribers.create(subscriber(receiver.url));
    await sent(1);
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 2);
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 3);
    expect(log.sets).toHaveLength(1);
    log.hold = null;
    resolve();
    await vi.waitFor(() => expect(log.sets.map(({ length }) => length)).toEqual([1, 2]));
  });

  it('finishes before shutdown', async () => {
    const log = new Told();
    let resolve = () => {};
    log.hold = new Promise<void>((done) => (resolve = done));
    await open('file', { deliveryLog: log });
    await rig.subscribers.create(subscriber(receiver.url));
    await sent(1);
    let isClosed = false;
    const closing = rig.strategy.onApplicationShutdown().then(() => (isClosed = true));
    await vi.waitFor(() => expect(log.sets).toHaveLength(1));
    await rig.rows('SELECT 1');
    expect(isClosed).toBe(false);
    resolve();
    await closing;
  });

  it('stops no delivery when it fails', async () => {
    class Broken extends Told {
      override keeps(): boolean {
        throw new Error('no opinion');
      }
      override async written(): Promise<void> {
        throw new Error('https://logs.example.com/in?token=s3cret is away');
      }
    }
    await open('file', { deliveryLog: new Broken() });
    await rig.subscribers.create(subscriber(receiver.url));
    await sent(2);
    expect(await rig.rows(ATTEMPTS)).toHaveLength(2);
    expect(receiver.received).toHaveLength(2);
    await vi.waitFor(() => expect(errors.some((text) => text.includes('is away'))).toBe(true));
    expect(errors).toContain('The delivery log failed to judge an attempt: no opinion');
    expect(errors.join()).not.toContain('s3cret');
  });
});
