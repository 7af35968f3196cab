import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import type { INestApplication, Type } from '@nestjs/common';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  Clock,
  defineEvents,
  Deliveries,
  generateSecret,
  inline,
  outbox,
  Subscribers,
  ThornModule,
  type ThornModuleOptions,
  WebhookDispatcher,
} from '../../lib/index.js';
import {
  McpEvents,
  McpEventsError,
  McpEventsModule,
  type McpEventsOptions,
} from '../../lib/mcp/index.js';
import { McpFormat } from '../../lib/mcp/mcp-format.js';
import { type ReceivedWebhook, ScriptedReceiver } from '../../lib/testing/index.js';
import { openBy } from '../support/client-kind.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';

const MINUTE = 60_000;

/** The machine's time, from which it can depart. */
class ShiftedClock extends Clock {
  shift = 0;

  override now(): number {
    return Date.now() + this.shift;
  }
}

const events = defineEvents({
  'order.paid': {
    description: 'An order was paid',
    schema: {
      type: 'object',
      properties: {
        customer: { type: 'string', description: 'Who paid' },
        total: { type: ['number', 'null'] },
        lines: { type: 'array', items: { type: 'string' } },
      },
    },
  },
  'user.{username}.renamed': {
    description: 'A user has another name',
    schema: { type: 'object', properties: { to: { type: 'string' } } },
  },
  'till.counted': { description: 'A list', schema: { type: 'array' } },
  'payroll.run': { description: 'For the office alone' },
});

interface Client {
  capabilities(): object;
  call(method: string, params: object): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

interface Agent {
  readonly events: readonly { readonly name: string; readonly data: unknown }[];
  readonly terminated: readonly unknown[];
  readonly statuses: readonly number[];
  list(): Promise<{ readonly events: readonly Record<string, unknown>[] }>;
  subscribe(name: string, args: object, ttlMs?: number): Promise<{ readonly id: string }>;
  refresh(id: string): Promise<object>;
  unsubscribe(id: string): Promise<void>;
  close(): Promise<void>;
}

const mcp = await openBy('mcp');
const openAgent = mcp['openAgent'] as unknown as (url: string, token: string) => Promise<Agent>;
const servers = mcp['servers'] as (events: () => McpEvents) => {
  controllers: Type<object>[];
  strategy: CustomTransportStrategy;
};

const openClient = mcp['openClient'] as unknown as (
  url: string,
  token: string | null,
  mode: string,
) => Promise<Client>;

const logs: string[] = [];
/** Principals that may subscribe to nothing. */
const barred = new Set<string>();
let database: TestDatabase;
let app: INestApplication;
let url: string;
let receiver: ScriptedReceiver;
/** Begun at once, as it takes ten seconds. */
let silent: Promise<McpEventsError>;

beforeAll(async () => {
  database = await createDatabase('file');
  receiver = await ScriptedReceiver.start();
  app = await start();
  url = await app.getUrl();
  const mute = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const { delivery, ...params } = paramsOf({});
  const { port } = mute.address() as AddressInfo;
  const muted = { ...delivery, url: `http://127.0.0.1:${port}/` };
  silent = refusal('events/subscribe', { ...params, delivery: muted }, 'otto').finally(() => {
    mute.closeAllConnections();
    mute.close();
  });
});

afterAll(async () => {
  await app.close();
  await receiver.stop();
  await database.drop();
});

/** A process of the application. */
async function start(): Promise<INestApplication> {
  const { controllers, strategy } = servers(() => started.get(McpEvents));
  const module = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({ ...database.options, autoLoadEntities: true, synchronize: true }),
      ThornModule.forRoot({
        dispatch: outbox({ pollInterval: 25, history: true }),
        events,
        recipients: 'development',
        http: {
          lookup: (host, _options, done) =>
            done(null, [
              { address: host.startsWith('inside') ? '169.254.1.1' : '9.9.9.9', family: 4 },
            ]),
        },
        clock: ShiftedClock,
      }),
      McpEventsModule.forRoot({
        authorize: (principal, event, args) =>
          event !== 'payroll.run' &&
          args?.['customer'] !== 'vip' &&
          !(args && barred.has(principal)),
        maxSubscriptions: 3,
      }),
    ],
    controllers,
  }).compile();
  const note = (...parts: unknown[]) => void logs.push(parts.map(String).join(' '));
  const logger = { log: note, warn: note, error: note, debug: note, verbose: note };
  const started = module.createNestApplication({ logger });
  started.connectMicroservice({ strategy });
  await started.startAllMicroservices();
  await started.listen(0, '127.0.0.1');
  return started;
}

