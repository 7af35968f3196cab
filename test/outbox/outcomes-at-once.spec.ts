import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Outcome } from '../../lib/outbox/outcome.js';
import { deliveryId, keyOf } from '../../lib/outbox/tables/keys.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';

let place: TestDatabase;
let rig: OutboxApp;
let receiver: ScriptedReceiver;

afterEach(async () => {
  await rig.close();
  await receiver.stop();
  await place.drop();
  vi.restoreAllMocks();
});

it('keeps the row of a delivery that another process is writing at the same time', async () => {
  const errors = vi.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
  [place, receiver] = [await createDatabase('postgres'), await ScriptedReceiver.start()];
  rig = await openOutboxApp(place);
  const { id } = await rig.subscribers.create(subscriber(receiver.url));
  const messages = [rig.message(), rig.message()];
  const other = rig.dataSource.createQueryRunner();
  await other.startTransaction();
  await other.query(
    `INSERT INTO thorn_deliveries (id, message_id, subscriber_id, event, status, reason, attempts, throttled, requests, finished_at)
      VALUES ('${keyOf('dlv_', deliveryId(messages[0]!, id))}', '${keyOf('msg_', messages[0]!.id)}', '${keyOf('sub_', id)}', 'order.placed', 'failed', 'cancelled', 0, 0, 0, 1)`,
  );
  await rig.pipeline.send(messages);
  await vi.waitFor(() =>
    expect(rig.log.statements.some((sql) => /INSERT INTO \W?thorn_deliveries/.test(sql))).toBe(
      true,
    ),
  );
  await other.commitTransaction();
  await other.release();
  await rig.until('SELECT id FROM thorn_pending_messages', (rows) => rows.length === 0);
  const rows = await rig.rows('SELECT status FROM thorn_deliveries ORDER BY status');
  expect(rows).toEqual([{ status: 'failed' }, { status: 'succeeded' }]);
  expect(errors).not.toHaveBeenCalled();
});

it('writes outcomes and ends their message by one statement', async () => {
  [place, receiver] = [await createDatabase('postgres'), await ScriptedReceiver.start()];
  rig = await openOutboxApp(place, { pollInterval: 60_000 });
  await rig.subscribers.create(subscriber(receiver.url));
  await rig.send();
  await rig.until('SELECT id FROM thorn_pending_messages', (rows) => rows.length === 0);
  const written = rig.log.statements.filter((sql) => /INTO \W?thorn_deliveries/.test(sql));
  expect(written).toEqual([expect.stringMatching(/DELETE FROM \W?thorn_pending_messages/)]);
});

describe.each<{ kind: DatabaseKind }>([
  { kind: 'file' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
])('a message on $kind', ({ kind }) => {
  it('keeps its row until the database counts a row of each delivery', async () => {
    [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
    rig = await openOutboxApp(place, { worker: false });
    const { recorder } = rig.strategy.store;
    const message = rig.message();
    await rig.strategy.stage([message], undefined);
    await rig.rows(`UPDATE thorn_pending_messages SET lease = 'held'`);
    const attempted = async (subscribers: readonly string[], deliveries: number) => {
      for (const one of subscribers) recorder.add(outcome(message, one));
      const { id, time } = message;
      recorder.finish({ id, time, token: 'held', againAt: null, deliveries });
      await recorder.flush();
      const [pending, written] = await Promise.all([
        rig.rows('SELECT id FROM thorn_pending_messages'),
        rig.rows('SELECT id FROM thorn_deliveries'),
      ]);
      return [pending.length, written.length];
    };

    expect(await attempted([], 1)).toEqual([1, 0]);
    expect(await attempted(['sub_1'], 2)).toEqual([1, 1]);
    expect(await attempted([], 2)).toEqual([1, 1]);
    expect(await attempted(['sub_2', 'sub_3'], 4)).toEqual([1, 3]);
    expect(await attempted(['sub_4'], 4)).toEqual([0, 4]);
  });
});

function outcome(message: { readonly id: string; readonly time: number }, one: string): Outcome {
  return {
    id: deliveryId(message, one),
    messageId: message.id,
    subscriberId: one,
    event: 'order.placed',
    host: 'example.com',
    state: { status: 'failed', attempts: 0, throttled: 0, nextAt: null, reason: 'cancelled' },
    requests: 0,
    attemptedAt: null,
    previousAttemptAt: null,
    lease: 'held',
    keyHash: null,
    isNew: true,
    at: message.time,
    attempt: null,
    disablesSubscriber: false,
  };
}
