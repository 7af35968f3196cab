import { type INestApplication, Inject, Injectable, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  addTransactionalDataSource,
  deleteDataSourceByName,
  initializeTransactionalContext,
  Propagation,
  Transactional,
} from 'typeorm-transactional';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { outbox, Subscribers, WebhookDispatcher, WebhookEvent } from '../../lib/index.js';
import { loopback, startBlog, User } from '../support/apps/blog.js';
import { createDatabase } from '../support/databases.js';
import { Receiver } from '../support/receiver.js';

initializeTransactionalContext();

@Injectable()
class Orders {
  constructor(
    @Inject(WebhookDispatcher) private readonly dispatcher: WebhookDispatcher,
    @Inject(DataSource) private readonly dataSource: DataSource,
  ) {}

  @Transactional()
  async place(name: string, fails = false): Promise<void> {
    await this.dataSource.getRepository(User).save({ name });
    await this.dispatcher.send(`order.${name}`);
    await this.pay(name);
    await this.audit(name);
    if (fails) throw new Error('no');
  }

  @WebhookEvent('order.paid', { data: (_, [name]: [string]) => name })
  @Transactional()
  async pay(_name: string): Promise<void> {}

  @Transactional({ propagation: Propagation.REQUIRES_NEW })
  async audit(name: string): Promise<void> {
    await this.dispatcher.send(`audit.${name}`);
  }
}

@Module({ providers: [Orders] })
class OrdersModule {}

describe.each(['sqlite', 'postgres'] as const)(
  '@Transactional() of typeorm-transactional on %s',
  (kind) => {
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
      addTransactionalDataSource(app.get(DataSource));
      receiver = await Receiver.start();
      await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    });
    beforeEach(() => {
      receiver.requests.length = 0;
    });
    afterAll(async () => {
      deleteDataSourceByName('default');
      await app?.close();
      await receiver?.stop();
      await drop();
    });

    it('sends after the commit what is sent within, and nothing after a rollback', async () => {
      const orders = app.get(Orders);
      await expect(orders.place('refused', true)).rejects.toThrow('no');
      await orders.place('placed');

      // On SQLite there is one connection, and a transaction within another one is its savepoint.
      const ownAudit = kind === 'sqlite' ? [] : ['audit.refused'];
      const expected = [...ownAudit, 'audit.placed', 'order.paid', 'order.placed'].sort();
      await vi.waitFor(() => expect(receiver.events.sort()).toEqual(expected));
      expect(await app.get(DataSource).getRepository(User).countBy({ name: 'placed' })).toBe(1);
      expect(await app.get(DataSource).getRepository(User).countBy({ name: 'refused' })).toBe(0);
    });
  },
);
