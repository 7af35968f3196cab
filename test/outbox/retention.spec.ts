import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MessageStates } from '../../lib/outbox/retention/message-states.js';
import { RetentionSweeper } from '../../lib/outbox/retention/retention-sweeper.js';
import { deliveryKeys, keyOf } from '../../lib/outbox/tables/keys.js';
import { Maintenance, type PruneOptions } from '../../lib/outbox/index.js';
import type { Message } from '../../lib/message/index.js';
import { SecretSealer } from '../../lib/signing/index.js';
import { InMemorySubscriberRepository } from '../../lib/subscriber/index.js';
import { MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import {
  openOutboxApp,
  type OutboxApp,
  type OutboxAppOptions,
  subscriber,
} from '../support/apps/outbox-app.js';
import { STORED_ATTEMPTS } from '../support/stored-attempts.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const DAY = 24 * 60 * 60_000;
const MESSAGES = `SELECT * FROM ${STORED_MESSAGES} ORDER BY time, id`;
const DELIVERIES = 'SELECT * FROM thorn_deliveries ORDER BY id';
const isDone = (rows: Record<string, unknown>[]) => rows.every(({ due_at: due }) => due === null);

describe.each<{ kind: DatabaseKind }>([
  { kind: 'file' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
])('removal of old messages, on $kind', ({ kind }) => {
  let place: TestDatabase;
  let receiver: ScriptedReceiver;
  let clock: MovableClock;
  let rig: OutboxApp;

  async function open(options: OutboxAppOptions): Promise<void> {
    rig = await openOutboxApp(place, { clock, ...options });
    await rig.subscribers.create(subscriber(receiver.url));
  }

  /** What a worker does once a minute, here as often as the clock was moved. */
  async function sweep(): Promise<void> {
    const { retention } = rig.strategy.store;
    while (await retention.step(clock.now()));
  }

  const bodies = async () => (await rig.rows(MESSAGES)).map(({ body }) => body !== null);

  beforeEach(async () => {
    [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
    clock = new MovableClock();
  });

  /** Gives messages as many finished deliveries each, and an answer to each of these. */
  async function addFinished(messages: readonly Message[], count: number): Promise<void> {
    await rig.until('SELECT id FROM thorn_messages', (rows) => rows.length >= messages.length);
    await rig.rows('DELETE FROM thorn_pending_messages');
    const columns =
      'id, message_id, subscriber_id, attempts, throttled, requests, event, status, finished_at, response';
    const series = {
      postgres: `generate_series(1, ${count}) AS s(n)`,
      mariadb: `(SELECT seq AS n FROM seq_1_to_${count}) AS s`,
    };
    const recursive = `(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${count}) SELECT n FROM s) AS s`;
    const uuid = (text: string) => (kind === 'file' ? text : `CAST(${text} AS uuid)`);
    const hex = 'substr(CAST(1000000000000 + s.n AS CHAR(13)), 2)';
    for (const [at, message] of messages.entries()) {
      // The last part but one keeps apart what was sent in one millisecond.
      const start = deliveryKeys(message)[0].slice(0, 19) + (0x8000 + at).toString(16);
      const keys = [
        uuid(`concat('${start}-', ${hex})`),
        uuid(`'${keyOf('msg_', message.id)}'`),
        uuid(`concat('01920000-0000-7000-8000-', ${hex})`),
      ];
      await rig.rows(
        `INSERT INTO thorn_deliveries (${columns}) SELECT ${keys.join(', ')}, 1, 0, 1, 'order.placed', 'succeeded', ${clock.now()}, 'yes' FROM ${series[kind as keyof typeof series] ?? recursive}`,
      );
    }
  }

  /** What an operator does between the two steps of a sweep: after it has read how far messages are. */
  function betweenSteps(act: () => Promise<unknown>): void {
    const { page } = MessageStates.prototype;
    const spy = vi.spyOn(MessageStates.prototype, 'page');
    spy.mockImplementation(async function (this: MessageStates, ...given) {
      const found = await page.apply(this, given);
      if (found.messages.length === 0) return found;
      spy.mockRestore();
      await act();
      return found;
    });
  }

  afterEach(async () => {
    vi.restoreAllMocks();
    await rig.close();
    await receiver.stop();
    await place.drop();
  });

  it('deletes batches without long waits between them', async () => {
    await open({ worker: false });
    const messages = Array.from({ length: 1000 }, () => rig.message());
    await rig.pipeline.send(messages);
    await rig.rows('DELETE FROM thorn_pending_messages');
    clock.advance(31 * DAY);
    const worker = await openOutboxApp(place, { clock, synchronize: false, pollInterval: 60_000 });
    const left = await rig.until(MESSAGES, (rows) => rows.length === 0);
    expect(left).toEqual([]);
    await worker.close();
  });

  it('also drops a message that was finished long after younger ones', async () => {
    await open({ schedule: [DAY], expunge: { payloadDays: 2, responseDays: 2 } });
    receiver.answer({ status: 500, body: 'no' }).otherwise({ body: 'yes' });
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 1);
    clock.advance(1000);
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 2);
    clock.advance(1.2 * DAY);
    await receiver.waitFor(3);
    await rig.until(DELIVERIES, isDone);
    await rig.until(MESSAGES, isDone);
    clock.advance(DAY);
    await sweep();
    expect(await bodies()).toEqual([true, false]);
    clock.advance(2 * DAY);
    await sweep();
    expect(await bodies()).toEqual([false, false]);
    const none = { response: null, answer_headers: null };
    const answers = await rig.rows(`SELECT response, answer_headers FROM ${STORED_ATTEMPTS}`);
    expect(answers).toEqual([none, none, none]);
  });

  it('drops the same when it is asked for at once', async () => {
    await open({ schedule: [9 * DAY], expunge: { payloadDays: 2, responseDays: 1 } });
    receiver.answer({ body: 'yes' }, { status: 500, body: 'no' }).otherwise({ body: 'yes' });
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 1 && isDone(rows));
    // A message of which nothing but headers of an answer is kept.
    await rig.rows(`UPDATE thorn_deliveries SET response = NULL, answer_headers = '{}'`);
    clock.advance(1000);
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 2);
    const prune = (options: PruneOptions = {}) =>
      new Maintenance(
        rig.strategy,
        new InMemorySubscriberRepository(),
        new SecretSealer(),
        clock,
      ).prune(options);
    const nothing = { checked: 2, deleted: 0, bodies: 0, responses: 0, open: 1, next: null };

    clock.advance(1.5 * DAY);
    expect(await prune({ dryRun: true })).toEqual({ ...nothing, responses: 1 });
    expect(await prune()).toEqual({ ...nothing, responses: 1 });
    clock.advance(DAY);
    expect(await prune()).toEqual({ ...nothing, bodies: 1 });
    expect(await bodies()).toEqual([false, true]);
    expect(
      await rig.rows(`SELECT response, answer_headers FROM ${STORED_ATTEMPTS} ORDER BY started_at`),
    ).toMatchObject([
      { response: null, answer_headers: null },
      { response: 'no', answer_headers: expect.stringMatching(/^{"date":/) },
    ]);
    expect(await prune({ before: clock.now() })).toEqual({ ...nothing, deleted: 1 });
    expect(await rig.rows(DELIVERIES)).toHaveLength(1);
    await expect(prune({ before: clock.now() + 1 })).rejects.toMatchObject({ field: 'before' });
    await expect(prune({ before: '2026' as never })).rejects.toMatchObject({ field: 'before' });
    await expect(prune({ after: '9:' })).rejects.toMatchObject({ field: 'after' });
    await expect(prune({ after: 'x' })).rejects.toMatchObject({ field: 'after' });
    const misspelled = { before: clock.now(), dryrun: true };
    await expect(prune(misspelled)).rejects.toMatchObject({ field: 'dryrun' });
  });

  it.each([
    { messages: 3, each: 7000 },
    { messages: 12, each: 1000 },
  ])(
    'deletes $messages messages to $each subscribers in small transactions',
    async ({ messages, each }) => {
      await open({ worker: false, expunge: { responseDays: 1 } });
      const sent = Array.from({ length: messages }, () => rig.message());
      await rig.pipeline.send(sent);
      await addFinished(sent, each);
      const { database, retention } = rig.strategy.store;
      const execute = vi.spyOn(database, 'execute');
      // Of all that was done in one transaction, how long the longest list of ids was.
      const longestList = async () => {
        const results = await Promise.all(
          execute.mock.results.map(({ value }) => value as ReturnType<typeof database.execute>),
        );
        return Math.max(...results.flat().map(({ rows }) => rows.length));
      };
      const answers = 'SELECT COUNT(*) AS n FROM thorn_deliveries WHERE response IS NOT NULL';
      const deliveries = 'SELECT COUNT(*) AS n FROM thorn_deliveries';
      const count = async (sql: string) => Number((await rig.rows(sql))[0]!['n']);

      clock.advance(1.5 * DAY);
      expect(await retention.step(clock.now())).toBe(true);
      expect(await count(answers)).toBeGreaterThan(0);
      await sweep();
      expect(await count(answers)).toBe(0);
      expect(await count(deliveries)).toBe(messages * each);

      clock.advance(30 * DAY);
      await sweep();
      expect(await count(deliveries)).toBe(0);
      expect(await rig.rows(MESSAGES)).toEqual([]);
      expect(await longestList()).toBeLessThan(3500);
    },
  );

  it('deletes messages to many subscribers when it is asked for at once', async () => {
    await open({ worker: false });
    const sent = [rig.message(), rig.message()];
    await rig.pipeline.send(sent);
    await addFinished(sent, 7000);
    clock.advance(31 * DAY);
    const maintenance = new Maintenance(
      rig.strategy,
      new InMemorySubscriberRepository(),
      new SecretSealer(),
      clock,
    );
    const counts = { checked: 2, deleted: 2, bodies: 0, responses: 0, open: 0, next: null };
    expect(await maintenance.prune({ dryRun: true })).toEqual(counts);
    expect(await maintenance.prune()).toEqual(counts);
    expect(await rig.rows(DELIVERIES)).toEqual([]);
  });

  it('drops the answer to a retry when its time has come as well', async () => {
    await open({ expunge: { responseDays: 1 } });
    receiver.otherwise({ body: 'yes' });
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 1 && isDone(rows));
    const { id } = (await rig.deliveries.list({}, 'any')).items[0]!;
    const answers = async () =>
      (await rig.deliveries.findById(id, 'any'))!.attempts.map(({ response }) => response);
    clock.advance(2 * DAY);
    await sweep();
    expect(await answers()).toEqual([null]);

    expect(await rig.deliveries.retry(id, 'any')).toBe('scheduled');
    await receiver.waitFor(2);
    await rig.until(DELIVERIES, isDone);
    clock.advance(0.9 * DAY);
    await sweep();
    expect(await answers()).toEqual([null, 'yes']);
    clock.advance(0.2 * DAY);
    await sweep();
    await sweep();
    expect(await answers()).toEqual([null, null]);
  });

  it('keeps the body of a message that is retried meanwhile', async () => {
    await open({ expunge: { payloadDays: 1 } });
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 1 && isDone(rows));
    const { id } = (await rig.deliveries.list({}, 'any')).items[0]!;
    clock.advance(2 * DAY);
    let answer: unknown;
    betweenSteps(async () => (answer = await rig.deliveries.retry(id, 'any')));
    await sweep();
    expect(answer).toBe('scheduled');
    await receiver.waitFor(2);
    await rig.until(DELIVERIES, isDone);
    expect(await bodies()).toEqual([true]);
    clock.advance(1.5 * DAY);
    await sweep();
    expect(await bodies()).toEqual([false]);
  });

  it('deletes a message that was retried meanwhile, once it is old enough again', async () => {
    await open({});
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 1 && isDone(rows));
    const { id } = (await rig.deliveries.list({}, 'any')).items[0]!;
    clock.advance(31 * DAY);
    betweenSteps(() => rig.deliveries.retry(id, 'any'));
    await sweep();
    await receiver.waitFor(2);
    await rig.until(DELIVERIES, isDone);
    expect(await bodies()).toEqual([true]);
    clock.advance(31 * DAY);
    await sweep();
    expect(await rig.rows(MESSAGES)).toEqual([]);
    expect(await rig.rows(DELIVERIES)).toEqual([]);
  });

  it('takes parts of a day', async () => {
    await open({ retentionDays: 30 / 365, expunge: { payloadDays: 1 / 7, responseDays: 1 / 7 } });
    await rig.send();
    await rig.until(DELIVERIES, (rows) => rows.length === 1 && isDone(rows));
    clock.advance(DAY / 24);
    await sweep();
    expect(await bodies()).toEqual([true]);
    clock.advance(DAY / 24);
    await sweep();
    expect(await bodies()).toEqual([]);
  });

  it('that fails is said by its name, and keeps no delivery back', async () => {
    const step = vi
      .spyOn(RetentionSweeper.prototype, 'step')
      .mockRejectedValue(new Error('no space left'));
    const error = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await open({ schedule: [50, 50, 50, 50] });
    receiver.otherwise({ status: 500 });
    await rig.send();
    for (let n = 1; n <= 5; n++) {
      await receiver.waitFor(n);
      await rig.until(DELIVERIES, (rows) => Number(rows[0]?.['requests'] ?? 0) === n);
      clock.advance(1000);
    }
    await vi.waitFor(() => expect(error).toHaveBeenCalled());
    expect(step).toHaveBeenCalledTimes(1);
    expect(error.mock.calls.map(([line]) => String(line))).toEqual([
      'Deleting old messages failed, again in 60000 ms: no space left',
    ]);
  });
});
