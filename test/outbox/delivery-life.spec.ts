import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StandardRetryPolicy, WebhookEvents } from '../../lib/delivery/index.js';
import type { FanOut } from '../../lib/dispatch/index.js';
import type { Message, Recipient } from '../../lib/message/index.js';
import {
  type ChangeName,
  type DeliveryState,
  newDelivery,
  NOT_DUE,
  STATES,
  stateOf,
  type StateName,
  type Transition,
  TRANSITIONS,
} from '../../lib/outbox/delivery-states.js';
import { enterQueues } from '../../lib/outbox/fan-out/enter-queues.js';
import { type AbandonedDelivery, end } from '../../lib/outbox/record/end.js';
import { fail } from '../../lib/outbox/record/fail.js';
import { hold } from '../../lib/outbox/record/hold.js';
import { postpone } from '../../lib/outbox/record/postpone.js';
import { record } from '../../lib/outbox/record/record.js';
import { skip } from '../../lib/outbox/record/skip.js';
import { succeed } from '../../lib/outbox/record/succeed.js';
import { tryAgain } from '../../lib/outbox/record/try-again.js';
import { MessageRemoval } from '../../lib/outbox/retention/message-removal.js';
import { backfill } from '../../lib/outbox/retry/backfill.js';
import { bringForward } from '../../lib/outbox/wait/bring-forward.js';
import { cancel } from '../../lib/outbox/record/cancel.js';
import { claim } from '../../lib/outbox/wait/claim.js';
import { failWaiting } from '../../lib/outbox/record/fail-waiting.js';
import { reopen } from '../../lib/outbox/retry/reopen.js';
import type { DeliveryJob } from '../../lib/outbox/store/delivery-job.js';
import type { OutboxStore } from '../../lib/outbox/store/outbox-store.js';
import type { ClaimedDelivery } from '../../lib/outbox/tables/deliveries.js';
import { deliveryId, keyOf } from '../../lib/outbox/tables/keys.js';
import { dissolve } from '../../lib/outbox/wait/dissolve.js';
import { endHolds } from '../../lib/outbox/wait/end-holds.js';
import { giveTurns } from '../../lib/outbox/wait/give-turns.js';
import type { Subscriber, SubscriberRepository } from '../../lib/subscriber/index.js';
import { openOutboxApp, type OutboxApp } from '../support/apps/outbox-app.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';

type RowState = Exclude<StateName, 'unwritten'>;

const NOW = 1_800_000_000_000;
const CLOCK = { now: () => NOW };
const SUBSCRIBER = '01890000-0000-7000-8000-000000000002';
const KEY = '01890000-0000-5000-8000-000000000003';
const HOST = 'a.example:80';
const LEASE = { token: 'own', leasedUntil: NOW + 10_000 };
/** The worker that holds a row. */
const OTHER = { token: 'other', leasedUntil: NOW + 5000, isLost: false };

/** A row in each state. What waits is due, or has failed at its host, as the change needs it. */
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

/** A stored message, and the id of its delivery, without its prefix. */
interface Stored {
  readonly store: OutboxStore;
  readonly message: Message;
  readonly id: string;
}

interface Change {
  readonly run: (stored: Stored) => Promise<unknown>;
  /** Further columns of the rows of a state. */
  readonly rows?: Partial<Record<RowState, object>>;
  /** A state whose rows are not of this change: the worker calls another function for them. */
  readonly without?: RowState;
}

const EVENTS = new WebhookEvents();
const POLICY = new StandardRetryPolicy({ schedule: [60_000] });
const ANSWER = { status: 500, error: null, retryAfter: null } as never;

