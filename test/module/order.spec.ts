import { type INestApplication, Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Clock,
  inline,
  InvalidInputError,
  ThornModule,
  WebhookDispatcher,
  WebhookEvent,
} from '../../lib/index.js';
import { MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';

@Injectable()
class Orders {
  @WebhookEvent('order.paid', { orderBy: 'customer.id', propagateErrors: true })
  async pay(customer: unknown) {
    return { customer };
  }

  @WebhookEvent('order.cancelled', {
    orderBy: { key: (_, [id]: [string]) => `order ${id}`, private: true },
    propagateErrors: true,
  })
  async cancel(id: string) {
    return { id };
  }
}

let app: INestApplication;
let receiver: ScriptedReceiver;
let dispatcher: WebhookDispatcher;

async function start(): Promise<void> {
  const module = await Test.createTestingModule({
    imports: [
      ThornModule.forRoot({
        dataSources: [],
        dispatch: inline(),
        recipients: 'development',
        orderInBody: true,
        clock: MovableClock,
        subscribers: { '*': { url: receiver.url } },
      }),
    ],
    providers: [Orders],
  }).compile();
  app = module.createNestApplication();
  app.useLogger(false);
  await app.init();
  dispatcher = app.get(WebhookDispatcher);
}

beforeEach(async () => {
  receiver = await ScriptedReceiver.start();
  await start();
});
afterEach(async () => {
  await app.close();
  await receiver.stop();
});

const sent = () =>
  receiver.received.map(({ headers }) => [headers['hook-key'], headers['hook-sequence']] as const);

describe('orderBy', () => {
  it('sends the key and a growing number in headers and in the body', async () => {
    for (const orderBy of ['order 5', 5, 5n, { key: 'ä' }]) {
      await dispatcher.send('order.flagged', {}, { orderBy });
    }
    await dispatcher.send('order.flagged', {});
    const [first] = receiver.received;
    const number = Number(first!.headers['hook-sequence']);
    expect(sent().map(([key]) => key)).toEqual(['order%205', '5', '5', '%C3%A4', undefined]);
    expect(first!.json).toMatchObject({ key: 'order 5', sequence: number });
    expect(Number(sent()[2]![1])).toBeGreaterThan(Number(sent()[1]![1]));
    expect(receiver.received.at(-1)!.json).not.toHaveProperty('key');
  });

  it('numbers higher after the next start', async () => {
    await dispatcher.send('order.flagged', {}, { orderBy: 1 });
    const clock = app.get<MovableClock>(Clock);
    const later = clock.now() + 10;
    await app.close();
    await start();
    app.get<MovableClock>(Clock).set(later);
    await dispatcher.send('order.flagged', {}, { orderBy: 1 });
    expect(Number(sent()[1]![1])).toBeGreaterThan(Number(sent()[0]![1]));
  });

  it('finds the key of what a method returns', async () => {
    const orders = app.get(Orders);
    await orders.pay({ id: 7 });
    await orders.cancel('a');
    expect(sent().map(([key]) => key)).toEqual(['7', expect.stringMatching(/^[\w-]{22}$/)]);
    await expect(orders.pay(null)).rejects.toThrow(InvalidInputError);
  });

  it.each([undefined, null, '', Number.NaN, {}, 'a'.repeat(256), { key: '' }])(
    'refuses the key %o, and sends nothing',
    async (orderBy) => {
      const error = await dispatcher
        .send('order.flagged', {}, { orderBy } as never)
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(InvalidInputError);
      expect(error).toMatchObject({ field: 'orderBy' });
      expect(receiver.received).toEqual([]);
    },
  );

  it('refuses unknown properties, and names the valid ones', async () => {
    const orderBy = { key: 'order 5', nope: 1 };
    await expect(dispatcher.send('order.flagged', {}, { orderBy })).rejects.toMatchObject({
      ...{ field: 'orderBy.nope', message: expect.stringContaining('Valid options: key, private') },
    });
    expect(receiver.received).toEqual([]);
  });

  it.each<[options: object, message: RegExp]>([
    [{ orderBy: { key: 'id', nope: 1 } }, /Unknown option `orderBy\.nope`.*: key, private/],
    [{ orderBy: true }, /must be a path of the result or a function/],
    [{ orderBy: 'id', on: 'error' }, /must be a function: a method that threw/],
    [{ orderBy: 5 }, /must be true, a path/],
  ])('refuses %o on a method', (options, message) => {
    expect(() => {
      class Wrong {
        @WebhookEvent('order.paid', options as { orderBy: string })
        async pay(): Promise<void> {}
      }
      return Wrong;
    }).toThrow(message);
  });
});
