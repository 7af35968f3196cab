import {
  ClsPluginTransactional,
  Propagation,
  Transactional,
  type TransactionalAdapter,
  TransactionHost,
} from '@nestjs-cls/transactional';
import {
  type INestApplicationContext,
  Inject,
  Injectable,
  Logger,
  type Type,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ClsModule } from 'nestjs-cls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  disabled,
  inline,
  outbox,
  Subscribers,
  ThornModule,
  type ThornModuleExtras,
  WebhookDispatcher,
  WebhookEvent,
} from '../../lib/index.js';
import { DispatchStrategy } from '../../lib/extending/index.js';
import {
  LOOPBACK_RECIPIENTS,
  RecordingStrategy,
  ScriptedReceiver,
} from '../../lib/testing/index.js';
import { type FreshDatabase, freshPostgres } from '../services/database.js';
import { migrate, type OpenedClient, SQL_CLIENTS } from '../support/sql-clients.js';

const { open, define } = SQL_CLIENTS.find(({ name }) => name === 'Prisma 7')!;

@Injectable()
class Orders {
  constructor(@Inject(WebhookDispatcher) private readonly dispatcher: WebhookDispatcher) {}

  @Transactional()
  async place(name: string, fails = false): Promise<void> {
    await this.dispatcher.send(`order.${name}`);
    await this.pay(name);
    await this.audit(name);
    await this.dispatcher.send(`order.seen.${name}`, {}, { tx: null });
    if (fails) throw new Error('no');
  }

  @WebhookEvent('order.paid', { when: (name: string) => name !== 'free' })
  async pay(name: string): Promise<string> {
    return name;
  }

  @Transactional(Propagation.RequiresNew)
  async audit(name: string): Promise<void> {
    await this.dispatcher.send(`audit.${name}`);
  }

  @WebhookEvent('order.issued')
  async issue(): Promise<void> {
    await this.dispatcher.send('order.issuing', {}, { tx: null });
  }

  @WebhookEvent('order.refunded', { tx: ([tx]: [unknown]) => tx })
  async refund(_tx: unknown): Promise<void> {}
}

let place: FreshDatabase;
let client: OpenedClient<never>;
let app: INestApplicationContext;

beforeAll(async () => {
  place = await freshPostgres();
  await migrate(place.url);
  client = await open(place.url, 3);
  vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
});
afterEach(() => app?.close());
afterAll(async () => {
  vi.restoreAllMocks();
  await client.close();
  await place.drop();
});

const begins = (prisma: Prisma) =>
  ((work: (tx: never) => Promise<never>) =>
    prisma.$transaction((tx) => work(tx as never))) as OpenedClient<never>['begin'];

/** An application that has `@nestjs-cls/transactional` on its client. */
async function start(
  dispatch: ThornModuleExtras['dispatch'],
  on = client,
  providers: readonly Type[] = [],
) {
  // As the package documents an adapter.
  const adapter = {
    connection: on,
    optionsFactory: ({ bare, begin }: typeof client) => ({
      wrapWithTransaction: (_: unknown, work: () => Promise<unknown>, set: (tx: unknown) => void) =>
        begin((tx) => {
          set(tx);
          return work();
        }),
      getFallbackInstance: () => bare,
    }),
  };
  const module = await Test.createTestingModule({
    imports: [
      ClsModule.forRoot({ plugins: [new ClsPluginTransactional({ adapter })] }),
      ThornModule.forRoot({
        database: define(client.bare, place.url),
        ...(dispatch === undefined ? {} : { dispatch }),
        recipients: LOOPBACK_RECIPIENTS,
      }),
    ],
    providers: [Orders, ...providers],
  }).compile();
  app = await module.init();
  return app.get(Orders);
}

