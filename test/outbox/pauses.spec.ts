import { afterEach, beforeEach, expect, it } from 'vitest';
import { keyOf } from '../../lib/outbox/tables/keys.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import type { OutboxProcessTask } from '../support/processes/outbox.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';

const MESSAGES = 'SELECT id FROM thorn_pending_messages';
const DELIVERIES = 'SELECT id, status, requests FROM thorn_deliveries';
const LATER = 5;

let place: TestDatabase;
let receiver: ScriptedReceiver;
let rig: OutboxApp;
let worker: Child;

beforeEach(async () => {
  [place, receiver] = [await createDatabase('postgres'), await ScriptedReceiver.start()];
  rig = await openOutboxApp(place, { worker: false });
  await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_0' }));
  const task: OutboxProcessTask = {
    options: place.options,
    urls: [receiver.url],
    articles: 0,
    outbox: {},
  };
  worker = startChild(
    await bundleProgram('test/support/processes/outbox.ts'),
    JSON.stringify(task),
  );
  await worker.printed('ready');
});

afterEach(async () => {
  await worker.end('SIGKILL');
  await rig.close();
  await receiver.stop();
  await place.drop();
});

/** Sends one message, and waits until the other process has delivered it or lets it wait. */
async function sent(): Promise<'delivered' | 'waits'> {
  const { id } = await rig.send();
  await rig.until(MESSAGES, (rows) => rows.length === 0);
  const [delivery] = await rig.rows(`${DELIVERIES} WHERE message_id = '${keyOf('msg_', id)}'`);
  return delivery!['requests'] === 0 ? 'waits' : 'delivered';
}

it('applies a pause and its end in the process that delivers', async () => {
  const { host } = new URL(receiver.url);
  expect(await sent()).toBe('delivered');

  await rig.strategy.pause(host);
  while ((await sent()) === 'delivered');
  const before = receiver.received.length;
  for (let n = 0; n < LATER; n++) expect(await sent()).toBe('waits');
  expect(receiver.received).toHaveLength(before);
  const waiting = await rig.rows(`${DELIVERIES} WHERE requests = 0`);
  expect(waiting).toHaveLength(LATER + 1);

  expect(await rig.strategy.resume(host)).toBe(true);
  // Due at once instead of within half a minute; again where the other process has not read the pauses anew.
  await rig.until(
    `WITH due AS (UPDATE thorn_deliveries SET due_at = 0 WHERE lease IS NULL AND due_at IS NOT NULL)
      ${DELIVERIES} WHERE status <> 'succeeded'`,
    (rows) => rows.length === 0,
  );
  expect(receiver.received).toHaveLength(before + LATER + 1);
  expect(await rig.rows(`${DELIVERIES} WHERE requests <> 1`)).toEqual([]);
});