describe.each(['sdk-2', 'sdk-1', 'mcp-nest'])('an agent of the AI SDK at %s', (path) => {
  it('lists, subscribes, receives what it asked for, refreshes, and ends', async () => {
    const agent = await openAgent(`${url}/${path}`, `alice-at-${path}`);
    onTestFinished(() => agent.close());
    const dispatcher = app.get(WebhookDispatcher);
    const { events: listed } = await agent.list();
    expect(listed).toMatchObject([
      { name: 'order.paid', delivery: ['webhook', 'poll'] },
      { name: 'user.{username}.renamed' },
    ]);

    const paid = await agent.subscribe('order.paid', { customer: 'c1' });
    const renamed = await agent.subscribe('user.{username}.renamed', { username: 'joe' });
    await dispatcher.send('order.paid', { customer: 'c2' });
    await dispatcher.send('order.paid', { customer: 'c1', total: 5 });
    await dispatcher.send('user.jane.renamed', { to: 'eve' });
    await dispatcher.send('user.joe.renamed', { to: 'moe' });
    await vi.waitFor(() => expect(agent.events).toHaveLength(2));

    expect(await agent.refresh(paid.id)).toMatchObject({ id: paid.id });
    await dispatcher.send('order.paid', { customer: 'c1', total: 6 });
    await vi.waitFor(() => expect(agent.events).toHaveLength(3));
    const data = agent.events.map((event) => [event.name, event.data]);
    expect(data).toHaveLength(3);
    expect(data).toEqual(
      expect.arrayContaining([
        ['order.paid', { customer: 'c1', total: 5 }],
        ['user.{username}.renamed', { to: 'moe' }],
        ['order.paid', { customer: 'c1', total: 6 }],
      ]),
    );
    // A challenge for each URL, and each delivery.
    expect(agent.statuses).toEqual([200, 200, 204, 204, 204]);

    await agent.unsubscribe(paid.id);
    expect(await app.get(McpEvents).revoke(`alice-at-${path}`)).toBe(1);
    expect(agent.terminated).toMatchObject([{ code: -32012 }]);
    await expect(agent.refresh(renamed.id)).rejects.toThrow();
    expect(await stored(`alice-at-${path}`)).toEqual([]);
  });
});

describe.each(['auto', 'legacy'])('a client of the SDK in the era %s', (era) => {
  const connect = async (path: string, token: string | null) => {
    const client = await openClient(`${url}/${path}`, token, era);
    onTestFinished(() => client.close());
    return client;
  };

  it.each(['sdk-2', 'sdk-1', 'mcp-nest'])('sees the extension at %s', async (path) => {
    const client = await connect(path, 'carol');
    const extension = { 'io.modelcontextprotocol/events': {} };
    expect(client.capabilities()).toMatchObject({ extensions: extension });
    expect(await client.call('events/list', {})).toMatchObject({
      events: [{ name: 'order.paid' }, { name: 'user.{username}.renamed' }],
    });
    await expect(client.call('events/stream', {})).rejects.toMatchObject({ code: -32601 });
    const other = client.call('other/method', {});
    if (path === 'sdk-1') expect(await other).toMatchObject({ method: 'other/method' });
    else await expect(other).rejects.toMatchObject({ code: -32601 });
  });

  it('is told why it is refused', async () => {
    const params = { name: 'payroll.run', delivery: { url: receiver.url } };
    const refused = { code: -32012 };
    const stranger = await connect('mcp-nest', null);
    await expect(stranger.call('events/list', {})).rejects.toMatchObject(refused);
    await expect(stranger.call('events/unsubscribe', params)).rejects.toMatchObject(refused);
    const client = await connect('mcp-nest', 'carol');
    await expect(client.call('events/subscribe', params)).rejects.toMatchObject({
      code: -32011,
      data: { kind: 'event' },
    });
    expect(await client.call('events/unsubscribe', params)).toEqual(expect.any(Object));
  });
});

