import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inline, InvalidInputError, ThornModule, WebhookDispatcher } from '../../lib/index.js';

describe('the options of send()', () => {
  let app: INestApplication;
  let dispatcher: WebhookDispatcher;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [ThornModule.forRoot({ dataSources: [], dispatch: inline() })],
    }).compile();
    app = module.createNestApplication();
    app.useLogger(false);
    await app.init();
    dispatcher = app.get(WebhookDispatcher);
  });

  afterAll(() => app.close());

  it.each<[field: string, options: unknown, message?: RegExp]>([
    ['options', null, /must be an object/],
    ['options', 'x', /must be an object/],
    ['options', ['ada'], /must be an object/],
    ['colour', { colour: 'red' }],
    ['manager', { manager: {} }],
    ['manager', { manager: 'default' }],
    ['tx', { tx: {} }],
    ['tx', { tx: 'default' }],
    ['tx', { tx: null, manager: null }],
    ['headers', { headers: null }],
    ['headers', { headers: 'x' }],
    ['wait', { wait: 'no' }],
    ['wait', { wait: null }],
    ['owner', { owner: Number.NaN }],
    ['owner', { owner: Number.POSITIVE_INFINITY }],
    ['owner', { owner: {} }],
    ['ref', { ref: 7 }],
    ['ref', { ref: 'javascript:alert(1)' }],
    ['ref', { ref: ' \tJava\nScript:alert(1)' }],
    ['ref', { ref: 'data:text/html,x' }],
    ['ref', { ref: 'http://[x' }],
    ['recipients', { recipients: { denyCidr: ['10.0.0.0/8'] } }, /denyCidr/],
    ['recipients', { recipients: { requireHttps: 'no' } }, /requireHttps/],
  ])('rejects a wrong %s: %o', async (field, options, message = /./) => {
    const error: unknown = await dispatcher.send('a', {}, options as never).then(
      () => expect.unreachable(),
      (thrown: unknown) => thrown,
    );

    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({ field, message: expect.stringMatching(message) });
  });

  it.each(['/orders/7', 'orders/7?a=b:c#d', '', '//example.com/x', 'HTTPS://example.com/x'])(
    'accepts %o as ref',
    async (ref) => {
      await expect(dispatcher.send('a', {}, { ref })).resolves.toMatchObject({
        state: 'delivered',
      });
    },
  );

  it('treats undefined as left out', async () => {
    const nothing = { ref: undefined, headers: undefined, manager: undefined, wait: undefined };

    await expect(dispatcher.send('a', {}, nothing as never)).resolves.toBeDefined();
    await expect(dispatcher.send('a', {}, undefined)).resolves.toBeDefined();
  });

  it.each([
    ['manager', { manager: {} }],
    ['wait', { wait: 'no' }],
    ['owner', { owner: 'ada' }],
    ['options', 'x'],
  ])('are checked by sendFor() too: %s', async (field, options) => {
    class Order {}

    await expect(
      dispatcher.sendFor(new Order(), 'order.paid', options as never),
    ).rejects.toMatchObject({ field });
    await expect(
      dispatcher.sendFor(Order, { where: {} }, 'order.paid', options as never),
    ).rejects.toMatchObject({ field });
  });

  it.each([Number.NaN, Symbol('x')])('rejects data that is %s', async (data) => {
    await expect(dispatcher.send('a', data)).rejects.toMatchObject({
      field: 'data',
      message: expect.stringMatching(/^data is (?:NaN|a symbol), which JSON cannot hold/),
      data: { path: 'data' },
    });
  });
});
