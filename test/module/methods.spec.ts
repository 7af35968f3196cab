import { Controller, Inject, Injectable, Logger, Module, Param, Post, Scope } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import type { EntityManager } from 'typeorm';
import { describe, expect, it, vi } from 'vitest';
import { Subscribers, ThornConfigurationError, WebhookEvent } from '../../lib/index.js';
import { EventCatalogue } from '../../lib/event/index.js';
import { blogDatabases, createBlogDatabase, startBlog, User } from '../support/apps/blog.js';
import { Receiver } from '../support/receiver.js';
import { useRunningBlog } from '../support/apps/running-blog.js';

interface Order {
  id: string;
  total: number;
}

@Injectable()
class Orders {
  @WebhookEvent('order.placed', {
    data: (order: Order, [, note]: [string, string?]) => ({ ...order, note }),
    when: (order) => order.total > 0,
    headers: (order) => ({ 'X-Order': order.id }),
    ref: (order) => `/orders/${order.id}`,
  })
  async place(id: string, _note?: string): Promise<Order> {
    return { id, total: id === 'free' ? 0 : 10 };
  }

  @WebhookEvent('order.cancelled')
  @WebhookEvent('order.uncancellable', {
    on: 'error',
    data: (error, [id]: [string]) => ({ id, why: String(error) }),
  })
  async cancel(id: string): Promise<void> {
    if (id === 'shipped') throw new Error('too late');
  }

  @WebhookEvent('order.{id}.noted', { data: (order: Order) => ({ total: order.total }) })
  async note(id: string): Promise<Order> {
    return { id, total: 1 };
  }

  @WebhookEvent('order.broken', {
    data: () => {
      throw new Error('cannot tell');
    },
  })
  async breakQuietly(): Promise<string> {
    return 'done';
  }

  @WebhookEvent('order.broken', {
    propagateErrors: true,
    data: () => {
      throw new Error('cannot tell');
    },
  })
  async breakLoudly(): Promise<string> {
    return 'done';
  }

  @WebhookEvent('order.recorded', { manager: ([manager]: [EntityManager, string]) => manager })
  async record(manager: EntityManager, name: string): Promise<void> {
    await manager.save(User, { name });
  }
}

@Injectable()
class SpecialOrders extends Orders {
  @WebhookEvent('order.wrapped')
  async wrap(): Promise<void> {}
}

@Injectable({ scope: Scope.REQUEST })
class RequestOrders {
  @WebhookEvent('order.requested')
  async request(): Promise<void> {}
}

@Injectable({ scope: Scope.TRANSIENT })
class TransientOrders {
  @WebhookEvent('order.passing')
  async pass(): Promise<void> {}
}

@Controller('orders')
class OrdersController {
  constructor(@Inject(RequestOrders) private readonly orders: RequestOrders) {}

  @WebhookEvent('order.posted', { data: (body: { id: string }) => body })
  @Post(':id')
  async create(@Param('id') id: string): Promise<{ id: string }> {
    await this.orders.request();
    return { id };
  }
}

class MadeOrders {
  @WebhookEvent('order.made', { data: () => ({}) })
  async make(): Promise<void> {}
}

@Module({
  providers: [
    ...[Orders, SpecialOrders, RequestOrders, TransientOrders],
    { provide: MadeOrders, useFactory: () => new MadeOrders() },
    { provide: 'given', useValue: new MadeOrders() },
  ],
  controllers: [OrdersController],
  exports: [Orders],
})
class OrdersModule {}

