import {
  type CanActivate,
  type DynamicModule,
  Injectable,
  Module,
  type Type,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Clock,
  defineEvents,
  defineTableEvents,
  disabled,
  inline,
  outbox,
  Subscribers,
  ThornConfigurationError,
  ThornModule,
  WebhookDispatcher,
  WebhookEvent,
} from '../../lib/index.js';
import { thornEntities } from '../../lib/typeorm/index.js';
import { UndiciHttpClient } from '../../lib/extending/index.js';
import {
  DispatchStrategy,
  InMemorySubscriberRepository,
  type Message,
  type Release,
  SubscriberRepository,
  WebhookHttpClient,
  WebhookSigner,
} from '../../lib/extending/index.js';
import { loopback } from '../support/apps/blog.js';
import { Receiver } from '../support/receiver.js';
import { freePort } from '../services/free-port.js';

@Entity()
@WebhookEvent<Note>('note.written', { on: 'create' })
class Note {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  text!: string;
}

@Entity()
@WebhookEvent<Task>('task.planned', { on: 'create' })
class Task {
  @PrimaryGeneratedColumn()
  id!: number;
}

const sqlite = { type: 'better-sqlite3', database: ':memory:', synchronize: true } as const;
const database = () => TypeOrmModule.forRoot({ ...sqlite, autoLoadEntities: true });

