import { type INestApplication, Injectable, type LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  inline,
  InvalidInputError,
  type SubscriberSource,
  Subscribers,
  ThornConfigurationError,
  ThornModule,
  type ThornModuleOptions,
  WebhookDispatcher,
  WebhookEvent,
} from '../../lib/index.js';
import { loopback } from '../support/apps/blog.js';
import { Receiver } from '../support/receiver.js';

const SECRET = 'a secret of this length';

describe('static subscribers', () => {
  let receiver: Receiver;
  let app: INestApplication | undefined;
  let logged: unknown[][] = [];

  const start = async (options: ThornModuleOptions, providers: (new () => object)[] = []) => {
    const module = await Test.createTestingModule({
      imports: [ThornModule.forRoot({ dataSources: [], dispatch: inline(), ...options })],
      providers,
    }).compile();
    app = module.createNestApplication();
    logged = [];
    const keep = (...line: unknown[]) => void logged.push(line);
    const silent = () => undefined;
    const logger: LoggerService = { log: silent, warn: silent, error: keep };
    app.useLogger(logger);
    await app.init();
    return app;
  };
  const refusal = async (...parameters: Parameters<typeof start>): Promise<Error> =>
    start(...parameters).then(
      () => expect.unreachable('the application started'),
      (error: Error) => error,
    );

  beforeEach(async () => {
    receiver = await Receiver.start();
  });

  afterEach(async () => {
    await app?.close();
    app = undefined;
    await receiver.stop();
  });

  it.each<[string, SubscriberSource, RegExp]>([
    ['a private address', 'http://127.0.0.1/hooks?token=s3cret', /127\.0\.0\.1/],
    ['a port', [[{ url: 'https://example.com:22/?token=s3cret' }]], /example\.com.*port 22/],
    ['no URL', 'example.com?token=s3cret', /http/],
    ['a weak secret', { url: 'https://example.com/?token=s3cret', secret: 's3cret' }, /secret/],
    ['an unknown key', { url: 'https://example.com', uri: 's3cret' } as never, /uri/],
    ['a number', [7] as never, /number/],
  ])('rejects wrong ones of the options at start-up: %s', async (_, source, message) => {
    const error = await refusal({ subscribers: { 'order.*': source } });

    expect(error).toBeInstanceOf(ThornConfigurationError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain("'order.*'");
    expect(error.message).not.toContain('s3cret');
  });

  it('rejects wrong ones of an event at start-up', async () => {
    @Injectable()
    class Orders {
      @WebhookEvent('order.paid', { subscribers: ['http://10.0.0.1/hooks?token=s3cret'] })
      async pay(): Promise<void> {}
    }
    const error = await refusal({}, [Orders]);

    expect(error).toBeInstanceOf(ThornConfigurationError);
    expect(error.message).toMatch(/order\.paid.*10\.0\.0\.1/);
    expect(error.message).not.toContain('s3cret');
  });

  it.each<[string, SubscriberSource, RegExp]>([
    ['answers a refused URL', () => 'http://10.0.0.1/hooks?token=s3cret', /10\.0\.0\.1/],
    ['answers a wrong kind', () => 7 as never, /number/],
    [
      'throws',
      () => {
        throw new Error('no answer from\nhttps://crm.example.com/list?token=s3cret');
      },
      /no answer from https:\/\/crm\.example\.com\/list/,
    ],
    [
      'throws no error',
      () => {
        // eslint-disable-next-line no-throw-literal
        throw Object.create(null);
      },
      /order\.paid/,
    ],
    [
      'is a generator that ends with a throw',
      async function* () {
        yield 'http://10.0.0.1/?token=s3cret';
        throw new Error('gone');
      },
      /10\.0\.0\.1.*gone/,
    ],
  ])('keeps the other sources when one source %s', async (_, bad, reason) => {
    const { url } = receiver;
    const started = await start({
      recipients: loopback,
      subscribers: {
        '*': [() => bad, `${url}/neighbour`, [bad]],
        'order.*': `${url}/constant`,
        'order.paid': () => `${url}/callback`,
        'other.*': bad,
      },
    });
    await started.get(Subscribers).create({ url: `${url}/stored`, events: ['*'] });

    await started.get(WebhookDispatcher).send('order.paid');

    expect(receiver.requests.map(({ path }) => path).sort()).toEqual(
      ['/callback', '/constant', '/neighbour', '/stored'].map((path) => `/hooks${path}`),
    );
    expect(logged).toHaveLength(1);
    // The text, and the logger's context: no stack.
    expect(logged[0]!.filter((part) => part !== undefined)).toHaveLength(2);
    expect(logged[0]![0]).toMatch(/order\.paid/);
    expect(logged[0]![0]).toMatch(reason);
    expect(logged[0]![0]).not.toMatch(/\n|s3cret/);
  });

  it.each<[string, SubscriberSource, RegExp]>([
    ['a URL', 'http://10.0.0.1/?token=s3cret', /10\.0\.0\.1/],
    ['a secret', { url: 'https://example.com', secret: 'weak' }, /secret/],
    ['the answer of a function', () => 'ftp://example.com/?token=s3cret', /http/],
  ])('rejects wrong ones of a message as invalid input: %s', async (_, source, message) => {
    const dispatcher = (await start({})).get(WebhookDispatcher);

    const error: Error = await dispatcher
      .send(
        'order.paid',
        {},
        { subscribers: [{ url: 'https://example.com', secret: SECRET }, source] },
      )
      .then(
        () => expect.unreachable(),
        (thrown: Error) => thrown,
      );

    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({ field: 'subscribers' });
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('s3cret');
  });
});
