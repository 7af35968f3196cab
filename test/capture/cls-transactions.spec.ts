import {
  Propagation,
  Transactional,
  TransactionHost,
  ClsPluginTransactional,
} from '@nestjs-cls/transactional';
import { TransactionalAdapterTypeOrm } from '@nestjs-cls/transactional-adapter-typeorm';
import { type INestApplication, Inject, Injectable, Module } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { ClsModule } from 'nestjs-cls';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { outbox, Subscribers, WebhookDispatcher, WebhookEvent } from '../../lib/index.js';
import { loopback, startBlog, User } from '../support/apps/blog.js';
import { createDatabase } from '../support/databases.js';
import { Receiver } from '../support/receiver.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

@Injectable()
class Orders {
  constructor(
    @Inject(WebhookDispatcher) private readonly dispatcher: WebhookDispatcher,
    @Inject(TransactionHost)
    private readonly host: TransactionHost<TransactionalAdapterTypeOrm>,
  ) {}

  @Transactional()
  async place(name: string, fails = false): Promise<void> {
    await this.host.tx.save(User, { name });
    await this.dispatcher.send(`order.${name}`);
    await this.pay(name);
    await this.audit(name);
    if (fails) throw new Error('no');
  }

  /** Above, the event is sent when the commit is done. */
  @WebhookEvent('order.closed')
  @Transactional()
  @WebhookEvent('order.closing')
  async close(fails = false): Promise<void> {
    await this.host.tx.save(User, { name: 'closed' });
    if (fails) throw new Error('not closed');
  }

  @WebhookEvent('order.paid', { data: (_, [name]: [string]) => name })
  @Transactional()
  async pay(_name: string): Promise<void> {}

  @Transactional(Propagation.RequiresNew)
  async audit(name: string): Promise<void> {
    await this.dispatcher.send(`audit.${name}`);
  }
}

@Module({
  imports: [
    ClsModule.forRoot({
      plugins: [
        new ClsPluginTransactional({
          adapter: new TransactionalAdapterTypeOrm({ dataSourceToken: getDataSourceToken() }),
        }),
      ],
    }),
  ],
  providers: [Orders],
})
class OrdersModule {}

describe.each(DATABASES_ALIKE)('@Transactional() of @nestjs-cls/transactional on %s', (kind) => {
  let app: INestApplication;
  let receiver: Receiver;
  let drop: () => Promise<void>;

  beforeAll(async () => {
    const database = await createDatabase(kind === 'sqlite' ? 'memory' : kind);
    drop = database.drop;
    ({ app } = await startBlog(
      { ...database.options, synchronize: true },
      { dispatch: outbox(), recipients: loopback },
      [OrdersModule],
    ));
    receiver = await Receiver.start();
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
  });
  beforeEach(() => {
    receiver.requests.length = 0;
  });
  afterAll(async () => {
    await app?.close();
    await receiver?.stop();
    await drop();
  });

  it('sends after the commit what is sent within, and nothing after a rollback', async () => {
    const orders = app.get(Orders);
    await expect(orders.place('refused', true)).rejects.toThrow('no');
    await orders.place('placed');
    await expect(orders.close(true)).rejects.toThrow('not closed');
    await orders.close();

    // On SQLite there is one connection, and a transaction within another one is its savepoint.
    const ownAudit = kind === 'sqlite' ? [] : ['audit.refused'];
    const expected = [
      ...[...ownAudit, 'audit.placed', 'order.closed', 'order.closing', 'order.paid'],
      'order.placed',
    ];
    await vi.waitFor(() => expect(receiver.events.sort()).toEqual(expected.sort()));
  });
});
