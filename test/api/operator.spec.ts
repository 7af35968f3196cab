import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
  RequestMethod,
} from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { operatorControllers, OperatorSettings } from '../../lib/api/index.js';
import {
  Clock,
  Deliveries,
  type OperatorApiOptions,
  ThornConfigurationError,
  WebhookDispatcher,
} from '../../lib/index.js';
import { DispatchStrategy } from '../../lib/extending/index.js';
import type { OutboxStrategy } from '../../lib/outbox/index.js';
import { LOOPBACK_RECIPIENTS, MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, BearerGuard, startApi } from '../support/apps/api-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { PAIRS } from '../support/places.js';

/** Knows operators by a header of their own: what users have is nothing to it. */
@Injectable()
class OperatorGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context
      .switchToHttp()
      .getRequest<{ headers: Record<string, string | undefined> }>();
    if (headers['x-operator'] !== 'yes') throw new ForbiddenException();
    return true;
  }
}

const routes = () =>
  operatorControllers(new OperatorSettings({ guards: [OperatorGuard] })).flatMap(({ prototype }) =>
    Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const method: RequestMethod | undefined = Reflect.getMetadata('method', prototype[name]);
      if (method === undefined) return [];
      return [
        `${RequestMethod[method]} /hooks-operator/${Reflect.getMetadata('path', prototype[name])}`,
      ];
    }),
  );

it.each<[string, unknown]>([
  ['guards', {}],
  ['guards', { guards: [] }],
  ['guards', { guards: ['x'] }],
  ['guards', null],
  ['path', { guards: [OperatorGuard], path: '/' }],
  ['unprotected', { guards: [OperatorGuard], unprotected: true }],
])('rejects wrong %s of the operator API at start-up', (option, options) => {
  const make = () => new OperatorSettings(options as OperatorApiOptions);
  expect(make).toThrow(ThornConfigurationError);
  expect(make).toThrow(option);
});