describe('a subscription', () => {
  const shared = '/one-for-all';

  beforeEach(() => {
    clock().shift = 0;
    receiver.clear();
    receiver.otherwise(echo);
  });

  it('is signed as Standard Webhooks, with the secret before for five minutes more', async () => {
    const [old, fresh] = [generateSecret(), generateSecret()];
    const first = await subscribe('dora', { secret: old });
    await subscribe('dora', { secret: old });
    expect(await subscribe('dora', { secret: fresh })).toMatchObject({ id: first.id });
    await subscribe('dora', { args: { customer: 'none' } });
    const sent = await send({ customer: 'c1' });
    const delivery = await receiver.waitFor(({ id }) => id === sent);
    for (const secret of [old, fresh]) verify(delivery, secret);
    expect(delivery.json).toEqual({
      eventId: sent,
      name: 'order.paid',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: { customer: 'c1' },
    });
    expect(delivery.headers).toMatchObject({ 'x-mcp-subscription-id': first.id });
    expect(Object.keys(delivery.headers).filter((name) => name.startsWith('hook-'))).toEqual([]);
    // One challenge for all of them, signed with the secret of that moment.
    const [challenge] = receiver.received;
    verify(challenge!, old);
    expect(challenge!.id).toMatch(/^msg_verification_/);
    expect(receiver.received).toHaveLength(2);

    clock().shift = 5 * MINUTE + 1000;
    const later = await send({ customer: 'c2' });
    const last = await receiver.waitFor(({ id }) => id === later);
    expect([old, fresh].map((secret) => last.isSignedWith(secret))).toEqual([false, true]);
    expect(await app.get(McpEvents).revoke('dora')).toBe(2);
  });

  it('belongs to its principal, also at a URL that others have', async () => {
    const secrets = { erin: generateSecret(), frank: generateSecret() };
    const ids = [];
    for (const principal of ['erin', 'frank'] as const) {
      const secret = secrets[principal];
      ids.push((await subscribe(principal, { path: shared, secret })).id);
    }
    expect(new Set(ids).size).toBe(2);
    const before = await stored('frank');
    // The same parameters as those of the other.
    await subscribe('erin', { path: shared, secret: generateSecret(), ttlMs: 5 * MINUTE });
    await unsubscribe('erin', shared);
    expect(await stored('frank')).toEqual(before);
    expect(await stored('erin')).toEqual([]);
    const sent = await send({ customer: 'c3' });
    const delivery = await receiver.waitFor(({ id }) => id === sent);
    expect(delivery.isSignedWith(secrets.frank)).toBe(true);
    await unsubscribe('frank', shared);
  });

  it('gets nothing after its end, retries included, and lives on when it is refreshed', async () => {
    const args = { customer: ['c4', 'c5', 'c6'] };
    const { refreshBefore } = await subscribe('gina', { ttlMs: 5000, args });
    expect(Date.parse(refreshBefore) - Date.now()).toBeGreaterThan(55_000);
    await subscribe('hana', { path: '/hana', args: { customer: 'c0' } });
    const busy = { status: 503, headers: { 'Retry-After': '35' } };
    receiver.otherwise((request) => (request.path === '/hana' ? echo(request) : busy));
    const failing = await send({ customer: 'c4' });
    const deliveries = app.get(Deliveries);
    const waiting = async () => (await deliveries.list({}, { owner: 'gina' })).items[0]!;
    await vi.waitFor(async () =>
      expect(await waiting()).toMatchObject({ attemptCount: 1, nextAt: expect.any(Number) }),
    );
    const { nextAt, attemptedAt } = await waiting();
    expect(nextAt! - attemptedAt!).toBeGreaterThanOrEqual(30_000);
    // Another one of the host, which is all agents of a vendor.
    const meanwhile = await send({ customer: 'c0' });
    await receiver.waitFor(({ id }) => id === meanwhile);
    clock().shift = 45_000;
    await vi.waitFor(() => expect(receivedOf(failing)).toHaveLength(2));
    const [first, second] = receivedOf(failing).map(({ headers }) => headers['webhook-timestamp']);
    expect(Number(second) - Number(first)).toBeGreaterThanOrEqual(30);

    clock().shift = 61_000;
    const late = await send({ customer: 'c5' });
    clock().shift = 10 * MINUTE;
    await vi.waitFor(async () => {
      const { items } = await deliveries.list({ status: 'failed' }, { owner: 'gina' });
      expect(items).toMatchObject([{ messageId: failing, reason: 'expired' }]);
    });
    receiver.otherwise(echo);
    await subscribe('gina', { args });
    clock().shift += 60 * MINUTE - 1000;
    await subscribe('gina', { args });
    clock().shift += 30 * MINUTE;
    const after = await send({ customer: 'c6' });
    await receiver.waitFor(({ id }) => id === after);
    expect(receivedOf(failing)).toHaveLength(2);
    expect(receivedOf(late)).toEqual([]);
    expect(await app.get(McpEvents).revoke('gina')).toBe(1);
  });

  it('survives an answer 410, and gets no body that is too long', async () => {
    await subscribe('hugo', {});
    receiver.answer(410);
    const gone = await send({ customer: 'c7' });
    const failed = async () =>
      (await app.get(Deliveries).list({ status: 'failed' }, { owner: 'hugo' })).items;
    await vi.waitFor(async () => expect(await failed()).toHaveLength(1));
    const long = await send({ customer: 'x'.repeat(256 * 1024) });
    const after = await send({ customer: 'c8' });
    await receiver.waitFor(({ id }) => id === after);
    expect(receivedOf(long)).toEqual([]);
    await vi.waitFor(async () => expect(await failed()).toHaveLength(2));
    expect((await failed()).map(({ messageId }) => messageId)).toEqual(
      expect.arrayContaining([gone, long]),
    );
    expect(await stored('hugo')).toMatchObject([{ enabled: true }]);
    await unsubscribe('hugo');
  });

  it('is one, when two processes are asked for it at once', async () => {
    const other = await start();
    onTestFinished(() => other.close());
    const secret = generateSecret();
    // With these it is the last one that is allowed.
    for (const path of ['/1', '/2']) await subscribe('ivy', { path });
    const answers = await Promise.all(
      [app, other, app, other].map((process, at) => {
        // The order of names does not matter.
        const entries = Object.entries({ customer: 'c1', total: 5 });
        const args = Object.fromEntries(at < 2 ? entries : entries.toReversed());
        return subscribe('ivy', { secret, process, args });
      }),
    );
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(await stored('ivy')).toHaveLength(3);
    expect(await app.get(McpEvents).revoke('ivy')).toBe(3);
  });

  it('has its id and name again after a refresh, whatever its owner has made of it', async () => {
    const { id } = await subscribe('olga', {});
    const [subscriber] = await stored('olga');
    await app.get(Subscribers).update(subscriber!.id, { metadata: {} }, { owner: 'olga' });
    await subscribe('olga', {});
    const sent = await send({ customer: 'c9' });
    const { headers } = await receiver.waitFor((one) => one.id === sent);
    expect(headers).toMatchObject({ 'x-mcp-subscription-id': id });
    await unsubscribe('olga');
  });

  it('ends when its principal is revoked, and its endpoint is told', async () => {
    const secret = generateSecret();
    await subscribe('jack', { secret });
    await subscribe('kim', {});
    expect(await app.get(McpEvents).revoke('jack')).toBe(1);
    const told = receiver.received.at(-1)!;
    verify(told, secret);
    expect(told.json).toEqual({
      type: 'terminated',
      error: { code: -32012, message: expect.any(String), data: {} },
    });
    expect(await stored('jack')).toEqual([]);
    expect(await stored('kim')).toHaveLength(1);
    await unsubscribe('kim');
  });

  it('does not outlive the revocation of its principal when it is created meanwhile', async () => {
    receiver.otherwise((request) => {
      const answer = echo(request);
      return typeof answer === 'number' ? answer : { ...answer, delay: 200 };
    });
    const creation = subscribe('rick', {});
    await receiver.waitFor(1);
    expect(await app.get(McpEvents).revoke('rick')).toBe(1);
    await creation;
    expect(await stored('rick')).toEqual([]);
  });

  it('ends with a refresh that is no longer allowed', async () => {
    await subscribe('luis', {});
    barred.add('luis');
    const error = await refusal('events/subscribe', paramsOf({}), 'luis');
    expect(error.jsonRpc).toMatchObject({ code: -32012 });
    expect(await stored('luis')).toEqual([]);
  });
});