describe('@Transactional() of @nestjs-cls/transactional, with Prisma', () => {
  let receiver: ScriptedReceiver;
  beforeEach(async () => {
    receiver = await ScriptedReceiver.start();
  });
  afterEach(() => receiver.stop());

  it('is joined by what is sent within, by hand or by methods', async () => {
    const orders = await start(outbox({ pollInterval: 100 }));
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });

    await expect(orders.place('refused', true)).rejects.toThrow('no');
    await orders.place('free');
    await orders.place('placed');
    const refunded = client.begin(async (tx) => {
      await orders.refund(tx);
      throw new Error('no refund');
    });
    await expect(refunded).rejects.toThrow('no refund');
    await client.begin((tx) => orders.refund(tx));

    const expected = [
      ...[
        'audit.free',
        'audit.placed',
        'audit.refused',
        'order.free',
        'order.paid',
        'order.placed',
      ],
      ...['order.refunded', 'order.seen.free', 'order.seen.placed', 'order.seen.refused'],
    ];
    await vi.waitFor(() =>
      expect(receiver.received.map(({ event }) => event).sort()).toEqual(expected),
    );
    const host = app.get(TransactionHost);
    expect(host.isTransactionActive()).toBe(false);
  });
});

/** What is used of a client of Prisma. */
interface Prisma {
  readonly article: { create(args: object): Promise<{ readonly title: string }> };
  $transaction<Answer>(work: (tx: Prisma) => Promise<Answer>): Promise<Answer>;
  $extends(extension: object): Prisma;
  $executeRawUnsafe(sql: string): Promise<unknown>;
}

describe('a hook of $extends of Prisma that sends', () => {
  let receiver: ScriptedReceiver;
  let prisma: Prisma;
  beforeEach(async () => {
    receiver = await ScriptedReceiver.start();
    const bare = client.bare as Prisma;
    await bare.$executeRawUnsafe(
      'CREATE TABLE IF NOT EXISTS article (id serial PRIMARY KEY, title text)',
    );
    prisma = bare.$extends({
      query: {
        article: {
          async create({
            args,
            query,
          }: {
            args: object;
            query: (args: object) => Promise<{ title: string }>;
          }) {
            const article = await query(args);
            await app.get(WebhookDispatcher).send(`article.${article.title}`);
            return article;
          },
        },
      },
    });
  });
  afterEach(() => receiver.stop());

  const create = async (tx: Prisma, title: string, fails = false) => {
    await tx.article.create({ data: { title } });
    if (fails) throw new Error('no article');
  };
  const titles = async () =>
    (
      (await (client.bare as { $queryRawUnsafe(sql: string): Promise<unknown> }).$queryRawUnsafe(
        'SELECT title FROM article',
      )) as { title: string }[]
    ).map(({ title }) => title);

  it('is refused in the transactions of Prisma, and atomic in those of @nestjs-cls/transactional', async () => {
    await start(outbox({ pollInterval: 100 }), { ...client, bare: prisma, begin: begins(prisma) });
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    const refusal = { code: 'THORN_TRANSACTION_REQUIRED' };
    await expect(prisma.$transaction((tx) => create(tx, 'refused'))).rejects.toMatchObject(refusal);
    await expect(create(prisma, 'alone')).rejects.toMatchObject(refusal);

    const host =
      app.get<TransactionHost<TransactionalAdapter<unknown, Prisma, object>>>(TransactionHost);
    const failed = host.withTransaction(() => create(host.tx, 'undone', true));
    await expect(failed).rejects.toThrow('no article');
    await host.withTransaction(() => create(host.tx, 'kept'));
    await receiver.waitFor(1);
    await app.get(WebhookDispatcher).send('fence', {}, { tx: null });
    await receiver.waitFor(({ event }) => event === 'fence');
    expect(receiver.received.map(({ event }) => event)).toEqual(['article.kept', 'fence']);
    // Alone, the row is written before the hook sends: nothing but a transaction takes it along.
    expect(await titles()).toEqual(['alone', 'kept']);
  });
});

/** The order of the decorators that the start refuses. */
class Above {
  @WebhookEvent('order.above')
  @Transactional()
  async place(): Promise<void> {}
}