describe('ThornModule', () => {
  let receiver: Receiver;
  let close: (() => Promise<void>)[] = [];

  const start = async (...imports: (DynamicModule | Type<unknown>)[]) => {
    const module = await Test.createTestingModule({ imports }).compile();
    const app = module.createNestApplication();
    app.useLogger(false);
    await app.init();
    close.push(() => app.close());
    return app;
  };
  const refusal = async (...imports: (DynamicModule | Type<unknown>)[]): Promise<Error> =>
    start(...imports).then(
      () => expect.unreachable('the application started'),
      (error: Error) => error,
    );

  beforeEach(async () => {
    receiver = await Receiver.start();
    close = [() => receiver.stop()];
  });

  afterEach(async () => {
    for (const end of close.reverse()) await end();
  });

  it('works without options', async () => {
    const app = await start(database(), ThornModule.forRoot());

    await expect(app.get(WebhookDispatcher).send('a.b')).resolves.toMatchObject({
      state: 'accepted',
      attempts: [],
    });
    await expect(
      app.get(Subscribers).create({ url: receiver.url, events: ['*'] }),
    ).rejects.toMatchObject({ field: 'url' });
  });

  it('returns a result per subscriber', async () => {
    const app = await start(
      database(),
      ThornModule.forRoot({ dispatch: inline(), recipients: loopback }),
    );
    const subscribers = app.get(Subscribers);
    const good = await subscribers.create({ url: receiver.url, events: ['*'] });
    const gone = `http://127.0.0.1:${await freePort()}/`;
    const bad = await subscribers.create({ url: gone, events: ['a.*'] });

    const { id, attempts } = await app.get(WebhookDispatcher).send('a.b', { x: 1 });

    expect(id).toBe(receiver.requests[0]!.headers['webhook-id']);
    expect(attempts.find(({ subscriberId }) => subscriberId === good.id)).toMatchObject({
      outcome: 'succeeded',
      status: 204,
      address: '127.0.0.1',
      error: null,
    });
    expect(attempts.find(({ subscriberId }) => subscriberId === bad.id)).toMatchObject({
      outcome: 'failed',
      status: null,
      error: { code: 'connection-refused' },
    });
  });

  it('accepts options from a factory, with structural options beside it', async () => {
    @Injectable()
    class Settings {
      readonly baseUrl = 'https://api.example.com';
    }
    @Module({ providers: [Settings], exports: [Settings] })
    class SettingsModule {}
    const app = await start(
      database(),
      ThornModule.forRootAsync({
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: ({ baseUrl }: Settings) => ({
          baseUrl,
          recipients: loopback,
          userAgent: 'blog/1',
          envelope: ({ type, data }) => ({ kind: type, payload: data }),
        }),
      }),
    );
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });

    await app.get(WebhookDispatcher).send('a.b', { x: 1 });
    await receiver.waitFor(1);

    expect(receiver.requests[0]!.headers['user-agent']).toBe('blog/1');
    expect(JSON.parse(receiver.requests[0]!.body.toString())).toEqual({
      kind: 'a.b',
      payload: { x: 1 },
    });
  });

  it('sends no webhook when disabled, but still rejects data that cannot be encoded', async () => {
    const app = await start(
      database(),
      ThornModule.forRoot({ dispatch: disabled(), recipients: loopback }),
    );
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });

    await expect(app.get(WebhookDispatcher).send('a.b')).resolves.toMatchObject({
      state: 'discarded',
    });
    await expect(app.get(WebhookDispatcher).send('a.b', { amount: Number.NaN })).rejects.toThrow(
      /amount/,
    );
    expect(receiver.requests).toEqual([]);
  });

  it('constructs a custom strategy with its dependencies', async () => {
    @Injectable()
    class Ledger {
      readonly lines: string[] = [];
    }
    @Module({ providers: [Ledger], exports: [Ledger] })
    class LedgerModule {}
    @Injectable()
    class LedgerStrategy extends DispatchStrategy {
      constructor(private readonly ledger: Ledger) {
        super();
      }
      override async stage(messages: readonly Message[]): Promise<void> {
        this.ledger.lines.push(...messages.map(({ event }) => `staged ${event}`));
      }
      override async release(messages: readonly Message[]): Promise<readonly Release[]> {
        this.ledger.lines.push(...messages.map(({ event }) => `released ${event}`));
        return messages.map(({ id }) => ({ message: id, state: 'accepted', attempts: [] }));
      }
    }
    const app = await start(
      database(),
      TypeOrmModule.forFeature([Note]),
      ThornModule.forRoot({ dispatch: LedgerStrategy, imports: [LedgerModule] }),
    );

    await app.get(DataSource).manager.save(Note, { text: 'hello' });

    expect(app.get(Ledger).lines).toEqual(['staged note.written', 'released note.written']);
  });

  it('accepts a replacement for every pluggable class', async () => {
    @Injectable()
    class FixedClock extends Clock {
      override now(): number {
        return Date.UTC(2030, 0, 1);
      }
    }
    @Injectable()
    class NoSigner extends WebhookSigner {
      override sign(): Record<string, string> {
        return { 'X-Signed': 'by nobody' };
      }
    }
    const app = await start(
      ThornModule.forRoot({
        dataSources: [],
        clock: FixedClock,
        signer: NoSigner,
        recipients: loopback,
      }),
    );
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    await app.get(WebhookDispatcher).send('a.b');

    expect(app.get(SubscriberRepository)).toBeInstanceOf(InMemorySubscriberRepository);
    expect(receiver.json().timestamp).toBe('2030-01-01T00:00:00.000Z');
    expect(receiver.requests[0]!.headers).toMatchObject({ 'x-signed': 'by nobody' });
    expect(receiver.requests[0]!.headers['webhook-signature']).toBeUndefined();
  });

  it('exposes the axios instance for interceptors', async () => {
    const app = await start(ThornModule.forRoot({ dataSources: [], recipients: loopback }));
    expect(app.get(UndiciHttpClient)).toBe(app.get(WebhookHttpClient));
    app.get(UndiciHttpClient).axios.interceptors.request.use((config) => {
      config.headers.set('X-Tenant', 'acme');
      return config;
    });
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    await app.get(WebhookDispatcher).send('a.b');

    expect(receiver.requests[0]!.headers['x-tenant']).toBe('acme');
  });

  it('captures several data sources with inline(), each in its own transactions', async () => {
    const app = await start(
      database(),
      TypeOrmModule.forRoot({ ...sqlite, name: 'tasks', autoLoadEntities: true }),
      TypeOrmModule.forFeature([Note]),
      TypeOrmModule.forFeature([Task], 'tasks'),
      ThornModule.forRoot({
        dataSources: ['default', 'tasks'],
        dispatch: inline(),
        recipients: loopback,
      }),
    );
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    const [notes, tasks] = [app.get(DataSource), app.get<DataSource>('tasksDataSource')];

    await notes
      .transaction(async (manager) => {
        await manager.save(Note, { text: 'rolled back' });
        await tasks.manager.save(Task, {});
        throw new Error('no');
      })
      .catch(() => undefined);
    await notes.manager.save(Note, { text: 'kept' });
    await receiver.waitFor(2);

    expect(receiver.events.sort()).toEqual(['note.written', 'task.planned']);
  });

  it('refuses an outbox in several data sources', async () => {
    const application = start(
      database(),
      TypeOrmModule.forRoot({ ...sqlite, name: 'tasks', autoLoadEntities: true }),
      ThornModule.forRoot({ dataSources: ['default', 'tasks'], dispatch: outbox() }),
    );
    await expect(application).rejects.toMatchObject({
      code: 'THORN_OPTION_INVALID',
      message: expect.stringMatching(/one database.*an application of its own.*inline\(\)/),
      data: { option: 'dataSources' },
    });
  });

  it('sends a message with the transaction of the manager that it is given', async () => {
    const app = await start(database(), ThornModule.forRoot({ recipients: loopback }));
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    const [dispatcher, dataSource] = [app.get(WebhookDispatcher), app.get(DataSource)];

    await dataSource
      .transaction(async (manager) => {
        await dispatcher.send('a.lost', {}, { manager });
        throw new Error('no');
      })
      .catch(() => undefined);
    await dataSource.transaction(async (manager) => {
      await expect(dispatcher.send('a.kept', {}, { manager })).resolves.toMatchObject({
        state: 'staged',
      });
      await expect(
        dispatcher.send('a.bad', { x: 1n, y: Symbol('no') }, { manager }),
      ).rejects.toThrow(/y/);
    });
    await expect(
      dispatcher.send('a.direct', {}, { manager: dataSource.manager }),
    ).resolves.toMatchObject({
      state: 'accepted',
    });
    await receiver.waitFor(2);

    expect(receiver.events.sort()).toEqual(['a.direct', 'a.kept']);
  });

  it('sends to static subscribers of the options, of single messages, and once to each', async () => {
    const app = await start(
      ThornModule.forRoot({
        dataSources: [],
        recipients: loopback,
        subscribers: {
          'a.*': (event, owner) => [`${receiver.url}/${event}/${owner}`],
          '*': receiver.url,
        },
      }),
    );

    await app.get(WebhookDispatcher).send(
      'a.b',
      {},
      {
        owner: 'ada',
        subscribers: [
          receiver.url,
          { url: `${receiver.url}/own`, secret: 'a secret of this length' },
        ],
      },
    );

    expect(receiver.requests.map(({ path }) => path).sort()).toEqual([
      '/hooks',
      '/hooks/a.b/ada',
      '/hooks/own',
    ]);
  });

  it('finishes deliveries under way before it closes', async () => {
    const app = await start(
      database(),
      TypeOrmModule.forFeature([Note]),
      ThornModule.forRoot({ recipients: loopback }),
    );
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    await app.get(DataSource).manager.save(Note, { text: 'last words' });
    await close.pop()!();

    expect(receiver.events).toEqual(['note.written']);
  });

  it('delivers only to subscribers without an owner when the owner is empty', async () => {
    const app = await start(ThornModule.forRoot({ dataSources: [], recipients: loopback }));
    const subscribers = app.get(Subscribers);
    await subscribers.create({ url: `${receiver.url}/ada`, events: ['*'], owner: 'ada' });
    await subscribers.create({ url: `${receiver.url}/nobody`, events: ['*'] });

    for (const owner of [undefined, null, ''])
      await app.get(WebhookDispatcher).send('a.b', {}, { owner });

    expect(receiver.requests.map(({ path }) => path)).toEqual(Array(3).fill('/hooks/nobody'));
  });

  it.each<[string, Record<string, unknown>]>([
    ['colour', { colour: 'red' }],
    ['timeout', { timeout: -1 }],
    ['timeout', { timeout: 1.5 }],
    ['keepAlive', { keepAlive: 'no' }],
    ['ref', { ref: 7 }],
    ['owner', { owner: {} }],
    ['headers', { headers: { host: 'example.com' } }],
    ['headers', { headers: { 'X-Bad': 'a\r\nb' } }],
    ['subscribers', { subscribers: [42] }],
  ])('rejects a wrong %s of a message: %o', async (field, options) => {
    const app = await start(ThornModule.forRoot({ dataSources: [], recipients: loopback }));
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });

    await expect(app.get(WebhookDispatcher).send('a.b', {}, options)).rejects.toMatchObject({
      field,
    });
    expect(receiver.requests).toEqual([]);
  });

  it('rejects unknown events with strictEvents', async () => {
    const app = await start(
      ThornModule.forRoot({
        dataSources: [],
        strictEvents: true,
        events: defineEvents({
          'order.flagged': { description: 'Somebody has to look at an order.' },
        }),
      }),
    );

    await expect(app.get(WebhookDispatcher).send('order.flagged')).resolves.toBeDefined();
    await expect(app.get(WebhookDispatcher).send('order.flaged')).rejects.toMatchObject({
      field: 'event',
    });
  });

  it('rejects a subscriber whose host name resolves to a private address', async () => {
    const app = await start(
      ThornModule.forRoot({
        dataSources: [],
        http: {
          lookup: (_name, _options, callback) => {
            callback(null, [{ address: '10.0.0.1', family: 4 }]);
          },
        },
      }),
    );
    const subscribers = app.get(Subscribers);

    await expect(
      subscribers.create({ url: 'https://example.com/hooks?token=x', events: ['*'] }),
    ).rejects.toMatchObject({ field: 'url', message: expect.not.stringContaining('token') });
    await expect(subscribers.list({ limit: 10 }, 'any')).resolves.toMatchObject({ items: [] });
  });

  describe('refuses to start', () => {
    const guard: Type<CanActivate> = class {
      canActivate() {
        return true;
      }
    };

    const invoices = defineTableEvents('invoices', {
      key: 'id',
      events: { 'invoice.paid': { on: 'change' } },
    });
    it.each<[string, () => DynamicModule, RegExp]>([
      [
        'without a data source',
        () => ThornModule.forRoot(),
        /no TypeORM data source named 'default'/,
      ],
      [
        'with tables and without the option database',
        () => ThornModule.forRoot({ tables: [invoices] }),
        /With another client, such as Prisma or Drizzle, give it by the option database/,
      ],
      [
        'with an unknown option',
        () => ThornModule.forRoot({ colour: 'red' } as object),
        /Unknown option `colour` in ThornModule\.forRoot\(\)\. Valid options: baseUrl/,
      ],
      [
        'with a wrong base URL',
        () => ThornModule.forRoot({ dataSources: [], baseUrl: '/x' }),
        /`baseUrl`/,
      ],
      [
        'with a wrong timeout',
        () => ThornModule.forRoot({ dataSources: [], timeout: 0 }),
        /`timeout` must be an integer of at least 1 \(milliseconds\), not 0/,
      ],
      [
        'with structure from a factory',
        () =>
          ThornModule.forRootAsync({ dataSources: [], useFactory: () => ({ api: {} }) as object }),
        /`api` of .* must be passed next to useFactory/,
      ],
      [
        'with a malformed network',
        () => ThornModule.forRoot({ dataSources: [], recipients: { allowCidrs: ['10.0.0.0/64'] } }),
        /10\.0\.0\.0\/64/,
      ],
    ])('%s', async (_, module, message) => {
      const error = await refusal(module());

      expect(error).toBeInstanceOf(ThornConfigurationError);
      expect(error.message).toMatch(message);
    });

    it('with an API that has no guards, or no owner', () => {
      const owner = () => null;

      expect(() => ThornModule.forRoot({ api: { owner } })).toThrow(/no guards/);
      expect(() => ThornModule.forRoot({ api: { guards: [guard] } as never })).toThrow(/owner/);
      expect(() => ThornModule.forRoot({ api: { owner, unprotected: true } })).not.toThrow();
    });

    it('when a data source lacks the tables of the library', async () => {
      const error = await refusal(
        TypeOrmModule.forRoot({ ...sqlite, entities: [] }),
        ThornModule.forRoot(),
      );

      expect(error).toBeInstanceOf(ThornConfigurationError);
      expect(error.message).toMatch(/thornEntities|autoLoadEntities/);
    });

    it('when an entity with events is known to no captured data source', async () => {
      const elsewhere = await refusal(
        database(),
        TypeOrmModule.forRoot({ ...sqlite, name: 'tasks', entities: [Task] }),
        ThornModule.forRoot(),
      );
      const forgotten = await refusal(
        TypeOrmModule.forRoot({ ...sqlite, entities: [...thornEntities] }),
        TypeOrmModule.forFeature([Note]),
        ThornModule.forRoot(),
      );

      expect(elsewhere.message).toMatch(
        /Task declares webhook events \(task\.planned\).*dataSources/,
      );
      expect(forgotten.message).toMatch(/Note declares webhook events \(note\.written\).*entities/);
    });

    it('when the data source is not initialised', async () => {
      const error = await refusal(
        TypeOrmModule.forRoot({ ...sqlite, autoLoadEntities: true, manualInitialization: true }),
        ThornModule.forRoot(),
      );

      expect(error).toBeInstanceOf(ThornConfigurationError);
      expect(error.message).toMatch(/not initialised/);
    });
  });
});