describe('events/subscribe refuses', () => {
  beforeEach(() => {
    receiver.clear();
    receiver.otherwise(echo);
  });

  const long = (bytes: number) => `whsec_${Buffer.alloc(bytes).toString('base64')}`;
  const url = 'https://hooks.example.com/';
  const invalid = (...fields: string[]) => ({ code: -32602, data: { fields } });

  it.each<[what: string, given: object, expected: object]>([
    ['parameters that are not an object', [], invalid('params')],
    ['no event', { name: undefined }, invalid('name')],
    ['an unknown event', { name: 'order.lost' }, { code: -32011, data: { kind: 'event' } }],
    ['a hidden event', { name: 'payroll.run' }, { code: -32011, data: { kind: 'event' } }],
    ['data that is a list', { name: 'till.counted' }, { code: -32011, data: { kind: 'event' } }],
    ['arguments of another', { arguments: { customer: 'vip' } }, { code: -32012, data: {} }],
    ['arguments as a list', { arguments: [] }, invalid('arguments')],
    [
      'wrong arguments',
      { arguments: { customer: 1, total: '5', other: 1 } },
      invalid('arguments.customer', 'arguments.total', 'arguments.other'),
    ],
    ['no delivery', { delivery: undefined }, invalid('delivery')],
    ['no URL', { delivery: {} }, invalid('delivery.url')],
    ['text for a URL', { delivery: { url: 'hooks' } }, invalid('delivery.url')],
    [
      'http',
      { delivery: { url: 'http://hooks.example.com/', secret: long(24) } },
      invalid('delivery.url'),
    ],
    [
      'credentials',
      { delivery: { url: 'https://a:b@c.example/', secret: long(24) } },
      invalid('delivery.url'),
    ],
    [
      'metadata of a cloud',
      { delivery: { url: 'https://169.254.169.254/', secret: long(24) } },
      invalid('delivery.url'),
    ],
    [
      'push',
      { delivery: { url, mode: 'push' } },
      { code: -32014, data: { feature: 'deliveryMode', value: 'push' } },
    ],
    ...[
      ...['', 'text that is long enough', `whsk_${'A'.repeat(87)}=`, long(23), long(65)],
      ...[long(25).replaceAll('=', ''), `${long(24)} `, long(24).replace('whsec', 'WHSEC'), 7],
    ].map((secret): [string, object, object] => [
      'a secret',
      { delivery: { url, secret } },
      invalid('delivery.secret'),
    ]),
    ['half a ttl', { ttlMs: 0.5 }, invalid('ttlMs')],
    ['a ttl below zero', { ttlMs: -1 }, invalid('ttlMs')],
    ['a ttl as text', { ttlMs: '5m' }, invalid('ttlMs')],
    ['a cursor of another kind', { cursor: 7 }, invalid('cursor')],
  ])('%s: %j', async (_, given, expected) => {
    const params = Array.isArray(given) ? given : { ...paramsOf({}), ...given };
    const error = await refusal('events/subscribe', params, 'liz');
    expect(error.jsonRpc).toMatchObject(expected);
    const secret = String(Object(params).delivery?.secret);
    if (secret.length > 8) expect(inspect(error)).not.toContain(secret);
    expect(await stored('liz')).toEqual([]);
    expect(receiver.received).toEqual([]);
  });

  it('callers that are not known, and a cursor that no page has', async () => {
    for (const principal of [null, undefined, '', 'x'.repeat(256)]) {
      const error = await refusal('events/list', {}, principal);
      expect(error.jsonRpc).toMatchObject({ code: -32012 });
    }
    for (const name of ['other', 'payroll.run']) {
      const cursor = Buffer.from(name).toString('base64url');
      const error = await refusal('events/list', { cursor }, 'liz');
      expect(error.jsonRpc).toMatchObject(invalid('cursor'));
    }
  });

  it('one subscription too many, before a request goes out', async () => {
    for (const path of ['/1', '/2', '/3']) await subscribe('mia', { path });
    receiver.clear();
    const error = await refusal('events/subscribe', paramsOf({ path: '/4' }), 'mia');
    expect(error.jsonRpc).toMatchObject({
      code: -32013,
      data: { limit: 'subscriptions', max: 3 },
    });
    expect(receiver.received).toEqual([]);
    // A refresh is none too many.
    await subscribe('mia', { path: '/3' });
    expect(await app.get(McpEvents).revoke('mia')).toBe(3);
  });

  it('more at once than there may be, before their endpoints are asked', async () => {
    receiver.otherwise(404);
    const asked = Array.from({ length: 8 }, (_, at) =>
      refusal('events/subscribe', paramsOf({ path: `/${at}` }), 'nick'),
    );
    const codes = (await Promise.all(asked)).map(({ jsonRpc }) => jsonRpc.code);
    expect(codes.filter((code) => code === -32013)).toHaveLength(5);
    expect(receiver.received).toHaveLength(3);
  });

  it.each([
    ['reset', 'connection_refused'],
    [404, 'http_4xx'],
    [302, 'http_4xx'],
    [{ status: 500, body: 'INSIDE' }, 'http_5xx'],
    [{ body: 'INSIDE' }, 'challenge_failed'],
    [{ body: '{"challenge":"INSIDE"}' }, 'challenge_failed'],
    [{ body: '{"challenge":["INSIDE"]}' }, 'challenge_failed'],
    [{ body: 'null' }, 'challenge_failed'],
  ] as const)('an endpoint that answers %j', async (answer, reason) => {
    receiver.answer(answer);
    const error = await refusal('events/subscribe', paramsOf({}), 'noa');
    expect(error.jsonRpc).toMatchObject({ code: -32015, data: { reason } });
    expect(inspect(error)).not.toContain('INSIDE');
    expect(await stored('noa')).toEqual([]);
  });

  it('an endpoint without TLS, one that is closed, and one that is inside', async () => {
    const { port } = new URL(receiver.url);
    const closing = await ScriptedReceiver.start();
    const closed = closing.url;
    await closing.stop();
    const reasons = [];
    for (const given of [`https://127.0.0.1:${port}/`, closed, 'https://inside.example/']) {
      const { delivery, ...params } = paramsOf({});
      const moved = { ...params, delivery: { ...delivery, url: given } };
      reasons.push((await refusal('events/subscribe', moved, 'noa')).jsonRpc.data['reason']);
    }
    expect(reasons).toEqual(['tls_error', 'connection_refused', 'connection_refused']);
  });

  it('an endpoint that is silent, after ten seconds', async () => {
    expect((await silent).jsonRpc).toMatchObject({ code: -32015, data: { reason: 'timeout' } });
  });
});