class Shop {
  @WebhookEvent('shop.sent', { tx: null })
  @Transactional()
  @WebhookEvent('shop.placed')
  @WebhookEvent('shop.counted')
  async place(fails: boolean): Promise<void> {
    if (fails) throw new Error('no order');
  }
}

describe('events on methods that name no transaction, with @nestjs-cls/transactional', () => {
  const refusal = { code: 'THORN_TRANSACTION_REQUIRED' };

  it('are refused before the method runs outside of its transactions, and joined within', async () => {
    const orders = await start(outbox({ worker: false }));
    const error = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const send = vi.spyOn(app.get(WebhookDispatcher), 'send');
    await expect(orders.issue()).rejects.toMatchObject({
      ...refusal,
      message: expect.stringMatching(/'order\.issued'.*Orders\.issue: .*has not run/) as string,
    });
    // By hand, and refused as well: the transaction was forgotten by the caller.
    await expect(orders.refund(undefined)).rejects.toMatchObject(refusal);
    expect(send).not.toHaveBeenCalled();
    await orders.place('within');
    expect(error).not.toHaveBeenCalled();
  });

  it('stop the start above @Transactional(), and name the fix', async () => {
    await expect(start(outbox({ worker: false }), client, [Above])).rejects.toMatchObject({
      ...refusal,
      message: expect.stringMatching(
        /'order\.above'.*Above\.place is above .*Write @WebhookEvent\(\) below .*tx: null/,
      ) as string,
    });
  });

  it('are sent after the commit alone, below @Transactional() and with tx: null above it', async () => {
    const receiver = await ScriptedReceiver.start();
    await start(outbox({ pollInterval: 100 }), client, [Shop]);
    await app.get(Subscribers).create({ url: receiver.url, events: ['shop.*'] });
    const shop = app.get(Shop);
    await expect(shop.place(true)).rejects.toThrow('no order');
    await shop.place(false);
    await app.get(WebhookDispatcher).send('shop.fence', {}, { tx: null });
    await receiver.waitFor(4);
    expect(receiver.received.map(({ event }) => event).sort()).toEqual([
      ...['shop.counted', 'shop.fence', 'shop.placed', 'shop.sent'],
    ]);
    await receiver.stop();
  });
});

describe('a strategy beside outbox(), in a transaction of Prisma', () => {
  const send = (tx: unknown, name: string) => app.get(WebhookDispatcher).send(name, {}, { tx });

  it('records what has committed, for tests', async () => {
    const orders = await start(RecordingStrategy);
    const webhooks = app.get<RecordingStrategy>(DispatchStrategy);
    await expect(orders.place('undone', true)).rejects.toThrow('no');
    await client.begin(async (tx) => {
      await send(tx, 'late');
      await app.get(WebhookDispatcher).send('fence', {}, { tx: null });
      await webhooks.waitFor('fence');
      expect(webhooks.sent.map(({ event }) => event)).not.toContain('late');
    });
    // Each commit is looked up by itself: "late" may be found before "audit.undone".
    await webhooks.waitFor('late');
    await webhooks.waitFor('audit.undone');

    expect(webhooks.sent.map(({ event }) => event).sort()).toEqual([
      ...['audit.undone', 'fence', 'late', 'order.seen.undone'],
    ]);
  });

  it('is refused by inline(), which cannot know of the commit, and names the fix', async () => {
    const orders = await start(inline());
    const refusal = {
      code: 'THORN_OUTBOX_REQUIRED',
      message: expect.stringContaining('tx: null') as string,
    };
    await client.begin((tx) => expect(send(tx, 'refused')).rejects.toMatchObject(refusal));
    await expect(orders.place('refused')).rejects.toMatchObject(refusal);
  });

  it('is switched off with webhooks', async () => {
    await start(disabled());
    await client.begin((tx) => expect(send(tx, 'off')).resolves.toMatchObject({ state: 'staged' }));
  });
});