/** The changes that a test can bring about by their functions, from a row in each state. */
const CHANGES: Readonly<Partial<Record<ChangeName, Change>>> = {
  claim: { run: ({ store }) => claim(store, [{ host: HOST, limit: 5 }], LEASE, NOW) },
  giveTurns: {
    run: ({ store }) => giveTurns(store, [{ keyHash: KEY, subscriberId: SUBSCRIBER }], NOW, LEASE),
  },
  dissolve: { run: ({ store }) => dissolve(store, `sub_${SUBSCRIBER}`, CLOCK) },
  endHolds: { run: ({ store, id }) => endHolds(store, [`dlv_${id}`], NOW) },
  release: {
    run: ({ store, id }) =>
      store.deliveryLeases.release([{ id: `dlv_${id}`, token: 'other' }], NOW),
  },
  bringForward: {
    run: ({ store }) => bringForward(store, HOST, NOW, CLOCK),
    rows: { waiting: { due_at: NOW + 60_000, attempts: 1, attempted_at: NOW - 1000 } },
  },
  failWaiting: {
    run: ({ store }) =>
      failWaiting(store, { subscriberId: `sub_${SUBSCRIBER}`, reason: 'disabled' }, CLOCK),
  },
  cancel: { run: ({ store, id }) => cancel(store, `dlv_${id}`, NOW) },
  succeed: { run: recordAs(({ state }) => succeed(state)) },
  fail: { run: recordAs(({ state }) => fail(state, 'exhausted', 1)) },
  tryAgain: {
    run: recordAs(({ state }) =>
      tryAgain(state, ANSWER, { policy: POLICY, settings: undefined }, NOW, 0),
    ),
  },
  hold: {
    run: recordAs(({ state, recipient }) =>
      hold({ keyHash: KEY, recipient }, fail(state, 'exhausted', 1), NOW),
    ),
  },
  postpone: {
    run: async (stored) => {
      postpone(jobOf(stored), NOW + 60_000, NOW);
      await stored.store.recorder.flush();
    },
  },
  end: {
    run: async (stored) => {
      end(abandoned(stored), 'disabled', { events: EVENTS, clock: CLOCK });
      await stored.store.recorder.flush();
    },
  },
  // A worker has claimed the row: the hold has ended.
  skip: {
    run: async (stored) => {
      skip(abandoned(stored), null, { events: EVENTS, clock: CLOCK });
      await stored.store.recorder.flush();
    },
    rows: { holding: { due_at: NOW + 5000, lease: 'other' } },
    without: 'held',
  },
  reopen: { run: (stored) => reopenFor({ ordered: false }, stored) },
  remove: {
    run: ({ store, message }) =>
      new MessageRemoval(store.database, store.tables).messages([message], NOW),
  },
};
const CASES = Object.entries(CHANGES).flatMap(([name, { without }]) =>
  STATES.filter((state) => state !== 'unwritten' && state !== without).map(
    (state) => [name, state] as const,
  ),
) as readonly (readonly [ChangeName, RowState])[];

describe.each<DatabaseKind>(['file', 'postgres', 'mariadb'])('a delivery on %s', (kind) => {
  let place: TestDatabase;
  let app: OutboxApp;
  let stored: Stored;
  beforeAll(async () => {
    place = await createDatabase(kind);
    app = await openOutboxApp(place, { worker: false });
    await app.strategy.ready();
  });
  beforeEach(async () => {
    for (const table of ['deliveries', 'pending_messages', 'messages']) {
      await app.rows(`DELETE FROM thorn_${table}`);
    }
    const message = await app.send();
    stored = {
      store: app.strategy.store,
      message,
      id: keyOf('dlv_', deliveryId(message, `sub_${SUBSCRIBER}`)),
    };
  });
  afterAll(async () => {
    await app.close();
    await place.drop();
  });

  it.each(CASES)('is changed by %s as the table says, when it is %s', async (name, state) => {
    const { run, rows } = CHANGES[name]!;
    await app.rows('DELETE FROM thorn_pending_messages');
    await insert(app, stored, { ...ROWS[state], ...rows?.[state] });
    expect(stateOf((await read(app))!)).toBe(state);

    await run(stored);

    const { moves }: Transition = TRANSITIONS[name];
    const next = moves.filter(([from]) => from === state).map(([, to]) => to);
    const after = await read(app);
    expect(next.length === 0 ? [state] : next).toContain(after && stateOf(after));
    if (next.length > 0) expect(after?.['due_at']).not.toBe(before(state, rows?.[state]));
  });

  it.each(['succeeded', 'failed', 'holding', 'waiting'] as const)(
    'waits for its turn once it is reopened for an ordered subscriber, when it is %s',
    async (state) => {
      await app.rows('DELETE FROM thorn_pending_messages');
      await app.rows(`UPDATE thorn_messages SET order_key = 'k', sequence = 5`);
      await insert(app, stored, {
        ...ROWS[state],
        ...(state === 'holding' && { queue_position: 5 }),
      });
      await reopenFor({ ordered: true }, stored);
      expect(stateOf((await read(app))!)).toBe('blocked');
      expect(movesOf('reopen')).toContainEqual([state, 'blocked']);
    },
  );

  it('has no row after stage: the row of its message stands for it', async () => {
    const pending = await app.rows('SELECT id FROM thorn_pending_messages');
    expect(pending).toEqual([{ id: keyOf('msg_', stored.message.id) }]);
    expect(await read(app)).toBeNull();
    expect(movesOf('stage')).toEqual([[null, 'unwritten']]);
  });

  it('is held or blocked once it enters the queue of its key', async () => {
    const { store, message } = stored;
    await app.rows("UPDATE thorn_pending_messages SET lease = 'own'");
    const entering = (id: string, sequence: number) => ({
      ...{ id, message_id: keyOf('msg_', message.id), subscriber_id: SUBSCRIBER },
      ...{ given_message_id: null, given_subscriber_id: null, event: 'order.placed' },
      ...{ host: HOST, key_hash: KEY, sequence, held_by: 'own' },
      ...{ queue_position: sequence, due_at: NOT_DUE, lease: null },
    });
    const later = '01890000-0000-7000-8000-000000000009';
    const rows = [entering(stored.id, 1), entering(later, 2)];
    await enterQueues(store, rows, [{ id: keyOf('msg_', message.id), lease: 'own' }], LEASE, NOW);
    const after = await app.rows(
      'SELECT status, due_at, lease, queue_position FROM thorn_deliveries ORDER BY queue_position',
    );
    expect(after.map(stateOf)).toEqual(['held', 'blocked']);
    expect(movesOf('enterQueues').map(([, to]) => to)).toEqual(['held', 'blocked']);
  });

  it.each([
    ['waiting', null],
    ['blocked', { keyHash: KEY, sequence: 5 }],
  ] as const)('is %s once it is backfilled, by its order', async (state, order) => {
    const { store, message, id } = stored;
    await app.rows('DELETE FROM thorn_pending_messages');
    const added = {
      ...{ id: `dlv_${id}`, messageId: message.id, subscriberId: `sub_${SUBSCRIBER}` },
      ...{ event: message.event, host: HOST, dueAt: NOW, order },
    };
    expect(await backfill(store, [added])).toBe(1);
    expect(stateOf((await read(app))!)).toBe(state);
    expect(movesOf('backfill')).toContainEqual([null, state]);
  });
});

