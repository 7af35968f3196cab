import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  defineEvents,
  inline,
  ThornModule,
  type ThornModuleOptions,
  WebhookDispatcher,
} from '../../lib/index.js';
import {
  McpEvents,
  type McpEventsError,
  McpEventsModule,
  type McpEventsOptions,
} from '../../lib/mcp/index.js';
import { McpFormat } from '../../lib/mcp/mcp-format.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { freePort } from '../services/free-port.js';
import { platforms } from '../support/apps/api-app.js';
import { echo, McpApps, mcpEvents, type McpServers } from '../support/apps/mcp-apps.js';
import { openBy } from '../support/client-kind.js';

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
const openClient = mcp['openClient'] as unknown as (
  url: string,
  token: string | null,
  mode: string,
) => Promise<Client>;

let apps: McpApps;
let onFastify: McpApps;
let url: string;
let receiver: ScriptedReceiver;
/** Begun at once, as it takes ten seconds. */
let silent: Promise<McpEventsError>;

beforeAll(async () => {
  const servers = mcp['servers'] as unknown as McpServers;
  apps = await McpApps.open({ kind: 'file' }, servers);
  onFastify = await McpApps.open({ kind: 'file' }, servers, 'fastify');
  ({ receiver } = apps);
  url = await apps.app.getUrl();
  const mute = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const { delivery, ...params } = apps.paramsOf({});
  const { port } = mute.address() as AddressInfo;
  const muted = { ...delivery, url: `http://127.0.0.1:${port}/` };
  silent = apps.refusal('events/subscribe', { ...params, delivery: muted }, 'otto').finally(() => {
    mute.closeAllConnections();
    mute.close();
  });
});

afterAll(async () => {
  await apps.close();
  await onFastify.close();
});

describe.each(
  platforms.flatMap((platform) =>
    ['sdk-2', 'sdk-1', 'mcp-nest'].map((path) => ({ path, platform })),
  ),
)('an agent of the AI SDK at $path on $platform', ({ path, platform }) => {
  it('lists, subscribes, receives what it asked for, refreshes, and ends', async () => {
    const its = platform === 'express' ? apps : onFastify;
    const agent = await openAgent(`${await its.app.getUrl()}/${path}`, `alice-at-${path}`);
    onTestFinished(() => agent.close());
    const dispatcher = its.app.get(WebhookDispatcher);
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
    // A challenge for each URL, and each delivery.
    await vi.waitFor(() => expect(agent.statuses).toEqual([200, 200, 204, 204, 204]));
    const data = agent.events.map((event) => [event.name, event.data]);
    expect(data).toHaveLength(3);
    expect(data).toEqual(
      expect.arrayContaining([
        ['order.paid', { customer: 'c1', total: 5 }],
        ['user.{username}.renamed', { to: 'moe' }],
        ['order.paid', { customer: 'c1', total: 6 }],
      ]),
    );

    await agent.unsubscribe(paid.id);
    expect(await its.revoke(`alice-at-${path}`)).toBe(1);
    expect(agent.terminated).toMatchObject([{ code: -32012 }]);
    await expect(agent.refresh(renamed.id)).rejects.toThrow();
    expect(await its.stored(`alice-at-${path}`)).toEqual([]);
    // Fastify reports what it would answer itself.
    expect(its.logs.filter((line) => /FST_ERR|already sent/i.test(line))).toEqual([]);
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
    const params = Array.isArray(given) ? given : { ...apps.paramsOf({}), ...given };
    const error = await apps.refusal('events/subscribe', params, 'liz');
    expect(error.jsonRpc).toMatchObject(expected);
    const secret = String(Object(params).delivery?.secret);
    if (secret.length > 8) expect(inspect(error)).not.toContain(secret);
    expect(await apps.stored('liz')).toEqual([]);
    expect(receiver.received).toEqual([]);
  });

  it('callers that are not known, and a cursor that no page has', async () => {
    for (const principal of [null, undefined, '', 'x'.repeat(256)]) {
      const error = await apps.refusal('events/list', {}, principal);
      expect(error.jsonRpc).toMatchObject({ code: -32012 });
    }
    for (const name of ['other', 'payroll.run']) {
      const cursor = Buffer.from(name).toString('base64url');
      const error = await apps.refusal('events/list', { cursor }, 'liz');
      expect(error.jsonRpc).toMatchObject(invalid('cursor'));
    }
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
    const error = await apps.refusal('events/subscribe', apps.paramsOf({}), 'noa');
    expect(error.jsonRpc).toMatchObject({ code: -32015, data: { reason } });
    expect(inspect(error)).not.toContain('INSIDE');
    expect(await apps.stored('noa')).toEqual([]);
  });

  it('an endpoint without TLS, one that is closed, and one that is inside', async () => {
    const { port } = new URL(receiver.url);
    const closed = `http://127.0.0.1:${await freePort()}/`;
    const reasons = [];
    for (const given of [`https://127.0.0.1:${port}/`, closed, 'https://inside.example/']) {
      const { delivery, ...params } = apps.paramsOf({});
      const moved = { ...params, delivery: { ...delivery, url: given } };
      reasons.push((await apps.refusal('events/subscribe', moved, 'noa')).jsonRpc.data['reason']);
    }
    expect(reasons).toEqual(['tls_error', 'connection_refused', 'connection_refused']);
  });

  it('an endpoint that is silent, after ten seconds', async () => {
    expect((await silent).jsonRpc).toMatchObject({ code: -32015, data: { reason: 'timeout' } });
  });
});

it('tests a subscription with its own event alone, and logs nothing of another', async () => {
  receiver.otherwise(echo);
  await apps.subscribe('tess', {});
  const [subscriber] = await apps.stored('tess');
  const before = apps.logs.length;
  const test = async (body: object) => {
    const answer = await fetch(`${url}/hooks/${subscriber!.id}/test`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-owner': 'tess' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as object };
  };

  expect(await test({})).toMatchObject({
    status: 400,
    body: {
      errors: [{ field: 'event', reason: 'must be order.paid, as MCP clients know no other' }],
    },
  });
  expect(await test({ event: 'order.paid', data: [] })).toMatchObject({
    status: 400,
    body: { errors: [{ field: 'data', reason: 'must be an object for MCP clients' }] },
  });
  const sent = await test({ event: 'order.paid', data: { customer: 'c1' } });
  expect(sent).toMatchObject({ status: 200, body: { outcome: 'succeeded' } });
  expect(apps.logs.slice(before)).toEqual([]);
});

it('writes no secret into a log', () => {
  expect(apps.logs.length).toBeGreaterThan(0);
  expect(apps.logs.filter((line) => line.includes('whsec_'))).toEqual([]);
});

describe('the module', () => {
  const module = (options: McpEventsOptions, thorn: ThornModuleOptions = {}) =>
    Test.createTestingModule({
      imports: [
        ThornModule.forRoot({ dataSources: [], dispatch: inline(), events: mcpEvents, ...thorn }),
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
