import { type CanActivate, Injectable, Module, Scope } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import {
  Clock,
  defineEvents,
  defineTableEvents,
  inline,
  Subscribers,
  ThornConfigurationError,
  ThornModule,
} from '../../lib/index.js';
import {
  type AddressLookup,
  DispatchStrategy,
  StandardDeliveryLog,
  StandardRetryPolicy,
  UndiciHttpClient,
  WebhookHttpClient,
  WebhookSigner,
} from '../../lib/extending/index.js';
import { RecordingStrategy } from '../../lib/testing/index.js';
import { thornPage } from '../../lib/page/index.js';

class AuthGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}
const owner = () => null;
const lookup = () => {};
const orders = defineTableEvents('orders', {
  key: 'id',
  events: { 'order.placed': { on: 'create' } },
});

/** Starts an application; resolves to what it was refused with. */
async function refusalOf(makeModule: () => ReturnType<typeof ThornModule.forRoot>): Promise<Error> {
  try {
    const app = (
      await Test.createTestingModule({ imports: [makeModule()] }).compile()
    ).createNestApplication();
    app.useLogger(false);
    await app.init();
    await app.close();
  } catch (error) {
    return error as Error;
  }
  return expect.unreachable('the application started');
}

@Injectable({ scope: Scope.REQUEST })
class RequestSettings {}

@Module({ providers: [RequestSettings], exports: [RequestSettings] })
class RequestSettingsModule {}

