import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  NOT_DUE,
  STATES,
  stateOf,
  type StateName,
  type Transition,
  TRANSITIONS,
} from '../../lib/outbox/delivery-states.js';
import { cancel } from '../../lib/outbox/retry/cancel.js';
import { bringForward } from '../../lib/outbox/retry/bring-forward.js';
import { claim } from '../../lib/outbox/retry/claim.js';
import { failWaiting } from '../../lib/outbox/retry/fail-waiting.js';
import { dissolve } from '../../lib/outbox/wait/dissolve.js';
import { endHolds } from '../../lib/outbox/wait/end-holds.js';
import { expedite } from '../../lib/outbox/wait/expedite.js';
import { giveTurns } from '../../lib/outbox/wait/give-turns.js';
import type { OutboxStore } from '../../lib/outbox/store/outbox-store.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp } from '../support/apps/outbox-app.js';

type RowState = Exclude<StateName, 'unwritten'>;

const NOW = 1_800_000_000_000;
const CLOCK = { now: () => NOW };
const ID = '01890000-0000-7000-8000-000000000001';
const SUBSCRIBER = '01890000-0000-7000-8000-000000000002';
const KEY = '01890000-0000-5000-8000-000000000003';
const HOST = 'a.example:80';
const LEASE = { token: 'own', leasedUntil: NOW + 10_000 };

/** A row in each state. What waits is due, has failed at its host, or waits for a permit, as the change needs it. */
const ROWS: Readonly<Record<RowState, object>> = {
  waiting: { host: HOST, due_at: NOW - 1 },
  blocked: { host: HOST, due_at: NOT_DUE, key_hash: KEY, queue_position: 5 },
  held: { host: HOST, due_at: NOW + 5000, lease: 'other', key_hash: KEY, queue_position: 0 },
  succeeded: { status: 'succeeded', finished_at: 1 },
  failed: { status: 'failed', reason: 'exhausted', finished_at: 1 },
  holding: {
    ...{ status: 'failed', reason: 'exhausted', finished_at: 1, host: HOST },
    ...{ due_at: NOT_DUE, key_hash: KEY, queue_position: 0 },
  },
};

/** The changes that are statements, and what a waiting row has besides. */
const CHANGES: Readonly<
  Partial<
    Record<
      keyof typeof TRANSITIONS,
      { readonly run: (store: OutboxStore) => Promise<unknown>; readonly waiting?: object }
    >
  >
> = {
  claim: { run: (store) => claim(store, [{ host: HOST, limit: 5 }], LEASE, NOW) },
  giveTurns: {
    run: (store) => giveTurns(store, [{ keyHash: KEY, subscriberId: SUBSCRIBER }], NOW, LEASE),
  },
  dissolve: { run: (store) => dissolve(store, `sub_${SUBSCRIBER}`, CLOCK) },
  endHolds: { run: (store) => endHolds(store, [`dlv_${ID}`], NOW) },
  release: {
    run: (store) => store.deliveryLeases.release([{ id: `dlv_${ID}`, token: 'other' }], NOW),
  },
  expedite: {
    run: (store) => expedite(store, `sub_${SUBSCRIBER}`, NOW, () => false),
    waiting: { due_at: NOW + 5000, permit_at: NOW + 5000 },
  },
  bringForward: {
    run: (store) => bringForward([store], HOST, NOW, CLOCK),
    waiting: { due_at: NOW + 60_000, attempts: 1, attempted_at: NOW - 1000 },
  },
  failWaiting: {
    run: (store) =>
      failWaiting(store, { subscriberId: `sub_${SUBSCRIBER}`, reason: 'disabled' }, CLOCK),
  },
  cancel: { run: (store) => cancel(store, `dlv_${ID}`, NOW) },
};
const CASES = Object.keys(CHANGES).flatMap((name) =>
  STATES.filter((state) => state !== 'unwritten').map((state) => [name, state] as const),
) as readonly (readonly [keyof typeof TRANSITIONS, RowState])[];

describe.each<DatabaseKind>(['file', 'postgres', 'mariadb'])('a delivery on %s', (kind) => {
  let place: TestDatabase;
  let app: OutboxApp;
  beforeAll(async () => {
    place = await createDatabase(kind);
    app = await openOutboxApp(place, { worker: false });
    await app.strategy.ready();
  });
  afterAll(async () => {
    await app.close();
    await place.drop();
  });

  it.each(CASES)('is changed by %s as the table says, when it is %s', async (name, state) => {
    const { run, waiting } = CHANGES[name]!;
    await insert(app, { ...ROWS[state], ...(state === 'waiting' && waiting) });
    expect(stateOf(await read(app))).toBe(state);

    await run(app.strategy.stores[0]!);

    const { moves }: Transition = TRANSITIONS[name];
    const next = moves.filter(([from]) => from === state).map(([, to]) => to);
    const after = await read(app);
    expect(next.length === 0 ? [state] : next).toContain(stateOf(after));
    if (next.length > 0) expect(after['due_at']).not.toBe(before(state, waiting));
  });
});

/** When the row was due: each change of it changes that. */
function before(state: RowState, waiting: object | undefined): unknown {
  const row = { ...ROWS[state], ...(state === 'waiting' && waiting) } as { due_at?: number };
  return row.due_at ?? null;
}

async function insert(app: OutboxApp, given: object): Promise<void> {
  const row = {
    ...{ id: ID, message_id: ID, subscriber_id: SUBSCRIBER, event: 'order.placed' },
    ...{ status: 'pending', attempts: 0, throttled: 0, requests: 0 },
    ...given,
  };
  const values = Object.values(row).map((one) => (typeof one === 'string' ? `'${one}'` : one));
  await app.rows('DELETE FROM thorn_deliveries');
  await app.rows(
    `INSERT INTO thorn_deliveries (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')})`,
  );
}

async function read(app: OutboxApp): Promise<Record<string, unknown>> {
  const [row] = await app.rows(
    'SELECT status, due_at, lease, queue_position FROM thorn_deliveries',
  );
  return { ...row, due_at: row!['due_at'] === null ? null : Number(row!['due_at']) };
}
