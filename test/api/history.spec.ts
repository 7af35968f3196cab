import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clock, outbox, WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, owners, startApi } from '../support/apps/api-app.js';
import type { TestDatabase } from '../support/databases.js';
import { PAIRS } from '../support/places.js';

const DAY = 86_400_000;

describe.each(PAIRS)('the history on $database and $platform', ({ create, platform }) => {
  let api: Api;
  let store: TestDatabase;
  let clock: MovableClock;
  let send: WebhookDispatcher['send'];
  /** Where the tests before this one have ended. */
  let [start, startOfBob]: [string, string] = ['', ''];

  beforeAll(async () => {
    store = await create();
    api = await startApi(platform, {
      store,
      api: { ...owners, baseUrl: 'https://api.example.com' },
      thorn: {
        clock: MovableClock,
        recipients: LOOPBACK_RECIPIENTS,
        dispatch: outbox({ pollInterval: 25, history: true }),
        eventTypes: ['article.*', 'order.paid', 'stock.*.low'],
        // What nobody may subscribe to is stored for this one, and fails at once.
        subscribers: { 'secret.*': 'http://127.0.0.1:2' },
        retries: { schedule: [] },
      },
    });
    clock = api.app.get<MovableClock>(Clock);
    clock.advance(31 * DAY);
    const dispatcher = api.app.get(WebhookDispatcher);
    send = dispatcher.send.bind(dispatcher);
  });
  afterAll(async () => {
    await api.app.close();
    await store.drop();
  });
  beforeEach(async () => {
    start = (await read('after=now')).next;
    startOfBob = (await read('after=now', 'bob')).next;
  });

  async function read(query: string, as: 'alice' | 'bob' = 'alice') {
    const { status, body } = await api.send('GET', `/hooks/events?${query}`, { as });
    expect(status, JSON.stringify(body)).toBe(200);
    return body;
  }
  /** Waits, since transactions of other databases on the server hold readers up. */
  async function readUntil(id: string, query: string) {
    let page = await read(`after=${start}&${query}`);
    const items = [...page.items];
    await vi.waitFor(async () => {
      page = await read(`after=${page.next}&${query}`);
      items.push(...page.items);
      expect(items.map((one) => one.id)).toContain(id);
    });
    return items;
  }

  it('has what subscribers of the owner get, heard or not, as they get it', async () => {
    const receiver = await ScriptedReceiver.start();
    const subscribed = await api.send('POST', '/hooks', {
      body: { url: receiver.url, events: ['order.paid'] },
    });
    await send('order.paid', { total: 7 }, { owner: 'alice', ref: '/orders/7' });
    await send('order.paid', { total: 8 }, { owner: 'bob' });
    await send('article.created', { title: 'Zoë' });
    await send('secret.thing', {}, { owner: 'alice' });
    await send('article.changed', {}, { owner: null });
    const { id } = await send('stock.a.low', {}, { owner: 'alice' });
    const [webhook] = await receiver.waitFor(1);
    await api.send('DELETE', `/hooks/${subscribed.body.id}`);
    await receiver.stop();

    const items = await readUntil(id, 'limit=2');
    const names = ['order.paid', 'article.created', 'stock.a.low'];
    expect(items.map(({ event }) => event)).toEqual(names);
    expect(items[0]).toEqual({
      ...{ id: webhook!.id, event: 'order.paid' },
      ...{ timestamp: new Date(clock.now()).toISOString(), body: webhook!.json },
    });
    expect(items[0].body).toMatchObject({ owner: 'alice', ref: '/orders/7', data: { total: 7 } });
    const { items: ofBob } = await read(`after=${startOfBob}`, 'bob');
    expect(ofBob.map(({ body }: { body: { data: object } }) => body.data)).toEqual([
      { total: 8 },
      { title: 'Zoë' },
    ]);
    const patterned = await read(`after=${start}&event=stock.*.low`);
    expect(patterned.items.map(({ event }: { event: string }) => event)).toEqual(['stock.a.low']);
  });

  it('leads to the next page by a header', async () => {
    const { id } = await send('article.tag.added', {});
    await readUntil(id, 'limit=1');
    const first = await api.send('GET', `/hooks/events?after=${start}&limit=1&event=article.*`);
    const [, link] = /^<https:\/\/api\.example\.com(.+)>; rel="next"$/.exec(
      first.headers.get('link')!,
    )!;
    expect(link).toBe(`/hooks/events?after=${first.body.next}&limit=1&event=article.*`);
    expect((await api.send('GET', link!)).body).toMatchObject({ items: [], hasMore: false });
  });

  it('answers 410 for a cursor that is older than what is kept, and never to who keeps reading', async () => {
    const { id } = await send('order.paid', {});
    await readUntil(id, 'limit=100');
    const [left, begun] = [start, (await read('')).next];
    let quiet = start;
    for (let days = 0; days < 40; days += 8) {
      clock.advance(8 * DAY);
      quiet = (await read(`after=${quiet}`)).next;
    }
    for (const cursor of [left, begun]) {
      const { status, body } = await api.send('GET', `/hooks/events?after=${cursor}`);
      expect({ status, code: body.code }).toEqual({ status: 410, code: 'cursor-expired' });
    }
    expect((await read('')).items).toEqual([]);
    await send('order.paid', {});
  });

  it.each([
    ['after', 'x'],
    ['after', 'dlv_01890000-0000-7000-8000-000000000000'],
    ['after', Buffer.from('1.2.3').toString('base64url')],
    ['after', ''],
    ['after', 'a'.repeat(500)],
    ['limit', '0'],
    ['limit', '251'],
    ['limit', '1.5'],
    ['event', 'a..b'],
    ['event', 'nothing.*'],
  ])('refuses the %s "%s"', async (field, value) => {
    const { status, body } = await api.send('GET', `/hooks/events?${field}=${value}`);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid-request' });
    expect(body.errors.map((one: { field: string }) => one.field)).toEqual([field]);
  });

  it('refuses a cursor whose key was changed', async () => {
    const key = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/;
    const plain = Buffer.from(start, 'base64url').toString().replace(key, '-'.repeat(36));
    const after = Buffer.from(plain).toString('base64url');
    const { status, body } = await api.send('GET', `/hooks/events?after=${after}`);
    expect({ status, errors: body.errors }).toMatchObject({
      ...{ status: 400, errors: [{ field: 'after' }] },
    });
  });

  it('refuses the cursor of another owner', async () => {
    const { status, body } = await api.send('GET', `/hooks/events?after=${start}`, { as: 'bob' });
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([{ field: 'after', reason: expect.stringMatching(/owner/) }]);
    expect((await api.send('GET', '/hooks/events', { as: 'nobody' })).status).toBe(401);
  });

  it('has samples of events, as their webhooks are', async () => {
    const { items } = (await api.send('GET', '/hooks/events/samples')).body;
    const timestamp = new Date(clock.now()).toISOString();
    expect(items).toEqual([
      { type: 'article.created', timestamp, data: { title: 'Hello' } },
      { type: 'order.paid', timestamp, data: { total: 5 } },
    ]);
    const chosen = (await api.send('GET', '/hooks/events/samples?event=order.*')).body;
    expect(chosen.items).toEqual(items.slice(1));
    expect((await api.send('GET', '/hooks/events/samples?event=a..b')).status).toBe(400);
  });
});

it('is not there without the option', async () => {
  const api = await startApi('express');
  const { status, body } = await api.send('GET', '/hooks/events');
  expect({ status, code: body.code }).toEqual({ status: 501, code: 'no-history' });
  await expect(api.app.get(WebhookDispatcher).history({}, 'any')).rejects.toMatchObject({
    code: 'THORN_HISTORY_MISSING',
    message: expect.stringContaining('outbox({ history: true })'),
  });
  await api.app.close();
});