it('is looked at after each change but fanOut, which writes nothing', () => {
  const others = ['stage', 'enterQueues', 'backfill'];
  const known = new Set([...Object.keys(CHANGES), ...others]);
  expect(Object.keys(TRANSITIONS).filter((name) => !known.has(name))).toEqual(['fanOut']);
});

function movesOf(name: ChangeName): Transition['moves'] {
  return TRANSITIONS[name].moves;
}

/** Records the state that a function answers for a job of the other worker. */
function recordAs(next: (job: DeliveryJob) => DeliveryState): Change['run'] {
  return async (stored) => {
    const job = jobOf(stored);
    const result = { attempt: null, at: NOW, disablesSubscriber: false };
    record(job, { ...result, state: next(job) });
    await stored.store.recorder.flush();
  };
}

function jobOf({ store, message, id }: Stored): DeliveryJob {
  return {
    ...{ id: `dlv_${id}`, host: HOST, isRetry: true, store, message },
    recipient: { id: `sub_${SUBSCRIBER}`, onExhausted: 'hold' } as Recipient,
    ...{ state: newDelivery(NOW), requests: 1, attemptedAt: NOW - 1000 },
    ...{ heldLease: { ...OTHER, id: `dlv_${id}` }, heldMessage: null, keyHash: null },
    startsBefore: null,
  };
}

function abandoned({ store, message, id }: Stored): AbandonedDelivery {
  const claimed: ClaimedDelivery = {
    ...{ id: `dlv_${id}`, messageId: message.id, subscriberId: `sub_${SUBSCRIBER}`, host: HOST },
    ...{ attempts: 1, throttled: 0, requests: 1, attemptedAt: NOW - 1000, keyHash: null },
    reason: 'exhausted',
  };
  return { store, claimed, event: message.event, heldLease: { ...OTHER, id: claimed.id } };
}

function reopenFor({ ordered }: { readonly ordered: boolean }, { store, message, id }: Stored) {
  const url = `http://${HOST}/`;
  const subscriber = { id: `sub_${SUBSCRIBER}`, url, enabled: true, ordered } as Subscriber;
  const subscribers = { findById: async () => subscriber } as unknown as SubscriberRepository;
  const candidate = {
    ...{ id: `dlv_${id}`, messageId: message.id, subscriberId: subscriber.id },
    ...{ event: message.event, isExpunged: false },
  };
  const sources = { fanOut: {} as FanOut, subscribers };
  return reopen(store, [candidate], sources, { now: NOW + 1, dryRun: false, isWaitingToo: true });
}

/** When the row was due: each change of it changes that. */
function before(state: RowState, besides: object | undefined): unknown {
  const row = { ...ROWS[state], ...besides } as { due_at?: number };
  return row.due_at ?? null;
}

async function insert(app: OutboxApp, { message, id }: Stored, given: object): Promise<void> {
  const row = {
    ...{ id, message_id: keyOf('msg_', message.id), subscriber_id: SUBSCRIBER },
    ...{ event: 'order.placed', status: 'pending', attempts: 0, throttled: 0, requests: 0 },
    ...given,
  };
  const values = Object.values(row).map((one) => (typeof one === 'string' ? `'${one}'` : one));
  await app.rows(
    `INSERT INTO thorn_deliveries (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')})`,
  );
}

async function read(app: OutboxApp): Promise<Record<string, unknown> | null> {
  const [row] = await app.rows(
    'SELECT status, due_at, lease, queue_position FROM thorn_deliveries',
  );
  if (row === undefined) return null;
  return { ...row, due_at: row['due_at'] === null ? null : Number(row['due_at']) };
}
