import { type INestApplication, Injectable, Logger, Module, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Subscribers,
  ThornModule,
  type ThornModuleOptions,
  WebhookDispatcher,
  WebhookEvent,
} from '../../lib/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { Article, loopback, User } from '../support/apps/blog.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';

@Injectable()
class Orders {
  @WebhookEvent('order.placed', { propagateErrors: true })
  async place(): Promise<void> {}

  @WebhookEvent('order.now', { tx: null, propagateErrors: true })
  async now(): Promise<void> {}
}

@Module({ providers: [Orders] })
class OrdersModule {}

/** As `@Transactional()` of any package. */
const replaced: MethodDecorator = (_target, _method, descriptor) => {
  const original = descriptor.value as (...args: unknown[]) => unknown;
  descriptor.value = function (this: unknown, ...args: unknown[]) {
    return original.apply(this, args);
  } as never;
};

class Above {
  @WebhookEvent('order.above')
  @replaced
  async place(): Promise<void> {}
}

@Module({ providers: [Above] })
class AboveModule {}

const REQUIRED = { code: 'THORN_TRANSACTION_REQUIRED' };

describe('what names no transaction, with TypeORM', () => {
  let database: TestDatabase;
  let receiver: ScriptedReceiver;
  let app: INestApplication | undefined;
  const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);

  beforeEach(async () => {
    database = await createDatabase('postgres');
    receiver = await ScriptedReceiver.start();
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    await receiver.stop();
    await database.drop();
    warn.mockClear();
  });

  async function start(
    options: ThornModuleOptions,
    orders: Type = OrdersModule,
  ): Promise<WebhookDispatcher> {
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          ...database.options,
          synchronize: true,
          autoLoadEntities: true,
        }),
        TypeOrmModule.forFeature([Article, User]),
        ThornModule.forRootAsync({
          useFactory: async () => ({ recipients: loopback, ...options }),
        }),
        orders,
      ],
    }).compile();
    app = module.createNestApplication({ logger: false });
    await app.init();
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    return app.get(WebhookDispatcher);
  }

  it("is refused with transactions: 'required', outside of the transactions of functions", async () => {
    const dispatcher = await start({ transactions: 'required' });
    const orders = app!.get(Orders);
    const dataSource = app!.get(DataSource);
    await expect(dispatcher.send('order.flagged')).rejects.toMatchObject(REQUIRED);
    const { manager } = dataSource; // of no transaction
    const sent = dispatcher.send('order.flagged', {}, { manager });
    await expect(sent).rejects.toMatchObject(REQUIRED);
    const article = Object.assign(new Article(), { id: 1, title: 'none' });
    await expect(dispatcher.sendFor(article, 'article.created')).rejects.toMatchObject(REQUIRED);
    const many = dispatcher.sendFor(Article, { where: {} }, 'article.created');
    await expect(many).rejects.toMatchObject(REQUIRED);
    await expect(orders.place()).rejects.toMatchObject(REQUIRED);
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    await expect(dispatcher.send('order.flagged')).rejects.toMatchObject(REQUIRED);
    await runner.rollbackTransaction();
    await runner.release();

    await dispatcher.send('sent.now', {}, { manager: null });
    await orders.now();
    await dataSource.transaction(async () => {
      await dispatcher.send('sent.within');
      await orders.place();
    });
    // The writes of entities name theirs by themselves.
    await dataSource.getRepository(Article).save({ title: 'alone' });
    await receiver.waitFor(5);
    expect(receiver.received.map(({ event }) => event).sort()).toEqual([
      ...['article.created', 'order.now', 'order.placed', 'sent.now', 'sent.within'],
    ]);
  });

  it("stops the start with transactions: 'required', above what replaces a method", async () => {
    await expect(start({ transactions: 'required' }, AboveModule)).rejects.toMatchObject(REQUIRED);
    await start({}, AboveModule);
  });

  it.each([{}, { transactions: 'optional' as const }])('is sent at once with %j', async (given) => {
    const dispatcher = await start(given);
    await dispatcher.send('order.flagged');
    await app!.get(Orders).place();
    await receiver.waitFor(2);
    expect(receiver.received.map(({ event }) => event).sort()).toEqual([
      ...['order.flagged', 'order.placed'],
    ]);
  });
});