it('writes no secret into a log', () => {
  expect(logs.length).toBeGreaterThan(0);
  expect(logs.filter((line) => line.includes('whsec_'))).toEqual([]);
});

describe('events/poll', () => {
  it('reads what was sent since a cursor, and what was asked for', async () => {
    const read = (given: object, principal = 'pia') =>
      app.get(McpEvents).handle(
        'events/poll',
        {
          name: 'user.{username}.renamed',
          arguments: { username: 'joe', to: ['then', 'after'] },
          ...given,
        },
        { principal },
      );
    const dispatcher = app.get(WebhookDispatcher);
    await dispatcher.send('user.joe.renamed', { to: 'before' });
    const first = await read({});
    expect(first).toMatchObject({ events: [], truncated: false, hasMore: false });
    const ids = [];
    for (const [name, to] of [
      ['joe', 'after'],
      ['jane', 'after'],
      ['joe', 'never'],
      ['joe', 'after'],
    ]) {
      ids.push((await dispatcher.send(`user.${name}.renamed`, { to })).id);
    }
    await dispatcher.send('order.paid', {});
    const name = 'user.{username}.renamed';
    const timestamp = expect.any(String);
    expect(await read({ cursor: first['cursor'] })).toEqual({
      resultType: 'complete',
      events: [ids[0], ids[3]].map((eventId) => ({
        eventId,
        name,
        timestamp,
        data: { to: 'after' },
      })),
      cursor: expect.any(String),
      truncated: false,
      hasMore: false,
      nextPollMs: 5000,
    });
    const page = await read({ cursor: first['cursor'], maxEvents: 1 });
    expect(page).toMatchObject({ events: [{ eventId: ids[0] }], hasMore: true, nextPollMs: 0 });
    const old = await read({ cursor: first['cursor'], maxAgeMs: 0 });
    expect(old).toMatchObject({ events: [], truncated: true });
    const other = read({ cursor: first['cursor'] }, 'quinn');
    await expect(other).rejects.toMatchObject({ data: { fields: ['cursor'] } });
  });
});

