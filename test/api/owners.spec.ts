import { RequestMethod } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { apiControllers, ApiSettings } from '../../lib/api/index.js';
import { Deliveries, outbox, WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, type Answer, startApi } from '../support/apps/api-app.js';
import { type TestDatabase, sqliteAndPostgres } from '../support/databases.js';
import { PLATFORMS_ALIKE } from '../support/places.js';

/** Every route that the router is told of. */
function routes(): string[] {
  const settings = new ApiSettings({ unprotected: true, receivers: true, owner: () => null });
  return apiControllers(settings).flatMap((controller) => {
    const { prototype } = controller;
    const base: string = Reflect.getMetadata('path', controller);
    return Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler: object = prototype[name];
      const method: RequestMethod | undefined = Reflect.getMetadata('method', handler);
      if (method === undefined) return [];
      const paths: string[] = [Reflect.getMetadata('path', handler)].flat();
      return paths.map((path) => {
        const slash = path === '' || path.startsWith('/') ? '' : '/';
        return `${RequestMethod[method]} /${base}${slash}${path}`.replace(/\/+$/, '');
      });
    });
  });
}

/** What has an id: one of each belongs to each owner. */
interface Things {
  readonly id: string;
  readonly delivery: string;
  readonly message: string;
}

interface Case {
  /** What it answers to the owner. */
  readonly status: number;
  readonly body?: (own: Things) => object;
  /** Whether a second call is answered in another way. */
  readonly isOnce?: true;
  /** Other places than the path where it takes an id, and how it answers one of somebody else's. */
  readonly others?: readonly {
    readonly name: string;
    readonly query?: (foreign: Things) => string;
    readonly body?: (foreign: Things) => object;
    readonly status: number;
  }[];
}

const since = '2020-01-01T00:00:00Z';
const subscriber = { url: 'https://example.com/of-alice', events: ['article.*'] };