describe.each(blogDatabases)('events of methods, on %s', (type) => {
  const blog = useRunningBlog(type, ['order.*'], {}, [OrdersModule]);

  it('are sent with the result and the arguments of the method', async () => {
    await expect(blog.app.get(Orders).place('7', 'in haste')).resolves.toEqual({
      id: '7',
      total: 10,
    });
    const [request] = await blog.receiver.waitFor(1);

    expect(blog.receiver.json()).toMatchObject({
      type: 'order.placed',
      ref: 'https://blog.example.com/orders/7',
      data: { id: '7', total: 10, note: 'in haste' },
    });
    expect(request!.headers['x-order']).toBe('7');
  });

  it('are sent by instances that a factory has made, or that are given as values', async () => {
    await blog.app.get(MadeOrders, { strict: false }).make();
    await blog.app.get<MadeOrders>('given', { strict: false }).make();
    const made = await blog.receiver.waitFor(2);
    expect(made.map(({ headers }) => headers['hook-event'])).toEqual(['order.made', 'order.made']);
    expect(blog.app.get(EventCatalogue).names()).toContain('order.made');
  });

  it('are not sent when the condition does not hold, nor when the method throws', async () => {
    const orders = blog.app.get(Orders);
    await orders.place('free');
    await expect(orders.cancel('shipped')).rejects.toThrow('too late');
    await orders.cancel('8');
    await blog.receiver.waitFor(2);

    expect(blog.receiver.events.sort()).toEqual(['order.cancelled', 'order.uncancellable']);
    expect(blog.receiver.json(blog.receiver.events.indexOf('order.uncancellable')).data).toEqual({
      id: 'shipped',
      why: 'Error: too late',
    });
  });

  it('have names that are filled from the result', async () => {
    await blog.app.get(Orders).note('n-1');
    await blog.receiver.waitFor(1);

    expect(blog.receiver.events).toEqual(['order.n-1.noted']);
  });

  it('change no result unless asked to', async () => {
    await expect(blog.app.get(Orders).breakQuietly()).resolves.toBe('done');
    await expect(blog.app.get(Orders).breakLoudly()).rejects.toThrow('cannot tell');
  });

  it('join the transaction of the manager that the method was given', async () => {
    const orders = blog.app.get(Orders);
    await blog.dataSource
      .transaction(async (manager) => {
        await orders.record(manager, 'never');
        throw new Error('changed my mind');
      })
      .catch(() => undefined);
    await blog.dataSource.transaction(async (manager) => {
      await orders.record(manager, 'grace');
      expect(blog.receiver.events).toEqual([]);
    });
    await blog.receiver.waitFor(1);

    expect(blog.receiver.events).toEqual(['order.recorded']);
  });

  it('work in subclasses, request-scoped and transient providers and controllers', async () => {
    const special = blog.app.get(SpecialOrders);
    await special.wrap();
    await special.cancel('9');
    const passing = await blog.app
      .get(ModuleRef)
      .resolve(TransientOrders, undefined, { strict: false });
    await passing.pass();
    await blog.app.listen(0, '127.0.0.1');
    const { port } = blog.app.getHttpServer().address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/orders/10`, { method: 'POST' });
    await blog.receiver.waitFor(5);

    expect(await response.json()).toEqual({ id: '10' });
    expect(blog.receiver.events.sort()).toEqual([
      'order.cancelled',
      'order.passing',
      'order.posted',
      'order.requested',
      'order.wrapped',
    ]);
  });

  it('can be subscribed to by name, unlike unknown names', async () => {
    const subscribers = blog.app.get(Subscribers);

    await expect(
      subscribers.create({ url: blog.receiver.url, events: ['order.*.noted'] }),
    ).resolves.toBeDefined();
    await expect(
      subscribers.create({ url: blog.receiver.url, events: ['invoice.*'] }),
    ).rejects.toMatchObject({
      field: 'events',
    });
  });
});

describe('two applications in one process', () => {
  it('send only to their own subscribers', async () => {
    const receiver = await Receiver.start();
    const start = async (path: string) => {
      const { app } = await startBlog((await createBlogDatabase('better-sqlite3')).options, {}, [
        OrdersModule,
      ]);
      await app.get(Subscribers).create({ url: `${receiver.url}/${path}`, events: ['order.*'] });
      return app;
    };
    const [one, two] = [await start('one'), await start('two')];

    await one.get(Orders).cancel('1');
    await two.get(Orders).cancel('2');
    await one.get(Orders).cancel('3');
    await receiver.waitFor(3);

    expect(receiver.requests.map(({ path }) => path).sort()).toEqual([
      '/hooks/one',
      '/hooks/one',
      '/hooks/two',
    ]);
    await Promise.all([one.close(), two.close(), receiver.stop()]);
  });
});

describe('a decorator used wrongly on a method', () => {
  const declare = (name: string, options: object) => () => {
    class Wrong {
      async work(): Promise<void> {}
    }
    const descriptor = Object.getOwnPropertyDescriptor(Wrong.prototype, 'work')!;
    (WebhookEvent as (name: string, options: object) => (...args: unknown[]) => void)(
      name,
      options,
    )(Wrong.prototype, 'work', descriptor);
  };

  it.each<[string, string, object, RegExp]>([
    [
      'an unknown option',
      'a.b',
      { payload: () => ({}) },
      /Unknown option `payload` in @WebhookEvent\('a\.b'\) on Wrong\.work/,
    ],
    ['an unknown case', 'a.b', { on: 'create' }, /`on` .* must be 'success' or 'error'/],
    ['data that is no function', 'a.b', { data: {} }, /`data` .* must be a function/],
    ['fields without a result', 'a.{id}', { on: 'error' }, /named? it without fields/],
    ['a malformed name', 'a..b', {}, /a\.\.b/],
  ])('fails at once: %s', (_, name, options, message) => {
    expect(declare(name, options)).toThrow(message);
  });

  it('logs the place once when Nest has not constructed the class', async () => {
    const errors = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await new Orders().cancel('1');
    expect(errors.mock.calls.map(([text]) => String(text))).toEqual([
      expect.stringMatching(
        /^@WebhookEvent\('order\.cancelled'\) on Orders\.cancel: not sent: no WebhookDispatcher was injected/,
      ),
    ]);
    errors.mockRestore();
  });

  it('names the class and the event', () => {
    expect(declare('a.b', { data: 1 })).toThrow(ThornConfigurationError);
    expect(declare('a.b', { data: 1 })).toThrow(/@WebhookEvent\('a\.b'\) on Wrong\.work/);
  });
});
