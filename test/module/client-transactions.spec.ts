import {
  ClsPluginTransactional,
  Propagation,
  Transactional,
  TransactionHost,
} from '@nestjs-cls/transactional';
import { type INestApplicationContext, Inject, Injectable, Logger } from '@nestjs/common';
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

/** An application that has `@nestjs-cls/transactional` on its client. */
async function start(dispatch: ThornModuleExtras['dispatch']) {
  // As the package documents an adapter.
  const adapter = {
    connection: client,
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
    providers: [Orders],
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