/** A route that is added later fails the first test below until it is listed here. */
const CASES: Readonly<Record<string, Case | { readonly exempt: string }>> = {
  'GET /hooks/.well-known/jwks.json': {
    exempt: 'shows public keys of the application, to receivers who have no account',
  },
  'GET /hooks/problems/:code': { exempt: 'explains a code, and shows nothing of anybody' },
  // Their tests are in api-unsubscribe.spec.ts.
  'POST /hooks/unsubscribe/:id/:proof': {
    exempt: 'takes a signature that the receiver of one subscriber alone was sent',
  },
  // Their tests are in api-subscription.spec.ts.
  'GET /hooks/self': { exempt: 'takes no id, but a secret: whoever has it is its receiver' },
  'PATCH /hooks/self': { exempt: 'as GET' },
  'DELETE /hooks/self': { exempt: 'as GET' },
  'GET /hooks/event-types': { status: 200 },
  'GET /hooks/event-types/:name': { status: 200 },
  'GET /hooks/events': { status: 200 },
  'GET /hooks/events/samples': { status: 200 },
  'GET /hooks/events/:message': {
    exempt: 'shows what its owner may see of the history: shape.spec.ts looks at those of others',
  },
  'GET /hooks/openapi.json': { status: 200 },
  'GET /hooks/asyncapi.json': { status: 200 },
  'GET /hooks': {
    status: 200,
    others: [{ name: 'a cursor', query: ({ id }) => `after=${id}`, status: 200 }],
  },
  'POST /hooks': {
    status: 201,
    body: () => subscriber,
    others: [
      { name: 'an id', body: ({ id }) => ({ ...subscriber, id }), status: 400 },
      { name: 'an owner', body: () => ({ ...subscriber, owner: 'bob' }), status: 400 },
    ],
  },
  'GET /hooks/:id': { status: 200 },
  'GET /hooks/:id/changes': { status: 200 },
  'PATCH /hooks/:id': {
    status: 200,
    body: () => ({ description: 'changed' }),
    others: [
      { name: 'an id', body: ({ id }) => ({ id, description: 'x' }), status: 400 },
      { name: 'an owner', body: () => ({ owner: 'bob' }), status: 400 },
    ],
  },
  'DELETE /hooks/:id': { status: 204, isOnce: true },
  'POST /hooks/:id/test': {
    status: 200,
    body: () => ({}),
    others: [{ name: 'a subscriber', body: ({ id }) => ({ subscriber: id }), status: 400 }],
  },
  'POST /hooks/:id/challenge': { status: 200, body: () => ({}) },
  'POST /hooks/:id/rotate-secret': { status: 200, body: () => ({}) },
  'POST /hooks/:id/end-rotation': { status: 200, body: () => ({}) },
  'POST /hooks/:id/enable': { status: 200, body: () => ({}) },
  'POST /hooks/:id/disable': { status: 200, body: () => ({}) },
  'GET /hooks/:id/deliveries': {
    status: 200,
    others: [
      { name: 'a cursor', query: ({ delivery }) => `after=${delivery}`, status: 200 },
      { name: 'a message', query: ({ message }) => `message=${message}`, status: 200 },
      { name: 'a delivery', query: ({ delivery }) => `delivery=${delivery}`, status: 200 },
      { name: 'a subscriber', query: ({ id }) => `subscriber=${id}`, status: 400 },
    ],
  },
  'GET /hooks/deliveries': {
    status: 200,
    others: [
      { name: 'a cursor', query: ({ delivery }) => `after=${delivery}`, status: 200 },
      { name: 'a message', query: ({ message }) => `message=${message}`, status: 200 },
      { name: 'a delivery', query: ({ delivery }) => `delivery=${delivery}`, status: 200 },
      { name: 'a subscriber', query: ({ id }) => `subscriber=${id}`, status: 404 },
    ],
  },
  'GET /hooks/deliveries/:delivery': { status: 200 },
  'GET /hooks/:id/stats': { status: 200 },
  'POST /hooks/deliveries/:delivery/retry': { status: 202, body: () => ({}), isOnce: true },
  // It answers for each id that it was given: product.spec.ts looks at those of others.
  'POST /hooks/deliveries/retry': { status: 200, body: () => ({ ids: ['dlv_none'] }) },
  'GET /hooks/deliveries/:delivery/request': { status: 200 },
  'GET /hooks/health': { status: 200 },
  'GET /hooks/overview': { status: 200 },
  'GET /hooks/stats': {
    status: 200,
    others: [{ name: 'a subscriber', query: ({ id }) => `subscriber=${id}`, status: 404 }],
  },
  'POST /hooks/filter-preview': {
    status: 200,
    body: () => ({ filter: null }),
    others: [
      { name: 'an id', body: ({ id }) => ({ filter: null, id }), status: 400 },
      { name: 'an owner', body: () => ({ filter: null, owner: 'bob' }), status: 400 },
    ],
  },
  // Its success is in product.spec.ts: the deliveries here have ended.
  'POST /hooks/deliveries/:delivery/cancel': { status: 409, body: () => ({}) },
  'POST /hooks/:id/recover': {
    status: 200,
    body: () => ({ since }),
    others: [
      {
        name: 'a cursor',
        body: ({ delivery }) => ({ since, after: delivery }),
        status: 200,
      },
      { name: 'a subscriber', body: ({ id }) => ({ since, subscriberId: id }), status: 400 },
    ],
  },
  'POST /hooks/:id/backfill': {
    status: 200,
    body: () => ({ since }),
    others: [
      {
        name: 'a cursor',
        body: ({ message }) => ({ since, after: `1:${message}` }),
        status: 200,
      },
    ],
  },
};

const cases = Object.entries(CASES).flatMap(([route, one]) => {
  if ('exempt' in one) return [];
  const [method = '', path = ''] = route.split(' ');
  return [{ route, method, path, ...one }];
});
const withIds = cases.filter(({ path }) => /:(?:id|delivery)/.test(path));
const others = cases.flatMap(({ others: rest = [], ...one }) =>
  rest.map((other) => ({ ...one, where: other })),
);

it('covers every route, or exempts it for a reason', () => {
  expect(routes().sort()).toEqual(Object.keys(CASES).sort());
});

const store = sqliteAndPostgres[0]!;