describe.each(PAIRS)('the operator API on $database and $platform', ({ create, platform }) => {
  let api: Api;
  let store: TestDatabase;
  let receiver: ScriptedReceiver;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    store = await create();
    receiver = await ScriptedReceiver.start();
    api = await startApi(platform, {
      store,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        clock: MovableClock,
        retries: { schedule: [60_000] },
        operatorApi: { guards: [OperatorGuard] },
      },
    });
    for (const owner of ['alice', 'bob']) {
      const url = `${receiver.url}/hook?token=of-${owner}`;
      const { id } = await api.subscribers.create({ url, events: ['*'], owner });
      ids[owner] = id;
    }
  });
  afterAll(async () => {
    await api.app.close();
    await receiver.stop();
    await store.drop();
  });
  beforeEach(() => {
    receiver.clear();
    receiver.otherwise(204);
  });

  const call = async (method: string, path: string, status: number, body?: object) => {
    const answer = await api.send(method, `/hooks-operator/${path}`, {
      as: 'nobody',
      headers: { 'x-operator': 'yes' },
      ...(body && { body }),
    });
    expect({ path, status: answer.status, body: answer.body }).toMatchObject({ path, status });
    return answer.body;
  };
  const send = (owner: string) => api.app.get(WebhookDispatcher).send('order.paid', {}, { owner });
  const settled = () =>
    vi.waitFor(async () =>
      expect(await api.app.get(Deliveries).stats()).toMatchObject({
        pendingMessages: 0,
        leased: 0,
      }),
    );

  it('admits only operators, on every route', async () => {
    // The text that explains a problem is for everybody.
    const guarded = routes().filter((route) => !route.endsWith('/problems/:code'));
    expect(guarded).toHaveLength(20);
    for (const route of guarded) {
      const [method = '', path = ''] = route.split(' ');
      const real = path.replace(':id', ids['alice']!).replace(':host', '*');
      for (const as of ['alice', 'nobody'] as const) {
        const answer = await api.send(method, real, {
          as,
          ...(method === 'POST' && { body: {} }),
        });
        expect({ route, status: answer.status }).toEqual({ route, status: 403 });
      }
    }
  });

  it('lists subscribers across owners, without their secrets', async () => {
    const all = await call('GET', 'subscribers', 200);
    const owners = all.items.map((item: { owner: string }) => item.owner);
    expect(owners.sort()).toEqual(['alice', 'bob']);
    expect(JSON.stringify(all)).not.toMatch(/whsec_|token=/);
    const bobs = await call('GET', 'subscribers?owner=bob', 200);
    expect(bobs.items).toMatchObject([{ id: ids['bob'], owner: 'bob', secrets: [null] }]);
    expect(bobs.items[0].self).toBe(`/hooks-operator/subscribers/${ids['bob']}`);
    expect(await call('GET', `subscribers/${ids['bob']}`, 200)).toEqual(bobs.items[0]);
    const { url } = bobs.items[0];
    const found = await call('GET', `subscribers?owner=bob&search=${encodeURIComponent(url)}`, 200);
    expect(found.items).toEqual(bobs.items);
    expect((await call('GET', 'subscribers?search=nowhere', 200)).items).toEqual([]);
    const unsought = await call('GET', 'subscribers?search=', 400);
    expect(unsought.errors).toMatchObject([{ field: 'search' }]);
    await call('GET', 'subscribers/sub_none', 404);
    const refused = await call('GET', 'subscribers?owner=%00', 400);
    expect(refused.errors).toMatchObject([{ field: 'owner' }]);
    for (const query of ['%00', '', 'a&subscriber=b', 'a'.repeat(65)]) {
      const log = await call('GET', `deliveries?subscriber=${query}`, 400);
      expect(log.errors).toMatchObject([{ field: 'subscriber' }]);
    }
    await call('DELETE', 'pauses/%00', 404);
  });

  it('disables and enables subscribers of any owner', async () => {
    const path = `subscribers/${ids['bob']}`;
    expect(await call('POST', `${path}/disable`, 200, {})).toMatchObject({ enabled: false });
    expect(await call('POST', `${path}/enable`, 200, {})).toMatchObject({ enabled: true });
    await call('POST', 'subscribers/sub_none/enable', 404, {});
  });

  it('changes no subscriber that has changed since it was read', async () => {
    const path = `/hooks-operator/subscribers/${ids['bob']}`;
    const ask = (method: string, to: string, ifMatch?: string) =>
      api.send(method, to, {
        as: 'nobody',
        headers: { 'x-operator': 'yes', ...(ifMatch && { 'if-match': ifMatch }) },
        ...(method === 'POST' && { body: {} }),
      });
    const tag = (await ask('GET', path)).headers.get('etag')!;
    expect(tag).toMatch(/^"/);
    const disabled = await ask('POST', `${path}/disable`, tag);
    expect(disabled.status).toBe(200);
    expect((await ask('POST', `${path}/enable`, tag)).status).toBe(412);
    expect((await ask('POST', `${path}/enable`, 'without quotes')).status).toBe(400);
    const enabled = await ask('POST', `${path}/enable`, disabled.headers.get('etag')!);
    expect(enabled).toMatchObject({ status: 200, body: { enabled: true } });
  });

  it('accepts a slash at the end', async () => {
    for (const path of ['overview/', 'report/', `subscribers/${ids['bob']}/`, 'stats/?owner=bob']) {
      await call('GET', path, 200);
    }
    await call('POST', 'prune/', 200, { dryRun: true });
    expect((await call('GET', 'subscribers/?owner=bob', 200)).items).toMatchObject([
      { self: `/hooks-operator/subscribers/${ids['bob']}` },
    ]);
  });

  it('lists deliveries across owners, with the addresses, and retries them', async () => {
    receiver.otherwise(500);
    await send('alice');
    await send('bob');
    await settled();
    const { items } = await call('GET', 'deliveries', 200);
    expect(items.map(({ subscriberId }: { subscriberId: string }) => subscriberId).sort()).toEqual(
      [ids['alice'], ids['bob']].sort(),
    );
    for (const { url } of items) expect(url).toBe(`${receiver.url}/hook`);
    const bobs = (await call('GET', `deliveries?subscriber=${ids['bob']}`, 200)).items[0];
    const selected = await call('POST', 'deliveries/retry', 200, { ids: ['dlv_none'] });
    expect(selected).toEqual({
      items: [{ id: 'dlv_none', retried: false, code: 'not-found' }],
      retried: 0,
    });
    const details = await call('GET', `deliveries/${bobs.id}`, 200);
    expect(details.attempts).toMatchObject([{ status: 500, address: '127.0.0.1' }]);
    expect(details.url).toBe(`${receiver.url}/hook`);
    await call('GET', 'deliveries/dlv_none', 404);
    await call('GET', 'deliveries?status=odd', 400);
    const listed = async (query: string) =>
      (await call('GET', `deliveries?${query}`, 200)).items.map(({ id }: { id: string }) => id);
    expect(await listed('owner=bob')).toEqual([bobs.id]);
    expect(await listed(`owner=alice&subscriber=${ids['bob']}`)).toEqual([]);

    receiver.otherwise(204);
    await call('POST', `deliveries/${bobs.id}/retry`, 202, {});
    await receiver.waitFor(3);
    const other = items.find(({ id }: { id: string }) => id !== bobs.id);
    expect(await call('POST', `deliveries/${other.id}/cancel`, 200, {})).toEqual({
      state: 'cancelled',
    });
    await settled();
    const ended = await call('POST', `deliveries/${bobs.id}/cancel`, 409, {});
    expect(ended).toMatchObject({ code: 'delivery-finished' });
  });

  it('reports the backlog, and the health of endpoints', async () => {
    receiver.otherwise(503);
    await send('alice');
    await settled();
    // The worker writes the outcome first, and then has no request in flight.
    await vi.waitFor(async () =>
      expect(await call('GET', 'overview', 200)).toMatchObject({
        pending: 1,
        lag: 0,
        oldestDue: null,
        oldestDelivery: null,
        activity: { inFlight: 0, paused: 1, broken: 0 },
        endpoints: [
          { host: new URL(receiver.url).host, mode: 'paused', until: expect.any(Number) },
        ],
        pauses: [],
        isWorker: true,
        failingSubscribers: expect.any(Number),
      }),
    );
    await vi.waitFor(async () =>
      expect((await call('GET', 'overview', 200)).failing).toMatchObject([
        {
          ...{
            subscriberId: ids['alice'],
            owner: 'alice',
            state: 'failing',
            description: null,
            failingMessages: expect.any(Number),
          },
          ...{ host: new URL(receiver.url).host, failingSince: expect.any(Number) },
          url: `${receiver.url}/hook`,
        },
      ]),
    );
    expect((await call('GET', 'overview', 200)).failingSubscribers).toBe(1);
    const failing = { id: ids['alice'], state: 'failing', failingSince: expect.any(String) };
    expect(await call('GET', 'subscribers?state=failing', 200)).toMatchObject({ items: [failing] });
    expect(await call('GET', `subscribers/${ids['alice']}`, 200)).toMatchObject(failing);
    receiver.otherwise(204);
    api.app.get<MovableClock>(Clock).advance(120_000);
    await receiver.waitFor(2);
    await settled();
  });

  it.each(['this host', 'all'])('pauses and resumes %s', async (which) => {
    const host = which === 'all' ? '*' : new URL(receiver.url).host;
    await call('POST', 'pauses', 204, { host });
    await call('POST', 'pauses', 204, { host });
    expect((await call('GET', 'overview', 200)).pauses).toMatchObject([{ host }]);
    await send('alice');
    await vi.waitFor(async () =>
      expect(await api.app.get(Deliveries).stats()).toMatchObject({
        pending: 1,
        leased: 0,
        pendingMessages: 0,
      }),
    );
    api.app.get<MovableClock>(Clock).advance(40_000);
    // It has come up again, and waits once more.
    await vi.waitFor(async () =>
      expect(await api.app.get(Deliveries).stats()).toMatchObject({
        pending: 1,
        due: 0,
        leased: 0,
      }),
    );
    expect(receiver.received).toEqual([]);

    await call('DELETE', `pauses/${encodeURIComponent(host)}`, 204);
    await call('DELETE', `pauses/${encodeURIComponent(host)}`, 404);
    api.app.get<MovableClock>(Clock).advance(40_000);
    await receiver.waitFor(1);
    await settled();
    const [delivery] = (await call('GET', 'deliveries', 200)).items;
    // To wait is no attempt.
    expect(delivery).toMatchObject({ status: 'succeeded', attemptCount: 1 });
  });

  it.each([
    null,
    5,
    '',
    'a b',
    'https://example.com',
    'a'.repeat(400),
    {},
    // These are no host of any URL, and would pause nothing.
    'Example.com',
    'example.com:443',
    'example.com:080',
    '127.1',
    'a@b',
    '::1',
  ])('rejects a pause of %j', async (host) => {
    const refused = await call('POST', 'pauses', 400, { host: host as string });
    expect(refused.errors).toMatchObject([{ field: 'host' }]);
    expect((await call('GET', 'overview', 200)).pauses).toEqual([]);
  });

  it('pauses a host once at simultaneous requests', async () => {
    await Promise.all(
      Array.from({ length: 20 }, () => call('POST', 'pauses', 204, { host: '[::1]:8080' })),
    );
    expect((await call('GET', 'overview', 200)).pauses).toHaveLength(1);
    await call('DELETE', 'pauses/%5B::1%5D:8080', 204);
  });

  it('applies a pause in other processes', async () => {
    await call('POST', 'pauses', 204, { host: '*' });
    const strategy = api.app.get<OutboxStrategy>(DispatchStrategy);
    expect(await strategy.pauses()).toMatchObject([{ host: '*', since: expect.any(Number) }]);
    await call('DELETE', 'pauses/*', 204);
  });

  it('counts attempts across owners', async () => {
    await send('alice');
    await send('bob');
    await settled();
    const [all, bobs] = [
      await call('GET', 'stats', 200),
      await call('GET', 'stats?owner=bob', 200),
    ];
    expect(all.total.attempts).toBeGreaterThan(bobs.total.attempts);
    expect(await call('GET', `stats?subscriber=${ids['bob']}`, 200)).toEqual(bobs);
    expect(bobs.items.at(-1)).toMatchObject({ at: expect.any(Number), isComplete: true });
    await call('GET', `stats?owner=alice&subscriber=${ids['bob']}`, 404);
    await call('GET', 'stats?owner=%00', 400);
  });
});

it('leaves an endpoint that was removed out of those that fail', async () => {
  const store = await createDatabase('file');
  const receiver = await ScriptedReceiver.start();
  receiver.otherwise(500);
  const api = await startApi('express', {
    store,
    thorn: { recipients: LOOPBACK_RECIPIENTS, operatorApi: { guards: [BearerGuard] } },
  });
  const overview = async () => (await api.send('GET', '/hooks-operator/overview')).body;
  try {
    const body = { url: receiver.url, events: ['*'] };
    const { self, id } = (await api.send('POST', '/hooks', { body })).body;
    await api.app.get(WebhookDispatcher).send('order.paid', {}, { owner: 'alice' });
    await vi.waitFor(async () =>
      expect(await overview()).toMatchObject({
        ...{ failing: [{ subscriberId: id, state: 'failing' }], failingSubscribers: 1 },
      }),
    );
    expect((await api.send('DELETE', self)).status).toBe(204);
    expect(await overview()).toMatchObject({ failing: [], failingSubscribers: 0 });
  } finally {
    await api.app.close();
    await receiver.stop();
    await store.drop();
  }
});
