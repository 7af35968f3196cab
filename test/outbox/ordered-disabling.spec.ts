import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SystemClock } from '../../lib/common/index.js';
import { TypeOrmClient } from '../../lib/database/typeorm-client.js';
import { thornEntities } from '../../lib/typeorm/index.js';
import {
  DatabaseSubscriberRepository,
  type SubscriberRepository,
} from '../../lib/subscriber/index.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { OrderedReceiver } from '../support/ordered-receiver.js';
import { PLACES_ALIKE } from '../support/places.js';

const KEYS = Array.from({ length: 8 }, (_, at) => `order:${at}`);
const ID = 'sub_1';
/** Milliseconds for which a process believes what it has read: longer than the test takes. */
const BELIEVED = 600_000;
const PATIENCE = { timeout: 60_000, interval: 20 };

interface Way {
  readonly way: string;
  readonly disable: (subscribers: SubscriberRepository) => Promise<unknown>;
  /** What the first message of each key is answered meanwhile. */
  readonly status: number;
}

const updatedAt = () => new Date();
const WAYS: readonly Way[] = [
  {
    way: 'by the API',
    disable: (subscribers) =>
      subscribers.update(ID, { enabled: false, updatedAt: updatedAt() }, 'any'),
    status: 500,
  },
  {
    way: 'after it has failed for days',
    disable: (subscribers) => subscribers.disable(ID, updatedAt()),
    status: 500,
  },
  {
    way: 'by an end that is put forward',
    disable: (subscribers) =>
      subscribers.update(ID, { expiresAt: new Date(1000), updatedAt: updatedAt() }, 'any'),
    status: 500,
  },
  { way: 'by a 410', disable: async () => undefined, status: 410 },
];

let place: TestDatabase;
let receiver: OrderedReceiver;
let sources: DataSource[];
let apps: OutboxApp[];

beforeEach(async () => {
  receiver = await OrderedReceiver.start();
  [sources, apps] = [[], []];
});
afterEach(async () => {
  for (const app of apps) await app.close();
  for (const source of sources) await source.destroy();
  await receiver.stop();
  await place.drop();
});

/** A process: it comes to know what another one has changed when it reads the subscribers the next time. */
async function start(isFirst: boolean): Promise<OutboxApp> {
  const { options } = place;
  const entities = thornEntities;
  const source = await new DataSource({ ...options, entities, synchronize: isFirst }).initialize();
  sources.push(source);
  const clock = new SystemClock();
  const app = await openOutboxApp(place, {
    ...{ synchronize: isFirst, isLogged: false, schedule: Array<number>(100).fill(200) },
    endpoints: { failures: 1_000_000 },
    subscribers: new DatabaseSubscriberRepository(new TypeOrmClient(source), clock, {
      maxStaleness: BELIEVED,
    }),
    health: {},
  });
  apps.push(app);
  return app;
}

describe.each(PLACES_ALIKE)(
  'an ordered subscriber that one process disables, on %j',
  ({ kind }) => {
    it.each(WAYS)(
      'gets nothing newer than what has ended from another process, also after a backfill: $way',
      { timeout: 180_000 },
      async ({ disable, status }) => {
        place = await createDatabase(kind);
        const here = await start(true);
        const there = await start(false);
        await here.subscribers.create(subscriber(receiver.url(), { id: ID, ordered: true }));
        await there.send({ orderBy: { key: 'known' } });
        await vi.waitFor(() => expect(receiver.accepted('known')).toEqual([1]), PATIENCE);

        let isWell = false;
        receiver.reply = ({ sequence }) => ({ status: isWell || sequence > 1 ? 204 : status });
        for (const key of KEYS) {
          // One transaction: the others wait before the first is answered.
          await here.pipeline.send([1, 2, 3].map(() => here.message({ orderBy: { key } })));
        }
        const first = () => receiver.arrivals.filter((one) => one.status === status);
        // The first 410 disables it, and nobody asks for the other keys.
        const most = status === 410 ? 1 : KEYS.length;
        await vi.waitFor(() => expect(first().length).toBeGreaterThanOrEqual(most), PATIENCE);
        await disable(here.subscribers);
        const ended = () =>
          here.until(
            'SELECT id FROM thorn_deliveries WHERE due_at IS NOT NULL UNION ALL SELECT id FROM thorn_pending_messages',
            (rows) => rows.length === 0,
          );
        await ended();
        for (const key of KEYS) await there.send({ orderBy: { key } });
        await ended();

        isWell = true;
        const changes = { enabled: true, expiresAt: null, updatedAt: updatedAt() };
        await here.subscribers.update(ID, changes, 'any');
        await here.deliveries.backfill({ subscriberId: ID, since: 0 }, 'any');
        // A 410 ends the delivery for good.
        const refused = receiver.arrivals.filter((one) => one.status === 410);
        const gone = new Set(refused.map(({ key }) => key));
        const wanted = KEYS.map((key) => (gone.has(key) ? [2, 3, 4] : [1, 2, 3, 4]));
        const accepted = () => KEYS.map((key) => receiver.accepted(key));
        await vi.waitFor(
          () => expect(accepted().flat()).toHaveLength(wanted.flat().length),
          PATIENCE,
        );
        expect(accepted()).toEqual(wanted);
      },
    );
  },
);
