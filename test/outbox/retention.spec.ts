import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Maintenance, type PruneOptions } from '../../lib/outbox/index.js';
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
    const { retention } = rig.strategy.stores[0]!;
    while (await retention.step(clock.now()));
  }

  const bodies = async () => (await rig.rows(MESSAGES)).map(({ body }) => body !== null);

  beforeEach(async () => {
    [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
    clock = new MovableClock();
  });

  afterEach(async () => {
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
      new Maintenance({
        ...{ strategy: rig.strategy, sealer: new SecretSealer(), clock },
        subscribers: new InMemorySubscriberRepository(),
      }).prune(options);
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
    await expect(prune({ after: '9/' })).rejects.toMatchObject({ field: 'after' });
    await expect(prune({ after: '0/x' })).rejects.toMatchObject({ field: 'after' });
    const misspelled = { before: clock.now(), dryrun: true };
    await expect(prune(misspelled)).rejects.toMatchObject({ field: 'dryrun' });
  });
});
