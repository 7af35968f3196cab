import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Clock,
  Deliveries,
  inline,
  InvalidInputError,
  outbox,
  Subscribers,
  ThornConfigurationError,
  ThornModule,
  type ThornModuleOptions,
  WebhookDispatcher,
  WebhookEvents,
} from '../../lib/index.js';
import { thornMigrations } from '../../lib/typeorm/index.js';
import { LOOPBACK_RECIPIENTS, MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { freshPostgres } from '../services/database.js';

const DAY = 24 * 60 * 60_000;

describe.each([
  {
    database: 'SQLite',
    place: async () => ({
      options: { type: 'better-sqlite3', database: ':memory:' } as TypeOrmModuleOptions,
      drop: async () => {},
    }),
  },
  {
    database: 'PostgreSQL',
    place: async () => {
      const { url, drop } = await freshPostgres();
      return { options: { type: 'postgres', url } as TypeOrmModuleOptions, drop };
    },
  },
])('a durable application on $database', ({ place }) => {
  let app: INestApplication;
  let receiver: ScriptedReceiver;
  let drop: () => Promise<void>;
  let deliveries: Deliveries;
  let dispatcher: WebhookDispatcher;
  let clock: MovableClock;

  async function start(options: ThornModuleOptions = {}): Promise<void> {
    const database = await place();
    ({ drop } = database);
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          ...database.options,
          autoLoadEntities: true,
          migrations: thornMigrations,
          migrationsRun: true,
        }),
        ThornModule.forRoot({
          recipients: LOOPBACK_RECIPIENTS,
          clock: MovableClock,
          dispatch: outbox({ pollInterval: 25 }),
          retries: { schedule: [] },
          ...options,
        }),
      ],
    }).compile();
    app = module.createNestApplication();
    app.useLogger(false);
    await app.init();
    deliveries = app.get(Deliveries);
    dispatcher = app.get(WebhookDispatcher);
    clock = app.get<MovableClock>(Clock);
  }

  const messages = () =>
    app.get(DataSource).query<{ id: string }[]>('SELECT given_id AS id FROM thorn_messages');
  const subscribe = () =>
    app.get(Subscribers).create({ url: receiver.url, events: ['*'], owner: 'ann' });
  const logged = (count: number) =>
    vi.waitFor(async () => expect((await deliveries.list({}, 'any')).items).toHaveLength(count));

  beforeEach(async () => {
    receiver = await ScriptedReceiver.start();
  });

  afterEach(async () => {
    await app.close();
    await receiver.stop();
    await drop();
  });

  it('sends a message of a known id once, and returns the first result', async () => {
    await start();
    await subscribe();
    const id = 'order-7:placed';
    expect(await dispatcher.send('order.placed', { n: 1 }, { id })).toEqual({
      id,
      state: 'accepted',
      attempts: [],
    });
    await logged(1);
    expect(await dispatcher.send('order.placed', { n: 2 }, { id })).toEqual({
      id,
      state: 'duplicate',
      attempts: [],
    });
    const both = await Promise.all([
      dispatcher.send('order.placed', {}, { id: 'twin' }),
      dispatcher.send('order.placed', {}, { id: 'twin' }),
    ]);
    expect(both.map(({ state }) => state).sort()).toEqual(['accepted', 'duplicate']);
    await logged(2);
    expect((await messages()).map((row) => row.id).sort()).toEqual([id, 'twin']);
    expect(receiver.received.map((one) => [one.id, one.json])).toMatchObject([
      [id, { data: { n: 1 } }],
      ['twin', {}],
    ]);
  });

  it('does the same within transactions and buffer scopes', async () => {
    await start();
    await subscribe();
    const once = (id: string, manager?: DataSource['manager']) =>
      dispatcher.send('order.placed', {}, { id, ...(manager && { manager }) });
    await app.get(DataSource).transaction(async (manager) => {
      await once('a', manager);
      await once('a', manager);
    });
    await app
      .get(DataSource)
      .transaction(async (manager) => {
        await once('b', manager);
        throw new Error('no');
      })
      .catch(() => undefined);
    expect((await messages()).map((row) => row.id)).toEqual(['a']);
    await dispatcher.buffer(async () => {
      await once('a');
      await once('b');
      await once('b');
    });
    await logged(2);
    expect(receiver.received.map(({ id }) => id).sort()).toEqual(['a', 'b']);
  });

  it.each(['', 'a.b', 'a b', 'é', 'x'.repeat(65), 7, null])('rejects the id %o', async (id) => {
    await start();
    const error: unknown = await dispatcher
      .send('a', {}, { id: id as string })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({ field: 'id' });
    expect(await messages()).toEqual([]);
  });

  it('disables a failing subscriber, and backfills its missed messages once enabled again', async () => {
    await start({ health: { disableAfter: DAY, minMessages: 2 } });
    const told = vi.fn();
    app.get(WebhookEvents).on('subscriber-disabled', told);
    const { id } = await subscribe();
    const scope = { owner: 'ann' };
    receiver.otherwise(500);
    await dispatcher.send('order.placed');
    await logged(1);
    clock.advance(DAY);
    await dispatcher.send('order.placed');
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(1));
    expect(await app.get(Subscribers).findById(id, scope)).toMatchObject({ enabled: false });
    const since = clock.now();
    await dispatcher.send('order.placed', { missed: true });
    // Else the worker might find the subscriber enabled again.
    await vi.waitFor(async () =>
      expect(await deliveries.stats()).toMatchObject({ pendingMessages: 0 }),
    );

    receiver.otherwise(204);
    await app.get(Subscribers).update(id, { enabled: true }, scope);
    expect(await deliveries.backfill({ subscriberId: id, since }, scope)).toMatchObject({
      scheduled: 1,
    });
    const last = (await receiver.waitFor(3)).at(-1)!;
    expect(last.json).toMatchObject({ data: { missed: true } });
    expect(await deliveries.retryFailed({ subscriberId: id, since: 0 }, scope)).toMatchObject({
      scheduled: 2,
    });
    await receiver.waitFor(5);
  });
});

describe('without a database', () => {
  it('reports that there is no delivery log', async () => {
    const module = await Test.createTestingModule({
      imports: [ThornModule.forRoot({ dataSources: [], dispatch: inline() })],
    }).compile();
    await expect(module.get(Deliveries).stats()).rejects.toThrow(ThornConfigurationError);
    await module.close();
  });
});

describe('the option health', () => {
  it.each([
    [{ disableAfter: 0 }, /health.disableAfter/],
    [{ disableAfter: 'week' }, /health.disableAfter/],
    [{ minMessages: 1.5 }, /health.minMessages/],
    [{ messages: 3 }, /health.messages/],
  ])('rejects %o', async (health, message) => {
    await expect(
      Test.createTestingModule({
        imports: [
          ThornModule.forRoot({ dataSources: [], dispatch: inline(), health: health as never }),
        ],
      }).compile(),
    ).rejects.toThrow(message);
  });
});