@Injectable({ scope: Scope.REQUEST })
class RequestSigner extends WebhookSigner {
  override sign(): Record<string, string> {
    return {};
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class TransientStrategy extends RecordingStrategy {}

const api = { guards: [AuthGuard], owner };
const withOptions = (options: object) =>
  refusalOf(() => ThornModule.forRoot({ dataSources: [], ...options }));

describe('an application with a wrong option', () => {
  it.each<[named: string, options: object]>([
    // Misspelled
    ['recipients.allowCidr', { recipients: { allowCidr: ['10.0.0.0/8'] } }],
    ['recipients.denyCidr', { recipients: { denyCidr: ['10.0.0.0/8'] } }],
    ['retries.jiter', { retries: { jiter: 0.5 } }],
    ['http.foo', { http: { foo: 1 } }],
    ['http.tls.rejectUnauthorized', { http: { tls: { rejectUnauthorized: false } } }],
    ['signing.ed', { signing: { ed: 'x' } }],
    ['signing.hookHmac', { signing: { hookHmac: 'yes' } }],
    ["'standard', 'thorn' or a function", { envelope: 'svix' }],
    ['encryption.key', { encryption: { keys: [], key: 'x' } }],
    ['api.guard', { api: { guard: [AuthGuard], unprotected: true, owner } }],
    // Of the wrong kind
    ['recipients', { recipients: 5 }],
    ['recipients', { recipients: null }],
    ['recipients', { recipients: [] }],
    ['requireHttps', { recipients: { requireHttps: 'no' } }],
    ['`recipients.allowCidrs` must be a list', { recipients: { allowCidrs: '10.0.0.0/8' } }],
    ['`recipients.denyCidrs` must be a list', { recipients: { denyCidrs: '10.0.0.0/8' } }],
    ['allowedPorts', { recipients: { allowedPorts: 443 } }],
    ['retries', { retries: 3 }],
    ['retries', { retries: null }],
    ['http', { http: 5 }],
    ['http', { http: [] }],
    ['http.lookup', { http: { lookup: 'dns' } }],
    ['keepAttempts', { keepAttempts: 'all' }],
    ['answerHeaders', { answerHeaders: ['server'] }],
    ['answerHeaders.of', { answerHeaders: { of: 'all' } }],
    ['answerHeaders.names', { answerHeaders: { names: ['a b'] } }],
    ['answerHeaders.names', { answerHeaders: { names: ['Set-Cookie'] } }],
    [
      'keepAttempts',
      { keepAttempts: 'failures', deliveryLog: class extends StandardDeliveryLog {} },
    ],
    ['egressProxy', { egressProxy: 'proxy.example.com:3128' }],
    ['egressProxy', { egressProxy: { url: 'http://proxy.example.com' } }],
    ['http.egressProxy', { http: { egressProxy: 'http://proxy.example.com' } }],
    ['http.lookup', { egressProxy: 'http://proxy.example.com', http: { lookup: () => {} } }],
    [
      'egressProxy',
      { egressProxy: 'http://proxy.example.com', httpClient: class extends UndiciHttpClient {} },
    ],
    [
      '`http.connections` of ThornModule.forRoot() is for the default client',
      { http: { lookup, connections: 5 }, httpClient: class extends UndiciHttpClient {} },
    ],
    [
      '`retries` of ThornModule.forRoot() is for the default policy',
      { retries: { schedule: [5000] }, retryPolicy: class extends StandardRetryPolicy {} },
    ],
    ['http.tls', { http: { tls: true } }],
    ['signing', { signing: 'whsk_x' }],
    ['encryption', { encryption: 'key' }],
    ['codecs', { codecs: 5 }],
    ['strictEvents', { strictEvents: 'yes' }],
    ['serializeTransactions.timeout', { serializeTransactions: { timeout: 0 } }],
    [
      '`serializeTransactions` of ThornModule.forRoot() must be true, false',
      { serializeTransactions: 'no' },
    ],
    ['selfCheck', { selfCheck: 'yes' }],
    ...['always', true, null, 5].map((transactions): [string, object] => [
      "`transactions` of ThornModule.forRoot() must be 'optional' or 'required'",
      { transactions },
    ]),
    ["`transactions` of ThornModule.forRoot() is 'required'", { transactions: 'required' }],
    ['serializeTransactions.wait', { serializeTransactions: { wait: 5 } }],
    ['baseUrl', { baseUrl: 5 }],
    ['userAgent', { userAgent: 5 }],
    ['api', { api: 5 }],
    ['api', { api: null }],
    ['api.imports', { api: { guards: [AuthGuard], owner, imports: AuthGuard } }],
    ['events', { events: { 'a b': 1 } }],
    ['events', { events: 'a' }],
    ['events', { events: [defineEvents({}), 'a'] }],
    ['events', { events: null }],
    ['capture', { capture: 'trigger' as 'triggers' }],
    ['tables', { tables: 'orders' }],
    ['tables', { tables: [{ name: 'orders', key: 'id' }] }],
    ['tables', { tables: [orders, orders] }],
    ['tables', { tables: [orders] }],
    ['eventTypes', { eventTypes: 'a.*' }],
    ['eventTypes', { eventTypes: [5] }],
    ['subscribers', { subscribers: 'https://example.com' }],
    ['subscribers', { subscribers: ['https://example.com'] }],
    ["'a..b'", { subscribers: { 'a..b': 'https://example.com' } }],
    // Structure
    ['dataSources', { dataSources: 'default' }],
    ['dataSources', { dataSources: [5] }],
    ['dataSources', { dataSources: [''] }],
    ['dataSources', { dataSources: null }],
    [
      "`dataSources` of ThornModule.forRoot() names 'default' twice",
      { dataSources: ['default', 'default'] },
    ],
    ['bullmq(), microservices() or a class', { dispatch: 'inline' }],
    ['dispatch', { dispatch: {} }],
    ['dispatch', { dispatch: null }],
    ['dispatch', { dispatch: class {} }],
    ['dispatch', { dispatch: inline }],
    ['Unknown option `windw` in inline()', { dispatch: inline({ windw: 5 } as object) }],
    ['`window` of inline() must be an integer', { dispatch: inline({ window: 0 }) }],
    ['The options of inline() must be an object, not null', { dispatch: inline(null as never) }],
    ['dispatch', { dispatch: { useFactory: inline, inject: 'x' } }],
    ['signer', { signer: {} }],
    ['signer', { signer: class {} }],
    ['signer', { signer: () => undefined }],
    ['`signer` of ThornModule.forRoot() must be a singleton', { signer: RequestSigner }],
    ['`dispatch` of ThornModule.forRoot() must be a singleton', { dispatch: TransientStrategy }],
    ['recipientPolicy', { recipientPolicy: new UndiciHttpClient({} as never) }],
    ['recipientPolicy', { recipientPolicy: Clock }],
    ['retryPolicy', { retryPolicy: class {} }],
    ['deliveryLog', { deliveryLog: class {} }],
    ['httpClient', { httpClient: class {} }],
    [
      'httpClient',
      {
        httpClient: class {
          post(): void {}
        },
      },
    ],
    ['clock', { clock: Date }],
    ['subscriberRepository', { subscriberRepository: null }],
    ['subscriberRepository', { subscriberRepository: class {} }],
    ['imports', { imports: AuthGuard }],
    ['global', { global: 'no' }],
  ])('does not start, and names %s: %o', async (named, options) => {
    const error = await withOptions(options);

    expect(error).toBeInstanceOf(ThornConfigurationError);
    expect(error.message).toContain(named);
  });

  it.each<[string, { operatorApi?: object; page?: object }, string, string]>([
    ['equal', { operatorApi: { path: 'hooks' } }, '`operatorApi.path`', '`api.path`'],
    ['below', { operatorApi: { path: '/hooks/all' } }, '`operatorApi.path`', '`api.path`'],
    ['equal', { page: thornPage({ path: '/hooks' }) }, '`path` of thornPage()', '`api.path`'],
    ['below', { page: thornPage({ path: 'hooks/ui' }) }, '`path` of thornPage()', '`api.path`'],
    [
      'equal',
      { operatorApi: { path: 'webhooks' }, page: thornPage() },
      '`path` of thornPage()',
      '`operatorApi.path`',
    ],
  ])(
    'does not start with paths that are %s: %o',
    async (_, { operatorApi, ...rest }, one, other) => {
      const error = await withOptions({
        api,
        ...(operatorApi !== undefined && { operatorApi: { guards: [AuthGuard], ...operatorApi } }),
        ...rest,
      });

      expect(error).toBeInstanceOf(ThornConfigurationError);
      expect(error.message).toContain(one);
      expect(error.message).toContain(other);
    },
  );

  it.each<[string, () => ReturnType<typeof ThornModule.forRoot>, RegExp | string]>([
    ['forRoot(null)', () => ThornModule.forRoot(null as never), /options must be an object/],
    ['forRoot(text)', () => ThornModule.forRoot('x' as never), /options must be an object/],
    ['forRootAsync({})', () => ThornModule.forRootAsync({}), /useFactory/],
    [
      'forRootAsync() with a dependency of request scope',
      () =>
        ThornModule.forRootAsync({
          dataSources: [],
          imports: [RequestSettingsModule],
          inject: [RequestSettings],
          useFactory: () => ({}),
        }),
      /`inject`.* request scope/,
    ],
    [
      'an option beside the factory',
      () => ThornModule.forRootAsync({ useFactory: () => ({}), ...{ timeout: 5 } }),
      /`timeout` of ThornModule\.forRootAsync\(\) must be returned by useFactory, not passed next to it/,
    ],
    [
      'three options beside the factory',
      () =>
        ThornModule.forRootAsync({
          useFactory: () => ({}),
          ...{ baseUrl: 'https://example.com', events: {}, tables: [orders] },
        }),
      '`baseUrl`, `events`, `tables` of ThornModule.forRootAsync() must be returned by useFactory, not passed next to it.',
    ],
    [
      'structure that a factory returns',
      () =>
        ThornModule.forRootAsync({
          dataSources: [],
          useFactory: () => ({ api: {}, page: {} }) as object,
        }),
      '`api`, `page` of ThornModule.forRoot() must be passed next to useFactory, not returned by it',
    ],
    [
      'a misspelled option beside the factory',
      () => ThornModule.forRootAsync({ useFactory: () => ({}), ...{ dispach: inline() } }),
      /Unknown option `dispach` in ThornModule\.forRootAsync\(\)\. Valid options: useFactory,/,
    ],
    ['forRootAsync(null)', () => ThornModule.forRootAsync(null as never), /useFactory/],
    [
      'a factory that answers nothing',
      () => ThornModule.forRootAsync({ dataSources: [], useFactory: () => undefined as never }),
      /options must be an object/,
    ],
    [
      'a factory with a wrong option',
      () =>
        ThornModule.forRootAsync({
          dataSources: [],
          useFactory: () => ({ recipients: { denyCidr: [] } }) as object,
        }),
      /recipients\.denyCidr/,
    ],
    [
      'two wrong data sources beside a factory',
      () => ThornModule.forRootAsync({ dataSources: ['a', 'a'], useFactory: () => ({}) }),
      /dataSources/,
    ],
  ])('does not start with %s', async (_, makeModule, message) => {
    const error = await refusalOf(makeModule);

    expect(error).toBeInstanceOf(ThornConfigurationError);
    if (typeof message === 'string') expect(error.message).toContain(message);
    else expect(error.message).toMatch(message);
  });

  it('starts with http.lookup beside another client, since it looks up the hosts of subscribers', async () => {
    class OwnClient extends WebhookHttpClient {
      override post = () => Promise.reject(new Error('Never asked'));
      override async close(): Promise<void> {}
    }
    const toPrivate: AddressLookup = (_name, _options, callback) =>
      callback(null, [{ address: '10.0.0.1', family: 4 }]);
    const module = await Test.createTestingModule({
      imports: [
        ThornModule.forRoot({
          dataSources: [],
          http: { lookup: toPrivate },
          httpClient: OwnClient,
        }),
      ],
    }).compile();

    await expect(
      module.get(Subscribers).create({ url: 'https://inside.example.com', events: ['a.*'] }),
    ).rejects.toMatchObject({ field: 'url' });
    await module.close();
  });

  it('accepts a class that has the methods without extending a base class', async () => {
    class OtherStrategy {
      async stage(): Promise<void> {}
      async release(): Promise<readonly []> {
        return [];
      }
      async discard(): Promise<void> {}
    }
    class Extending extends DispatchStrategy {
      override stage = async (): Promise<void> => undefined;
      override release = async (): Promise<readonly []> => [];
    }

    expect(() => ThornModule.forRoot({ dispatch: OtherStrategy })).not.toThrow();
    expect(() => ThornModule.forRoot({ dispatch: Extending })).not.toThrow();
  });
});
