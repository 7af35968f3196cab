import {
  type DynamicModule,
  Global,
  Inject,
  type INestApplication,
  Logger,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { outbox, Subscribers, ThornModule, WebhookDispatcher } from '../../lib/index.js';
import { thornEntities } from '../../lib/typeorm/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { Article } from '../support/apps/outbox-app.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';

/** Milliseconds of a request: far more than shutting down may take. */
const TIMEOUT = 60_000;

/** The order in which an application happens to import the two. */
const ORDERS = {
  'TypeOrmModule first': (typeorm: DynamicModule, thorn: DynamicModule) => [typeorm, thorn],
  'ThornModule first': (typeorm: DynamicModule, thorn: DynamicModule) => [thorn, typeorm],
};

describe.each<{ kind: DatabaseKind; order: keyof typeof ORDERS }>([
  { kind: 'file', order: 'TypeOrmModule first' },
  { kind: 'file', order: 'ThornModule first' },
  { kind: 'postgres', order: 'TypeOrmModule first' },
  { kind: 'postgres', order: 'ThornModule first' },
])('shutdown of an application on $kind, $order', ({ kind, order }) => {
  let place: TestDatabase;
  let receiver: ScriptedReceiver;
  let app: INestApplication;

  beforeEach(async () => {
    [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
  });

  async function start(drainTimeout: number): Promise<void> {
    const module = await Test.createTestingModule({
      imports: ORDERS[order](
        TypeOrmModule.forRoot({ ...place.options, autoLoadEntities: true, synchronize: true }),
        ThornModule.forRoot({
          recipients: LOOPBACK_RECIPIENTS,
          timeout: TIMEOUT,
          dispatch: outbox({ drainTimeout }),
        }),
      ),
    }).compile();
    app = module.createNestApplication();
    app.useLogger(false);
    await app.init();
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
  }

  afterEach(async () => {
    await receiver.stop();
    await place.drop();
  });

  it('finishes and records attempts under way before the data source is closed', async () => {
    receiver.otherwise({ delay: 300 });
    await start(TIMEOUT);
    for (let n = 0; n < 20; n++) await app.get(WebhookDispatcher).send('order.placed', { n });
    await receiver.waitFor(1);
    await app.close();
    expect(receiver.received).toHaveLength(20);
    const later = await new DataSource({ ...place.options, entities: thornEntities }).initialize();
    const rows: { status: string; due_at: unknown }[] = await later.query(
      'SELECT status, due_at FROM thorn_deliveries',
    );
    const left = await later.query('SELECT id FROM thorn_pending_messages');
    await later.destroy();
    expect(rows).toEqual(Array.from({ length: 20 }, () => ({ status: 'succeeded', due_at: null })));
    expect(left).toEqual([]);
  });

  it('does not wait for endpoints longer than drainTimeout', async () => {
    receiver.answer('hang');
    await start(2000);
    await app.get(WebhookDispatcher).send('order.placed', {});
    await receiver.waitFor(1);
    const began = performance.now();
    await app.close();
    expect(performance.now() - began).toBeLessThan(TIMEOUT / 2);
  });
});

/** Nest shuts modules down the later, the deeper they are: this one after the outbox. */
@Module({})
class LateModule implements OnApplicationShutdown {
  sent: Promise<unknown> = Promise.resolve();

  constructor(@Inject(WebhookDispatcher) private readonly webhooks: WebhookDispatcher) {}

  async onApplicationShutdown(): Promise<void> {
    await (this.sent = this.webhooks.send('app.stopped', {}));
  }
}

@Module({ imports: [LateModule] })
class MiddleModule {}

@Module({ imports: [MiddleModule] })
class EarlyModule {}

it.each<DatabaseKind>(['memory', 'file', 'postgres'])(
  'accepts what is sent after the outbox was drained, on %s',
  async (kind) => {
    const place = await createDatabase(kind);
    const module = await Test.createTestingModule({
      imports: [
        EarlyModule,
        TypeOrmModule.forRoot({ ...place.options, autoLoadEntities: true, synchronize: true }),
        ThornModule.forRoot({ keep: true }),
      ],
    }).compile();
    const app = module.createNestApplication();
    app.useLogger(false);
    await app.init();
    const late = app.get(LateModule);
    await app.close();
    expect(await late.sent).toMatchObject({ state: 'accepted' });
    await place.drop();
  },
);

/** A data source of the application's own, which outlives the application. */
@Global()
@Module({})
class DatabaseModule {
  static of(dataSource: DataSource): DynamicModule {
    const providers = [{ provide: DataSource, useValue: dataSource }];
    return { module: DatabaseModule, providers, exports: [DataSource] };
  }
}

describe.each<DatabaseKind>(['memory', 'file', 'postgres'])(
  'the end of an application whose data source goes on, on %s',
  (kind) => {
    let place: TestDatabase;
    let dataSource: DataSource;
    let app: INestApplication;

    beforeEach(async () => {
      place = await createDatabase(kind);
      const entities = [Article, ...thornEntities];
      dataSource = new DataSource({ ...place.options, entities, synchronize: true });
      await dataSource.initialize();
      const module = await Test.createTestingModule({
        imports: [
          DatabaseModule.of(dataSource),
          ThornModule.forRoot({ keep: true, dispatch: outbox({ drainTimeout: 100 }) }),
        ],
      }).compile();
      app = module.createNestApplication();
      app.useLogger(false);
      await app.init();
    });
    afterEach(async () => {
      await dataSource.destroy();
      await place.drop();
    });

    const save = (manager: EntityManager, title: string) => manager.save(Article, { title });
    const stored = async () => {
      const rows: { event: string }[] = await dataSource.query(
        'SELECT event FROM thorn_messages ORDER BY event',
      );
      return rows.map(({ event }) => event);
    };

    it('stores what is committed in a transaction that is open', async () => {
      await dataSource.transaction(async (manager) => {
        await save(manager, 'before');
        await app.close();
        await save(manager, 'after');
        await app.get(WebhookDispatcher).send('by.hand', {});
      });
      await vi.waitFor(() => expect(dataSource.subscribers).toEqual([]));
      await save(dataSource.manager, 'later');
      expect(await stored()).toEqual(['article.created', 'article.created', 'by.hand']);
    });

    it('refuses what is sent in a transaction that begins later', async () => {
      await app.close();
      await dataSource.transaction(async (manager) => {
        const sent = app.get(WebhookDispatcher).send('late', {}, { manager });
        await expect(sent).rejects.toMatchObject({ code: 'THORN_DATA_SOURCE_NOT_CAPTURED' });
      });
      expect(await stored()).toEqual([]);
    });

    it('stores what is committed in a transaction that waits for its connection', async () => {
      let connect = () => {};
      const connected = new Promise<void>((resolve) => (connect = resolve));
      dataSource.subscribers.push({ beforeTransactionStart: () => connected });
      const saving = dataSource.transaction((manager) => save(manager, 'waited'));
      await app.close();
      connect();
      await saving;
      expect(await stored()).toEqual(['article.created']);
    });
  },
);

it('logs nothing of what it gives up when it is closed right after its start', async () => {
  const place = await createDatabase('postgres');
  const locked = new DataSource({ ...place.options, entities: thornEntities, synchronize: true });
  await locked.initialize();
  const errors = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  await locked.transaction(async (manager) => {
    await manager.query('LOCK TABLE thorn_bulk_operations IN EXCLUSIVE MODE');
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...place.options, autoLoadEntities: true }),
        ThornModule.forRoot({ dispatch: outbox() }),
      ],
    }).compile();
    const app = module.createNestApplication();
    await app.init();
    await vi.waitFor(async () => {
      const waiting = await manager.query(
        "SELECT FROM pg_locks WHERE NOT granted AND relation = 'thorn_bulk_operations'::regclass",
      );
      expect(waiting).toHaveLength(1);
    });
    await app.close();
  });
  await locked.destroy();
  await place.drop();

  expect(errors.mock.calls).toEqual([]);
  vi.restoreAllMocks();
});