describe.each(PLATFORMS_ALIKE)('two owners on %s', (platform) => {
  let api: Api;
  let database: TestDatabase;
  let receiver: ScriptedReceiver;
  let alice: Things;
  let bob: Things;

  beforeAll(async () => {
    database = await store.create();
    receiver = await ScriptedReceiver.start();
    api = await startApi(platform, {
      store: database,
      thorn: {
        recipients: { ...LOOPBACK_RECIPIENTS, allowedPorts: 'any' },
        dispatch: outbox({ pollInterval: 25, history: true }),
      },
    });
  });
  afterAll(async () => {
    await api.app.close();
    await receiver.stop();
    await database.drop();
  });
  beforeEach(async () => {
    await api.app.get(DataSource).query('DELETE FROM thorn_deliveries');
    for (const { id } of (await api.subscribers.list({ limit: 100 }, 'any')).items) {
      await api.subscribers.delete(id, 'any');
    }
    alice = await thingsOf('alice');
    bob = await thingsOf('bob');
  });

  async function thingsOf(owner: string): Promise<Things> {
    const { id } = await api.subscribers.create({ url: receiver.url, events: ['*'], owner });
    const sent = await api.app.get(WebhookDispatcher).send('article.created', {}, { owner: owner });
    return vi.waitFor(async () => {
      const { items } = await api.app.get(Deliveries).list({ subscriberId: id }, 'any');
      expect(items).toMatchObject([{ status: 'succeeded' }]);
      return { id, delivery: items[0]!.id, message: sent.id };
    });
  }

  /** Everything that is bob's. */
  async function snapshot(): Promise<unknown> {
    const { items } = await api.subscribers.list({ limit: 100 }, { owner: 'bob' });
    const deliveries = await api.app.get(Deliveries).list({}, { owner: 'bob' });
    return { items, deliveries };
  }

  const pathOf = (path: string, { id, delivery }: { id: string; delivery: string }) =>
    path.replace(':id', id).replace(':delivery', delivery).replace(':name', 'article.created');
  const expectNothingOf = ({ id, delivery, message }: Things, answer: Answer) => {
    const text = JSON.stringify(answer.body ?? null);
    for (const secret of [id, delivery, message]) expect(text).not.toContain(secret);
  };

  it.each(cases)('$route rejects callers without a user', async ({ method, path, body }) => {
    const before = await snapshot();
    const given = body === undefined ? {} : { body: body(bob) };

    const answer = await api.send(method, pathOf(path, bob), { as: 'nobody', ...given });

    expect(answer).toMatchObject({ status: 401, body: { status: 401, title: 'Unauthorized' } });
    expect(await snapshot()).toEqual(before);
  });

  it.each(cases)('$route works for the owner', async (one) => {
    const before = await snapshot();
    for (const slash of one.isOnce ? ['/'] : ['/', '']) {
      const given = one.body === undefined ? {} : { body: one.body(alice) };
      const answer = await api.send(one.method, pathOf(one.path, alice) + slash, given);

      expect({ slash, ...answer }).toMatchObject({ slash, status: one.status });
      expectNothingOf(bob, answer);
    }
    expect(await snapshot()).toEqual(before);
  });

  it.each(withIds)('$route answers every other id alike', async ({ method, path, body }) => {
    const unowned = await api.subscribers.create({ ...subscriber, owner: null });
    const before = [await snapshot(), await api.subscribers.findById(unowned.id, 'any')];
    const what = path.includes(':delivery') ? 'delivery' : 'id';
    const [own, foreign] = [alice[what], bob[what]];
    const ids = [
      own.replace(/....$/, 'ffff'),
      foreign,
      unowned.id,
      foreign.toUpperCase(),
      own.slice(4),
      `${own}%20`,
      `${own},${foreign}`,
      `${own}%2F${foreign}`,
      '%2e%2e%2Fhooks',
      '0',
      '*',
      'null',
      '__proto__',
      'constructor',
      '%00',
      "'%20or%201%3D1--",
      '%F0%9F%98%80',
      'a'.repeat(90),
    ];

    for (const id of ids) {
      const answer = await api.send(method, pathOf(path, { id, delivery: id }), {
        ...(body === undefined ? {} : { body: body(alice) }),
      });
      expect({ id, status: answer.status, body: answer.body }).toEqual({
        id,
        status: 404,
        body: {
          type: '/hooks/problems/not-found',
          code: 'not-found',
          title: 'Not Found',
          status: 404,
          detail: `There is no ${what === 'id' ? 'subscriber' : what} with this id`,
        },
      });
    }
    expect([await snapshot(), await api.subscribers.findById(unowned.id, 'any')]).toEqual(before);
  });

  it.each(others)('$route with $where.name of another owner', async (one) => {
    const before = await snapshot();
    const query = one.where.query === undefined ? '' : `?${one.where.query(bob)}`;
    const body = one.where.body?.(bob) ?? one.body?.(alice);

    const answer = await api.send(
      one.method,
      pathOf(one.path, alice) + query,
      body === undefined ? {} : { body },
    );

    expect(answer).toMatchObject({ status: one.where.status });
    expectNothingOf(bob, answer);
    expect(await snapshot()).toEqual(before);
  });
});
