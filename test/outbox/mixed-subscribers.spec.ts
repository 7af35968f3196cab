import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ScriptedAnswer, ScriptedReceiver } from '../../lib/testing/index.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { PLACES_ALIKE } from '../support/places.js';

const KEYS = 5;
const LATER = 100;
const DELIVERIES = 'SELECT id FROM thorn_deliveries';

let database: TestDatabase;
let plain: ScriptedReceiver;
let ordered: ScriptedReceiver;
let app: OutboxApp;
let count: number;

const send = () => app.send({ orderBy: { key: `key ${count++ % KEYS}` } });

afterEach(async () => {
  await app.close();
  await plain.stop();
  await ordered.stop();
  await database.drop();
});

describe.each(PLACES_ALIKE)('messages with a key, on $kind', ({ kind }) => {
  beforeEach(async () => {
    [database, plain, ordered] = [
      await createDatabase(kind),
      await ScriptedReceiver.start(),
      await ScriptedReceiver.start(),
    ];
    app = await openOutboxApp(database, {
      schedule: Array.from({ length: 100 }, () => 50),
      endpoints: { failures: 3, probeInterval: 500, maxPause: 1000 },
      isLogged: false,
    });
    await app.subscribers.create(subscriber(plain.url, { id: 'sub_plain' }));
    await app.subscribers.create(subscriber(ordered.url, { id: 'sub_ordered', ordered: true }));
    count = 0;
  });

  it.each<[string, ScriptedAnswer]>([
    ['resets connections', 'reset'],
    ['asks for a pause', { status: 503, headers: { 'retry-after': '1' } }],
    ['limits its rate', { status: 429, headers: { 'retry-after': '1' } }],
  ])('reach a subscriber beside an ordered one, though its host %s', async (_, answer) => {
    plain.otherwise(answer);
    const sent = [await send()];
    // From here on, deliveries to the host are postponed before their first attempt.
    while (app.strategy.activity().broken + app.strategy.activity().paused === 0) {
      sent.push(await send());
    }
    for (let n = 0; n < LATER; n++) sent.push(await send());
    await app.until('SELECT id FROM thorn_pending_messages', (rows) => rows.length === 0);
    expect(await app.rows(DELIVERIES)).toHaveLength(2 * sent.length);

    plain.clear();
    plain.otherwise(204);
    await app.until(`${DELIVERIES} WHERE status <> 'succeeded'`, (rows) => rows.length === 0);
    for (const receiver of [plain, ordered]) {
      const accepted = new Set(receiver.received.map(({ headers }) => headers['webhook-id']));
      expect(sent.filter(({ id }) => !accepted.has(id))).toEqual([]);
    }
  });
});
