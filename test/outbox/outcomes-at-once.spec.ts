import { Logger } from '@nestjs/common';
import { afterEach, expect, it, vi } from 'vitest';
import { deliveryId, keyOf } from '../../lib/outbox/tables/keys.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';

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
