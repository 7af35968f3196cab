import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { defineEvents, Deliveries, WebhookDispatcher } from '../../lib/index.js';
import { Portal, thornPage } from '../../lib/page/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, platforms, startApi } from '../support/apps/api-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { BODIES, NEEDED, portalRoutes } from '../support/portal-routes.js';

const CAPABILITIES = ['read', 'write', 'secrets', 'test', 'retry'] as const;
const all = portalRoutes();
const ofSubscribers = all.filter((route) => route.includes('/:id'));
const reads = all.filter((route) => route.startsWith('GET ') || NEEDED[route]?.join() === 'read');
const ofDeliveries = all.filter((route) => route.includes('/:delivery'));

describe.each(platforms)('a link for some events on %s', (platform) => {
  let api: Api;
  let database: TestDatabase;
  let receiver: ScriptedReceiver;
  let token: string;
  /** Ids by what the endpoint is subscribed to. */
  const ids: Record<'articles' | 'everything' | 'orders', string> = {
    articles: '',
    everything: '',
    orders: '',
  };

  beforeAll(async () => {
    database = await createDatabase('memory');
    receiver = await ScriptedReceiver.start();
    api = await startApi(platform, {
      store: database,
      thorn: {
        page: thornPage(),
        retries: { schedule: [] },
        recipients: { ...LOOPBACK_RECIPIENTS, allowedPorts: 'any' },
      },
    });
    for (const [name, pattern] of [
      ['articles', 'article.*'],
      ['everything', '*'],
      ['orders', 'order.paid'],
    ] as const) {
      const url = `${receiver.url}/${name}`;
      const made = await api.subscribers.create({ url, events: [pattern], owner: 'alice' });
      ids[name] = made.id;
    }
    for (const event of ['article.created', 'order.paid']) {
      await api.app.get(WebhookDispatcher).send(event, {}, { owner: 'alice' });
    }
    await vi.waitFor(async () => {
      const { items } = await api.app.get(Deliveries).list({ status: 'succeeded' }, 'any');
      expect(items).toHaveLength(4);
    });
    const { code } = await api.app
      .get(Portal)
      .link({ owner: 'alice', capabilities: CAPABILITIES, events: ['article.*'] });
    const session = await api.send('POST', '/webhooks/session', { as: 'nobody', body: { code } });
    expect(session.body.events).toEqual(['article.*']);
    token = session.body.token;
  });
  afterAll(async () => {
    await api.app.close();
    await receiver.stop();
    await database.drop();
  });

  const ask = (method: string, path: string, body?: object) =>
    api.send(method, path, {
      as: 'nobody',
      headers: { authorization: `Bearer ${token}` },
      ...(body !== undefined && { body }),
    });
  const askRoute = (route: string, path: string) => {
    const [method = ''] = route.split(' ');
    return ask(method, path, method === 'GET' ? undefined : (BODIES[route] ?? {}));
  };
  const deliveries = () => api.app.get(Deliveries);
  const deliveryOf = async (subscriberId: string, event: string) => {
    const { items } = await api.app.get(Deliveries).list({ subscriberId, event }, 'any');
    return items[0]!.id;
  };

  it('lists what is of its events alone', async () => {
    expect((await ask('GET', '/hooks')).body.items).toMatchObject([{ id: ids.articles }]);
    expect((await ask('GET', '/hooks/deliveries')).body.items).toMatchObject([
      { subscriberId: ids.articles, event: 'article.created' },
    ]);
    expect((await ask('GET', `/hooks/deliveries?subscriber=${ids.orders}`)).status).toBe(404);
    const names = (await ask('GET', '/hooks/event-types')).body.items;
    expect(names.map(({ name }: { name: string }) => name)).toEqual([
      'article.created',
      'article.changed',
      'article.tag.added',
    ]);
    expect((await ask('GET', '/hooks/event-types/article.created')).status).toBe(200);
    expect((await ask('GET', '/hooks/event-types/order.paid')).status).toBe(404);
    expect((await ask('GET', '/hooks/stats')).body.total.attempts).toBe(1);
    expect((await ask('GET', `/hooks/stats?subscriber=${ids.orders}`)).status).toBe(404);
    const preview = await ask('POST', '/hooks/filter-preview', { filter: null });
    expect(preview.body).toMatchObject({ items: [{ event: 'article.created' }], passed: 1 });
  });

  it('retries no selection that names deliveries of other events', async () => {
    const own = await deliveryOf(ids.articles, '*');
    for (const other of [
      await deliveryOf(ids.everything, 'article.created'),
      await deliveryOf(ids.orders, 'order.paid'),
    ]) {
      const refused = await ask('POST', '/hooks/deliveries/retry', { ids: [own, other] });
      expect(refused.status).toBe(404);
    }
    const before = await deliveries().findById(own, 'any');
    expect(before).toMatchObject({ attemptCount: 1 });
    const { body } = await ask('POST', '/hooks/deliveries/retry', { ids: [own] });
    expect(body.items).toMatchObject([{ id: own, retried: true }]);
  });

  it('does not tell by a search what is in endpoints of other events', async () => {
    expect((await ask('GET', '/hooks?search=ARTICLES')).body).toMatchObject({
      items: [{ id: ids.articles }],
      next: null,
    });
    const ends = [];
    for (const text of ['orders', 'nowhere', 'articles']) {
      const { items, next } = (await ask('GET', `/hooks?limit=1&search=${text}`)).body;
      ends.push([items.length, next]);
    }
    // All of them leave off at the same place.
    expect(ends).toEqual([
      [0, ids.articles],
      [0, ids.articles],
      [1, ids.articles],
    ]);
  });

  it.each(ofSubscribers)('does not find endpoints of other events: %s', async (route) => {
    for (const name of ['everything', 'orders'] as const) {
      const path = route.split(' ')[1]!.replace(':id', ids[name]);
      expect([name, (await askRoute(route, path)).status]).toEqual([name, 404]);
    }
  });

  it.each(ofDeliveries)('does not find deliveries of other events: %s', async (route) => {
    for (const [id, event] of [
      [ids.everything, 'article.created'],
      [ids.everything, 'order.paid'],
      [ids.orders, 'order.paid'],
    ] as const) {
      const path = route.split(' ')[1]!.replace(':delivery', await deliveryOf(id, event));
      expect([event, (await askRoute(route, path)).status]).toEqual([event, 404]);
    }
    const own = route.split(' ')[1]!.replace(':delivery', await deliveryOf(ids.articles, '*'));
    expect((await askRoute(route, own)).status).not.toBe(404);
  });

  it('recovers deliveries of its events alone, of an endpoint that had others before', async () => {
    const { subscribers } = api;
    const url = `${receiver.url}/former`;
    const { id } = await subscribers.create({ url, events: ['*'], owner: 'alice' });
    receiver.otherwise(({ path }) => (path.endsWith('/former') ? 500 : 200));
    const ended = async (count: number) => {
      await vi.waitFor(async () => {
        const { items } = await deliveries().list({ subscriberId: id, status: 'failed' }, 'any');
        expect(items).toHaveLength(count);
      });
    };
    for (const event of ['article.created', 'order.paid']) {
      await api.app.get(WebhookDispatcher).send(event, {}, { owner: 'alice' });
    }
    await ended(2);
    await subscribers.update(id, { events: ['article.*'] }, 'any');
    const since = '2020-01-01T00:00:00Z';
    for (const body of [{ since, dryRun: true }, { since }]) {
      const recovered = await ask('POST', `/hooks/${id}/recover`, body);
      expect(recovered.body).toMatchObject({ scheduled: 1, underWay: 0, next: null });
    }
    const other = await deliveries().list({ subscriberId: id, event: 'order.paid' }, 'any');
    expect(other.items).toMatchObject([{ status: 'failed', attemptCount: 1 }]);
    await subscribers.delete(id, 'any');
  });

  it('answers every read as if other events had never been, for an endpoint that had them', async () => {
    const { subscribers } = api;
    const url = `${receiver.url}/former`;
    const { id } = await subscribers.create({ url, events: ['article.*'], owner: 'alice' });
    receiver.otherwise(({ path }) => (path.endsWith('/former') ? 500 : 200));
    const send = async (event: string, count: number) => {
      await api.app.get(WebhookDispatcher).send(event, { of: event }, { owner: 'alice' });
      await vi.waitFor(async () => {
        const { items } = await deliveries().list({ subscriberId: id, status: 'failed' }, 'any');
        expect(items).toHaveLength(count);
      });
    };
    await send('article.created', 1);
    const [own] = (await deliveries().list({ subscriberId: id }, 'any')).items;
    const [since, until] = [-1, 1].map((days) =>
      new Date(Date.now() + days * 86_400_000).toISOString(),
    );
    const walk = async (delivery: string) => {
      const answers = new Map<string, { status: number; text: string }>();
      for (const route of reads) {
        const path = route
          .split(' ')[1]!
          .replace(':id', id)
          .replace(':delivery', delivery)
          .replace(':name', 'article.created');
        const { status, body } = await askRoute(route, `${path}?since=${since}&until=${until}`);
        const text = JSON.stringify(body, (name, value) => (name === 'updatedAt' ? null : value));
        answers.set(route, { status, text });
      }
      return answers;
    };
    // As later on: requests from before a change are not shown in full.
    await subscribers.update(id, { description: 'changed' }, 'any');
    const before = await walk(own!.id);
    expect(reads.length).toBeGreaterThan(10);
    expect([...before].filter(([, { status }]) => status !== 200)).toEqual([]);
    await subscribers.update(id, { events: ['*'] }, 'any');
    await send('order.paid', 2);
    await subscribers.update(id, { events: ['article.*'] }, 'any');
    const after = await walk(own!.id);
    expect([...after]).toEqual([...before]);
    for (const [route, { text }] of after) {
      expect([route, text]).toEqual([route, expect.not.stringMatching(/order\.|\/orders|stock/)]);
    }
    // A filter without events is for those of the link.
    expect(after.get('POST /hooks/filter-preview')!.text).toContain(
      'article.changed, article.tag.added have no schema',
    );
    const other = await walk(await deliveryOf(id, 'order.paid'));
    for (const route of reads.filter((one) => one.includes(':delivery'))) {
      expect([route, other.get(route)!.status]).toEqual([route, 404]);
    }
    await subscribers.delete(id, 'any');
  });

  it('subscribes to its events alone, and tests with them', async () => {
    const url = `${receiver.url}/new`;
    for (const body of [
      { url, event: '*' },
      { url, events: ['article.created', 'order.paid'] },
      { url, events: ['*.created'] },
    ]) {
      const answer = await ask('POST', '/hooks', body);
      expect([answer.status, answer.body.errors[0].reason]).toEqual([
        400,
        'must be of the events of this link: article.*',
      ]);
    }
    for (const [to, body] of [
      ['/hooks', { url, events: ['article.payd'] }],
      ['/hooks', { url, event: 'thorn.ping' }],
      ['/hooks/filter-preview', { events: ['thorn.ping'] }],
    ] as const) {
      const answer = await ask('POST', to, body);
      expect([body, answer.status]).toEqual([body, 400]);
      expect(JSON.stringify(answer.body)).not.toMatch(/order|stock/);
    }
    const made = await ask('POST', '/hooks', { url, events: ['article.tag.*'] });
    expect(made.status).toBe(201);
    const path = `/hooks/${made.body.id}`;
    expect((await ask('PATCH', path, { events: ['*'] })).status).toBe(400);
    expect((await ask('PATCH', path, { events: ['article.*'] })).status).toBe(200);
    expect((await ask('POST', `${path}/test`, { event: 'order.paid' })).status).toBe(400);
    expect((await ask('POST', `${path}/test`, { event: 'article.created' })).status).toBe(200);
    expect((await ask('POST', `${path}/test`, {})).status).toBe(200);
    expect((await ask('DELETE', path)).status).toBe(204);
  });
});

it('shows a link its events whose names have fields', async () => {
  const name = 'user.{owner.slug}.renamed';
  const events = defineEvents({
    [name]: { description: 'A user has another name' },
    'order.paid': { description: 'An order was paid' },
  });
  const api = await startApi('express', { thorn: { page: thornPage(), events } });
  const { code } = await api.app
    .get(Portal)
    .link({ owner: 'alice', capabilities: CAPABILITIES, events: ['user.*.renamed'] });
  const session = await api.send('POST', '/webhooks/session', { as: 'nobody', body: { code } });
  const headers = { authorization: `Bearer ${session.body.token}` };
  const get = async (path: string) =>
    (await api.send('GET', `/hooks/${path}`, { as: 'nobody', headers })).body;
  expect((await get('event-types')).items).toMatchObject([{ name }]);
  expect(await get(`event-types/${encodeURIComponent(name)}`)).toMatchObject({ name });
  expect(Object.keys((await get('openapi.json')).webhooks)).toEqual([name]);
  await api.app.close();
});
