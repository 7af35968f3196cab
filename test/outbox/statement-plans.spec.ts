import { writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Statement } from '../../lib/database/dialect.js';
import type { OutboxStore } from '../../lib/outbox/store/outbox-store.js';
import * as statements from '../../lib/outbox/tables/deliveries.js';
import { openOutboxApp, type OutboxApp } from '../support/apps/outbox-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { analyzeTables, insertDueDeliveries } from '../support/seed-due-deliveries.js';

const ROWS = 20_000;
const NOW = 1_800_000_000_000;
const HOSTS = Array.from({ length: 20 }, (_, at) => `host-${at}.example:80`);
const ID = '01890000-0000-7000-8000-000000000001';
const SUBSCRIBER = 'sub_01890000-0000-7000-8000-000000000002';
const KEY = '01890000-0000-5000-8000-000000000003';
const LEASE = { token: 'own', leasedUntil: NOW + 10_000 };
const SHARES = [{ host: HOSTS[0]!, limit: 10 }];
const QUEUE = { keyHash: KEY, subscriberId: ID };
const ENTERING = {
  ...{ id: ID, message_id: ID, subscriber_id: ID, given_message_id: null, event: 'a.b' },
  ...{ given_subscriber_id: null, host: HOSTS[0]!, key_hash: KEY, sequence: 1, held_by: 'own' },
  ...{ queue_position: 0, due_at: NOW, lease: 'own' },
};
const ORDER = { keyHash: KEY, sequence: 1 };
const REQUEUED = { id: `dlv_${ID}`, host: HOSTS[0]!, dueAt: NOW, order: ORDER };
const BACKFILLED = {
  ...REQUEUED,
  ...{ messageId: `msg_${ID}`, subscriberId: SUBSCRIBER, event: 'a.b' },
};

type Build = (store: OutboxStore) => Statement;

/** Each statement on `thorn_deliveries`, as workers ask it. */
const STATEMENTS: Readonly<Record<string, Build>> = {
  selectNextDue: (store) => statements.selectNextDue(store),
  selectFirstDues: (store) => statements.selectFirstDues(store, '', 256),
  claimDue: (store) => statements.claimDue(store, SHARES, LEASE, NOW),
  selectDue: (store) => statements.selectDue(store, SHARES, NOW),
  selectWaitingOf: (store) => statements.selectWaitingOf(store, SUBSCRIBER, 100),
  failById: (store) => statements.failById(store, [ID], { reason: 'disabled', now: NOW }),
  cancelById: (store) => statements.cancelById(store, `dlv_${ID}`, NOW),
  selectRateLimited: (store) => statements.selectRateLimited(store, SUBSCRIBER, NOW, 100),
  selectFailedSoonDue: (store) => statements.selectFailedSoonDue(store, HOSTS[0]!, NOW, NOW, 100),
  selectBlockedOf: (store) => statements.selectBlockedOf(store, SUBSCRIBER, 100),
  selectTurns: (store) => statements.selectTurns(store, [ENTERING], NOW),
  insertEntering: (store) => statements.insertEntering(store, [ENTERING]),
  selectLeased: (store) => statements.selectLeased(store, [ID], 'own'),
  selectHeads: (store) => statements.selectHeads(store, [QUEUE], NOW),
  giveTurnById: (store) => statements.giveTurnById(store, [ID], LEASE, NOW),
  selectQueuesOfKeys: (store) =>
    statements.selectQueuesOfKeys(store, [{ key_hash: KEY, last_id: ID }]),
  selectQueuesBehind: (store) => statements.selectQueuesBehind(store, QUEUE, 100),
  selectQueuesOfSubscriber: (store) => statements.selectQueuesOfSubscriber(store, ID, null, 100),
  endHoldById: (store) => statements.endHoldById(store, [`dlv_${ID}`], NOW),
  reopenById: (store) => statements.reopenById(store, [REQUEUED], true),
  insertBackfilled: (store) => statements.insertBackfilled(store, [BACKFILLED]),
  selectBackfilled: (store) => statements.selectBackfilled(store, [BACKFILLED]),
};

/** What reads rows, and is no statement. */
const READERS = new Set(['parseClaimedRow', 'queueOf']);

/** Set to print the plans: npm run explain. */
const isPrinted = process.env['THORN_EXPLAIN'] !== undefined;

describe('the statements on deliveries, on PostgreSQL', () => {
  let place: TestDatabase;
  let app: OutboxApp;
  beforeAll(async () => {
    place = await createDatabase('postgres');
    app = await openOutboxApp(place, { worker: false, isLogged: false });
    await insertDueDeliveries(app, 'postgres', { count: ROWS, subscriber: 'sub_x', hosts: HOSTS });
    await analyzeTables(app, 'postgres');
  }, 120_000);
  afterAll(async () => {
    await app.close();
    await place.drop();
  });

  it('are all here', () => {
    const functions = Object.entries(statements).flatMap(([name, one]) =>
      typeof one === 'function' && !READERS.has(name) ? [name] : [],
    );
    expect(Object.keys(STATEMENTS).toSorted()).toEqual(functions.toSorted());
  });

  it.each(Object.entries(STATEMENTS))('%s goes through no table', async (name, build) => {
    const store = app.strategy.stores[0]!;
    const { sql, parameters } = build(store);
    const { rows } = await store.database.run({ sql: `EXPLAIN ${sql}`, parameters });
    const plan = rows.map((row) => String(row['QUERY PLAN'])).join('\n');
    if (isPrinted) writeSync(1, `${name}\n${plan}\n\n`);
    expect(plan).not.toMatch(/Seq Scan on thorn_(?:deliveries|messages)/);
  });
});