describe('the module', () => {
  const module = (options: McpEventsOptions, thorn: ThornModuleOptions = {}) =>
    Test.createTestingModule({
      imports: [
        ThornModule.forRoot({ dataSources: [], dispatch: inline(), events, ...thorn }),
        McpEventsModule.forRoot(options),
      ],
    }).compile();

  it('has the numbers of the SEP, and polls only what is kept', async () => {
    const other = (await module({ errorCodes: 'sep' })).get(McpEvents);
    const call = (method: string, principal: string | null) =>
      other.handle(method, { name: 'order.lost' }, { principal });
    const refused = (code: number) => ({ jsonRpc: { code } });
    await expect(call('events/list', null)).rejects.toMatchObject(refused(-32024));
    await expect(call('events/poll', 'rosa')).rejects.toMatchObject(refused(-32601));
    expect(JSON.stringify(await call('events/list', 'rosa'))).not.toContain('poll');
  });

  it('lists fifty events on a page', async () => {
    const many = Array.from({ length: 120 }, (_, at) => `event.${at}`);
    const description = 'One of many';
    const definitions = defineEvents(Object.fromEntries(many.map((one) => [one, { description }])));
    const hidden = new Set(many.filter((_, at) => at % 50 === 49));
    const other = (
      await module({ authorize: (_, event) => !hidden.has(event) }, { events: definitions })
    ).get(McpEvents);
    const pages: string[][] = [];
    let cursor: unknown;
    do {
      const page = await other.handle('events/list', { cursor }, { principal: 'sven' });
      pages.push((page['events'] as { name: string }[]).map(({ name }) => name));
      cursor = page['nextCursor'];
    } while (cursor !== undefined);
    expect(pages.map(({ length }) => length)).toEqual([50, 50, 18]);
    expect(pages.flat()).toEqual(many.filter((one) => !hidden.has(one)));
  });

  it('sends no test of another event, which a client would take for its own', () => {
    const subscriber = { id: 'sub_1', metadata: { mcpEvent: 'user.{username}.renamed' } };
    const rest = { id: 'msg_1', timestamp: '', data: {}, ref: null, owner: null, subscriber };
    const request = (event: string) => new McpFormat().request({ ...rest, event });
    expect(JSON.parse(request('user.joe.renamed').body)).toMatchObject({
      name: 'user.{username}.renamed',
    });
    for (const event of ['thorn.ping', 'order.paid']) {
      expect(() => request(event)).toThrow('event must be user.{username}.renamed');
    }
  });

  it('refuses options that make no sense, and an envelope that may lack the data', async () => {
    const wrong = { ttl: 5, maxSubscriptions: 0, owner: 'me', errorCodes: 'both', secret: 'x' };
    for (const [name, value] of Object.entries(wrong)) {
      expect(() => McpEventsModule.forRoot({ [name]: value })).toThrow(`\`${name}\``);
    }
    await expect(module({}, { envelope: ({ type }) => ({ type }) })).rejects.toThrow('envelope');
  });
});

