import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { STORED_ATTEMPTS } from '../support/stored-attempts.js';
import { PLACES_ALIKE } from '../support/places.js';

/** More than a process holds in memory. */
const MESSAGES = process.env['THORN_LONG'] === '1' ? 50_000 : 12_000;
const HELD = 10_000;
const PER_SET = 500;
const DELIVERED = "SELECT COUNT(*) AS delivered FROM thorn_deliveries WHERE status = 'succeeded'";

let database: TestDatabase;
let receiver: ScriptedReceiver;
let app: OutboxApp;

describe.each(PLACES_ALIKE)('a transaction of many messages, on $kind', ({ kind }) => {
  beforeEach(async () => {
    [database, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
  });
  afterEach(async () => {
    await app.close();
    await receiver.stop();
    await database.drop();
  });

  it('releases in sets what the process has no room for, and delivers each message once', async () => {
    app = await openOutboxApp(database, { timeout: 60_000 });
    await app.subscribers.create(subscriber(receiver.url));
    const sent = Array.from({ length: MESSAGES }, (_, n) => app.message({ data: { n } }));
    app.log.statements.length = 0;
    await app.dataSource.transaction(async (manager) => {
      for (const message of sent) app.transactions.enlist(message, manager);
    });
    // Each step has the patience of a whole wait.
    for (let at = 1000; at <= MESSAGES; at += 1000) {
      await app.until(DELIVERED, ([row]) => Number(row!['delivered']) >= at);
    }

    const released = app.log.statements.filter((sql) =>
      /^UPDATE .*thorn_pending_messages.*lease = NULL.* due_at = r\.due_at/.test(sql),
    );
    expect(released.length).toBeLessThanOrEqual(Math.ceil((MESSAGES - HELD) / PER_SET) + 1);
    // No lease ran out: each delivery had one attempt, but for connections that a busy machine lost.
    expect(
      await app.rows(
        `SELECT * FROM thorn_attempts WHERE delivery_id NOT IN (SELECT delivery_id FROM ${STORED_ATTEMPTS} WHERE error_code IS NOT NULL)`,
      ),
    ).toEqual([]);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(
      MESSAGES,
    );
  }, 300_000);
});