interface Asked {
  readonly path?: string;
  readonly secret?: string;
  readonly ttlMs?: number;
  readonly args?: object;
  readonly process?: INestApplication;
}

function paramsOf({ path = '/callback', secret = generateSecret(), ttlMs, args = {} }: Asked) {
  const delivery = { mode: 'webhook', url: new URL(path, receiver.url).href, secret };
  return { name: 'order.paid', arguments: args, delivery, ...(ttlMs !== undefined && { ttlMs }) };
}

async function subscribe(principal: string, asked: Asked) {
  const answer = await (asked.process ?? app)
    .get(McpEvents)
    .handle('events/subscribe', paramsOf(asked), { principal });
  expect(answer).toEqual({
    resultType: 'complete',
    id: expect.stringMatching(/^sub_[0-9a-f]{32}$/),
    refreshBefore: expect.any(String),
    cursor: null,
    truncated: false,
  });
  return answer as { readonly id: string; readonly refreshBefore: string };
}

async function unsubscribe(principal: string, path?: string) {
  const params = paramsOf({ ...(path !== undefined && { path }) });
  const answer = await app.get(McpEvents).handle('events/unsubscribe', params, { principal });
  expect(answer).toEqual({ resultType: 'complete' });
}

async function refusal(method: string, params: unknown, principal: string | null | undefined) {
  const error: unknown = await app
    .get(McpEvents)
    .handle(method, params, { principal })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(McpEventsError);
  return error as McpEventsError;
}

async function stored(owner: string) {
  return (await app.get(Subscribers).list({}, { owner })).items;
}

async function send(data: object): Promise<string> {
  return (await app.get(WebhookDispatcher).send('order.paid', data)).id;
}

function receivedOf(message: string) {
  return receiver.received.filter(({ id }) => id === message);
}

function clock(): ShiftedClock {
  return app.get<ShiftedClock>(Clock);
}

/** Answers a challenge as clients do, and accepts deliveries. */
function echo({ body }: ReceivedWebhook) {
  const { challenge } = JSON.parse(body.toString()) as { challenge?: string };
  return challenge === undefined ? 204 : { body: JSON.stringify({ challenge }) };
}

/** By another implementation of the standard. */
function verify({ body, headers }: ReceivedWebhook, secret: string) {
  new Webhook(secret).verify(body, headers as Record<string, string>);
}
