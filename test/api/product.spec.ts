import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DispatchStrategy } from '../../lib/extending/index.js';
import { Clock, Deliveries, WebhookDispatcher } from '../../lib/index.js';
import type { OutboxStrategy } from '../../lib/outbox/index.js';
import { LOOPBACK_RECIPIENTS, MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { freePort } from '../services/free-port.js';
import { type Api, type ApiCall, startApi } from '../support/apps/api-app.js';
import { type TestDatabase } from '../support/databases.js';
import { PAIRS } from '../support/places.js';

interface Shown {
  readonly event: string;
  readonly subscriberId: string;
  readonly latestStatus: number | null;
}

const DAY = 24 * 60 * 60_000;

describe.each(PAIRS)('the REST API on $database and $platform', ({ create, platform }) => {
  let api: Api;
  let store: TestDatabase;
  let receiver: ScriptedReceiver;
  let clock: MovableClock;
  let self: string;
  let id: string;
  let secret: string;

  beforeAll(async () => {
    store = await create();
    api = await startApi(platform, {
      store,
      api: {
        path: 'hooks',
        unprotected: true,
        owner: () => owner,
        limits: { testsPerMinute: Infinity },
      },
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        clock: MovableClock,
        retries: { schedule: [] },
      },
    });
    clock = api.app.get<MovableClock>(Clock);
  });
  afterAll(async () => {
    await api.app.close();
    await store.drop();
  });

  // A new owner for each test, who sees nothing of those before.
  let owner = '';
  let owners = 0;
  beforeEach(async () => {
    owner = `owner-${owners++}`;
    receiver = await ScriptedReceiver.start();
    const created = await post('/hooks', { url: receiver.url, events: ['*'] }, 201);
    ({ self, id, secret } = created.body);
    return () => receiver.stop();
  });

  async function call(method: string, path: string, status: number, request: ApiCall = {}) {
    const answer = await api.send(method, path, { as: 'nobody', ...request });
    expect({ path, status: answer.status, body: answer.body }).toMatchObject({ path, status });
    return answer;
  }
  const get = (path: string, status = 200) => call('GET', path, status);
  const post = (path: string, body: object, status = 200, headers = {}) =>
    call('POST', path, status, { body, headers });
  const emit = (event: string, data: unknown = {}) =>
    api.app.get(WebhookDispatcher).send(event, data, { owner: owner });
  const settled = () =>
    vi.waitFor(async () =>
      expect(await api.app.get(Deliveries).stats()).toMatchObject({
        pending: 0,
        pendingMessages: 0,
      }),
    );

  it('sends a signed ping, and reports the result', async () => {
    receiver.answer(204, { status: 500, body: 'out of order' });
    const ping = await post(`${self}/test`, {});
    expect(ping.body).toEqual({
      messageId: expect.stringMatching(/^msg_/),
      deliveryId: expect.stringMatching(/^dlv_/),
      event: 'thorn.ping',
      outcome: 'succeeded',
      status: 204,
      error: null,
      startedAt: expect.stringMatching(/Z$/),
      duration: expect.any(Number),
      response: null,
      answerHeaders: null,
    });
    const [received] = receiver.received;
    expect(received!.headers['hook-subscription']).toBe(id);
    expect(received!.isSignedWith(secret)).toBe(true);
    expect(received!.json).toMatchObject({ type: 'thorn.ping', owner, data: {} });

    expect((await post(`${self}/test`, {})).body).toMatchObject({
      outcome: 'failed',
      status: 500,
      error: null,
      response: 'out of order',
    });
    expect((await get(`${self}/deliveries`)).body).toEqual({ items: [], next: null });
  });

  it('sends the example of an event, to this subscriber alone', async () => {
    const other = await ScriptedReceiver.start();
    await post('/hooks', { url: other.url, events: ['*'] }, 201);
    await post(`${self}/test`, { event: 'article.created' });
    await post(`${self}/test`, { event: 'order.paid' });
    await post(`${self}/test`, { event: 'article.changed' });
    await post(`${self}/test`, { event: 'article.changed', data: { title: 'Mine' } });
    await post(`${self}/test`, { data: [1] });
    expect(receiver.received.map(({ json }) => json)).toMatchObject([
      { type: 'article.created', data: { title: 'Hello' } },
      { type: 'order.paid', data: { total: 5 } },
      { type: 'article.changed', data: {} },
      { type: 'article.changed', data: { title: 'Mine' } },
      { type: 'thorn.ping', data: [1] },
    ]);
    expect(other.received).toEqual([]);
    await other.stop();
    for (const event of ['nothing.here', 'thorn.challenge', 'stock.{sku}.low', 'stock.7.low']) {
      const refused = await post(`${self}/test`, { event }, 400);
      expect(refused.body.errors).toMatchObject([{ field: 'event' }]);
    }
  });

  it('reports a missing endpoint as it reports a blocked one', async () => {
    const url = `http://127.0.0.1:${await freePort()}/`;
    const missing = await post('/hooks', { url, events: ['*'] }, 201);
    const { body } = await post(`${missing.body.self}/test`, {});
    expect(body).toMatchObject({
      outcome: 'failed',
      status: null,
      duration: null,
      error: { code: 'unreachable' },
    });
    expect(JSON.stringify(body)).not.toMatch(/127\.0\.0\.1|ECONN/);
  });

  it('rotates the secret, with an overlap', async () => {
    const rotated = await post(`${self}/rotate-secret`, { overlap: '1h' });
    expect(rotated.body).toMatchObject({ id, secret: expect.stringMatching(/^whsec_/) });
    expect(rotated.body.secret).not.toBe(secret);
    expect(rotated.headers.get('cache-control')).toBe('private, no-store');
    await post(`${self}/test`, {});
    expect(receiver.received[0]!.isSignedWith(rotated.body.secret)).toBe(true);
    expect(receiver.received[0]!.isSignedWith(secret)).toBe(true);

    const own = 'a secret of my own choice';
    expect((await post(`${self}/rotate-secret`, { overlap: 0, secret: own })).body.secret).toBe(
      own,
    );
    const refused = await post(`${self}/rotate-secret`, { overlap: '2y' }, 400);
    expect(refused.body.errors).toMatchObject([{ field: 'overlap' }]);
    expect(JSON.stringify((await get(self)).body)).not.toContain(own);
    expect(new Webhook(rotated.body.secret)).toBeDefined();
  });

  it('ends an old secret before its time, and says who did', async () => {
    const rotated = await post(`${self}/rotate-secret`, { overlap: '7d' });
    expect(Date.parse(rotated.body.rotationEndsAt) - clock.now()).toBe(7 * 86_400_000);
    await post(`${self}/end-rotation`, { overlap: 0 }, 400);
    await post(`${self}/end-rotation`, {}, 412, { 'if-match': '"AAAAAAAAAAAAAAAAAAAAAA"' });

    const tag = rotated.headers.get('etag')!;
    const ended = await post(`${self}/end-rotation`, {}, 200, { 'if-match': tag });
    expect(ended.body).toEqual({
      ...(await get(self)).body,
      ...{ id, rotationEndsAt: null },
    });
    expect(ended.body).not.toHaveProperty('secret');
    await post(`${self}/test`, {});
    expect(receiver.received[0]!.isSignedWith(rotated.body.secret)).toBe(true);
    expect(receiver.received[0]!.isSignedWith(secret)).toBe(false);
    const { items } = (await get(`${self}/changes`)).body;
    const ofSecret = { kind: 'changed', fields: ['secret'] };
    expect(items).toMatchObject([ofSecret, ofSecret, { kind: 'created' }]);

    // There is nothing left to end.
    const again = await post(`${self}/end-rotation`, {});
    expect(again.body).toMatchObject({ id, rotationEndsAt: null });
    expect((await get(`${self}/changes`)).body.items).toHaveLength(items.length);
  });

  it('disables and enables a subscriber', async () => {
    const disabled = await post(`${self}/disable`, {});
    expect(disabled.body).toMatchObject({ id, enabled: false, state: 'disabled' });
    await emit('order.paid');
    await settled();
    expect(receiver.received).toHaveLength(0);
    expect((await post(`${self}/enable`, {})).body).toMatchObject({
      enabled: true,
      state: 'active',
    });
    await emit('order.paid');
    await receiver.waitFor(1);
  });

  it('lists deliveries page by page, and returns one with its attempts', async () => {
    receiver.answer(500, { status: 201, body: 'thanks' });
    await emit('article.created');
    await emit('article.changed');
    await emit('order.paid');
    await receiver.waitFor(3);
    await settled();

    const all = (await get(`${self}/deliveries`)).body.items;
    expect(all).toHaveLength(3);
    const first = (await get(`${self}/deliveries?limit=2`)).body;
    const second = (await get(`${self}/deliveries?limit=2&after=${first.next}`)).body;
    expect([...first.items, ...second.items]).toEqual(all);
    expect(second.next).toBeNull();
    const failed = (await get(`${self}/deliveries?status=failed`)).body.items;
    expect(failed).toMatchObject([
      { subscriberId: id, status: 'failed', reason: 'exhausted', attemptCount: 1, nextAt: null },
    ]);
    const one = all.find(({ event }: { event: string }) => event === 'order.paid');
    expect((await get(`${self}/deliveries?event=order.paid`)).body.items).toEqual([one]);
    expect((await get(`${self}/deliveries?message=${one.messageId}`)).body.items).toEqual([one]);
    const later = new Date(Date.parse(one.createdAt) + 60_000).toISOString();
    expect((await get(`${self}/deliveries?since=${later}`)).body.items).toEqual([]);
    expect((await get(`${self}/deliveries?until=${later}`)).body.items).toEqual(all);

    for (const item of all) {
      const { body } = await get(item.self);
      expect(body).toMatchObject(item);
      expect(body.attempts).toEqual([
        {
          number: 1,
          startedAt: expect.stringMatching(/Z$/),
          duration: expect.any(Number),
          status: expect.any(Number),
          error: null,
          response: item.status === 'failed' ? null : body.attempts[0].response,
          answerHeaders: item.status === 'failed' ? { date: expect.any(String) } : null,
        },
      ]);
    }
  });

  it('lists the deliveries of all subscribers of the owner', async () => {
    const other = await ScriptedReceiver.start();
    const { body: second } = await post('/hooks', { url: other.url, events: ['order.*'] }, 201);
    receiver.answer({ status: 404 }, { status: 503 });
    await emit('article.tag.added');
    await settled();
    await emit('order.paid');
    await settled();
    const listed = async (query: string) =>
      (await get(`/hooks/deliveries?${query}`)).body.items.map((item: Shown) =>
        [item.event, item.subscriberId === id ? 'first' : 'second', item.latestStatus].join(' '),
      );
    const all = ['article.tag.added first 404', 'order.paid first 503', 'order.paid second 204'];
    expect((await listed('')).sort()).toEqual(all);
    expect(await listed(`subscriber=${second.id}`)).toEqual([all[2]]);
    expect(await listed('event=article.*')).toEqual([all[0]]);
    expect(await listed('event=*.paid&status=failed')).toEqual([all[1]]);
    expect(await listed('event=article.tag')).toEqual([]);
    expect(await listed(`since=${new Date(clock.now() + 60_000).toISOString()}`)).toEqual([]);
    const { items } = (await get('/hooks/deliveries?event=article.*')).body;
    expect(items[0]).toMatchObject({
      self: `/hooks/deliveries/${items[0].id}`,
      statusClass: '4xx',
    });
    const { messageId } = (await get(`/hooks/deliveries?subscriber=${second.id}`)).body.items[0];
    expect((await listed(`message=${messageId}`)).sort()).toEqual(all.slice(1));

    const first = (await get('/hooks/deliveries?limit=2')).body;
    const rest = (await get(`/hooks/deliveries?limit=2&after=${first.next}`)).body;
    expect([first.items.length, rest.items.length, rest.next]).toEqual([2, 1, null]);
    await get('/hooks/deliveries?subscriber=sub_none', 404);
    await other.stop();
  });

  it('cancels a waiting delivery', async () => {
    await call('PATCH', self, 200, { body: { rateLimit: { max: 1, per: 60_000 } } });
    await emit('order.paid');
    await settled();
    await emit('order.paid');
    const waiting = await vi.waitFor(async () => {
      const { items } = (await get('/hooks/deliveries?status=pending')).body;
      expect(items).toMatchObject([{ rateLimited: true }]);
      return items[0];
    });
    const cancelled = await post(`${waiting.self}/cancel`, {});
    expect(cancelled.body).toMatchObject({
      ...{ id: waiting.id, self: waiting.self, status: 'failed', reason: 'cancelled' },
      ...{ attemptCount: 0, statusClass: 'none', nextAt: null },
    });
    const refused = await post(`${waiting.self}/cancel`, {}, 409);
    expect(refused.body).toMatchObject({ code: 'delivery-finished' });
    const ended = (await get('/hooks/deliveries?status=succeeded')).body.items[0];
    await post(`${ended.self}/cancel`, {}, 409);
    expect(receiver.received).toHaveLength(1);
  });

  it('names the reason of each refused field by a code, for translations', async () => {
    const filter = { a: { b: { c: { d: { e: { f: { g: { h: { i: 1 } } } } } } } } };
    const cases: readonly [body: object, codes: Record<string, string>][] = [
      [{}, { url: 'required', events: 'required' }],
      [
        { url: 5, events: 5 },
        { url: 'invalid', events: 'invalid' },
      ],
      [
        { url: '', events: Array.from({ length: 51 }, () => '*') },
        { url: 'length', events: 'too-many' },
      ],
      [
        { url: 'https://u:p@example.com', events: ['*', '*'] },
        { url: 'credentials', events: 'repeated' },
      ],
      [
        { url: 'ftp://example.com', events: ['a..b'] },
        { url: 'protocol', events: 'malformed-pattern' },
      ],
      [
        { url: receiver.url, events: ['nothing.here'], colour: 1 },
        { events: 'unknown-event', colour: 'unknown-field' },
      ],
      [{ url: receiver.url, events: ['*'], filter }, { filter: 'too-deep' }],
      [{ url: receiver.url, events: ['*'], filter: { a: { nowEq: 1 } } }, { filter: 'transition' }],
    ];
    for (const [body, codes] of cases) {
      const { errors } = (await post('/hooks', body, 400)).body;
      const found = errors.map(({ field, code }: Record<string, string>) => [field, code]);
      expect(Object.fromEntries(found)).toEqual(codes);
    }
    const long = await post('/hooks', { url: receiver.url, events: ['a'.repeat(300)] }, 400);
    expect(long.body.errors).toMatchObject([{ code: 'too-long', data: { max: 256 } }]);
    const rotated = await post(`${self}/rotate-secret`, { secret }, 400);
    expect(rotated.body.errors).toMatchObject([{ field: 'secret', code: 'in-use' }]);
    const retried = await post('/hooks/deliveries/retry', { ids: [], more: 1 }, 400);
    expect(retried.body.errors).toMatchObject([{ field: 'more', code: 'unknown-field' }]);
  });

  it('retries a delivery', async () => {
    receiver.answer(500);
    await emit('order.paid');
    await settled();
    const [failed] = (await get(`${self}/deliveries`)).body.items;
    const scheduled = await post(`${failed.self}/retry`, {}, 202);
    expect(scheduled.body).toMatchObject({ id: failed.id });
    await receiver.waitFor(2);
    await settled();
    expect((await get(failed.self)).body).toMatchObject({ status: 'succeeded', attemptCount: 2 });
    expect(new Set(receiver.received.map((webhook) => webhook.id)).size).toBe(1);

    expect((await post(`${failed.self}/retry`, {}, 409)).body.code).toBe('delivery-resent');
    clock.advance(60_000);
    await post(`${failed.self}/retry`, {}, 202);
    await receiver.waitFor(3);
    await settled();
    clock.advance(60_000);
    await post(`${self}/disable`, {});
    expect((await post(`${failed.self}/retry`, {}, 409)).body.code).toBe('subscriber-disabled');
  });

  it('retries a selection, and says of each delivery what became of it', async () => {
    receiver.answer(500, 500);
    await emit('order.paid');
    await emit('article.created');
    await settled();
    const [one, other] = (await get(`${self}/deliveries`)).body.items;
    const ids = [one.id, 'dlv_none', other.id];
    expect((await post('/hooks/deliveries/retry', { ids })).body).toEqual({
      items: [
        { id: one.id, retried: true, code: null },
        { id: 'dlv_none', retried: false, code: 'not-found' },
        { id: other.id, retried: true, code: null },
      ],
      retried: 2,
    });
    await receiver.waitFor(4);
    await settled();
    const again = receiver.received.slice(2).map(({ event }) => event);
    expect(again.sort()).toEqual(['article.created', 'order.paid']);

    const calls = Array.from({ length: 5 }, () => post('/hooks/deliveries/retry', { ids }));
    for (const { body } of await Promise.all(calls)) {
      expect(body).toMatchObject({
        items: [{ code: 'delivery-resent' }, { code: 'not-found' }, { code: 'delivery-resent' }],
        retried: 0,
      });
    }
    expect(receiver.received).toHaveLength(4);
    clock.advance(60_000);
    await post(`${self}/disable`, {});
    expect((await post('/hooks/deliveries/retry', { ids: [one.id] })).body).toEqual({
      items: [{ id: one.id, retried: false, code: 'subscriber-disabled' }],
      retried: 0,
    });
    owner = 'somebody else';
    expect((await post('/hooks/deliveries/retry', { ids: [one.id] })).body).toMatchObject({
      items: [{ code: 'not-found' }],
    });
  });

  it('finds a delivery by its id, together with other filters', async () => {
    await emit('order.paid');
    clock.advance(1);
    await emit('article.created');
    await settled();
    const [article, order] = (await get('/hooks/deliveries')).body.items;
    const found = async (query: string) =>
      (await get(`/hooks/deliveries?${query}`)).body.items.map((item: { id: string }) => item.id);
    expect(await found(`delivery=${order.id}`)).toEqual([order.id]);
    expect(await found(`delivery=${order.id}&subscriber=${id}`)).toEqual([order.id]);
    expect(await found(`delivery=${order.id}&message=${order.messageId}`)).toEqual([order.id]);
    expect(await found(`delivery=${order.id}&message=${article.messageId}`)).toEqual([]);
    expect(await found(`delivery=${order.id}&event=article.*`)).toEqual([]);
    expect(await found(`delivery=${order.id}&status=failed`)).toEqual([]);
    expect(await found('delivery=dlv_none')).toEqual([]);
    owner = 'somebody else';
    expect(await found(`delivery=${order.id}`)).toEqual([]);
  });

  it('recovers the deliveries that failed in a time', async () => {
    receiver.answer(500, 500);
    await emit('article.created');
    await settled();
    clock.advance(60_000);
    const since = new Date(clock.now()).toISOString();
    await emit('article.changed');
    await settled();
    const counts = { expunged: 0, disabled: 0, underWay: 0, resent: 0, next: null };
    expect((await post(`${self}/recover`, { since, dryRun: true })).body).toEqual({
      ...counts,
      scheduled: 1,
    });
    expect((await post(`${self}/recover`, { since: '2020-01-01', until: since })).body).toEqual({
      ...counts,
      scheduled: 1,
    });
    await receiver.waitFor(3);
    await settled();
    expect(receiver.received.map(({ event }) => event)).toEqual([
      'article.created',
      'article.changed',
      'article.created',
    ]);
  });

  it('recovers no delivery twice within a minute', async () => {
    receiver.otherwise(500);
    await emit('article.created');
    await settled();
    const recover = async (body = {}) =>
      (await post(`${self}/recover`, { since: '2020-01-01', ...body })).body;
    expect(await recover()).toMatchObject({ scheduled: 1, resent: 0 });
    await receiver.waitFor(2);
    await settled();
    for (const body of await Promise.all([recover(), recover(), recover({ dryRun: true })])) {
      expect(body).toMatchObject({ scheduled: 0, underWay: 0, resent: 1 });
    }
    const [{ self: failed }] = (await get(`${self}/deliveries`)).body.items;
    expect((await post(`${failed}/retry`, {}, 409)).body.code).toBe('delivery-resent');
    expect(receiver.received).toHaveLength(2);
    clock.advance(60_000);
    expect(await recover()).toMatchObject({ scheduled: 1, resent: 0 });
    await receiver.waitFor(3);
  });

  it('backfills messages that were missed while disabled', async () => {
    await post(`${self}/disable`, {});
    const since = new Date(clock.now() - 1).toISOString();
    await emit('article.created');
    await emit('order.paid');
    await settled();
    expect((await post(`${self}/backfill`, { since })).body.scheduled).toBe(0);
    await post(`${self}/enable`, {});
    await call('PATCH', self, 200, { body: { exclude: ['order.*'] } });
    expect((await post(`${self}/backfill`, { since, dryRun: true })).body.scheduled).toBe(1);
    expect((await post(`${self}/backfill`, { since })).body.scheduled).toBe(1);
    await receiver.waitFor(1);
    await settled();
    expect(receiver.received.map(({ event }) => event)).toEqual(['article.created']);
  });

  it('sends messages that the filter admits and that are not excluded', async () => {
    const filter = { OR: [{ price: { gt: 10 } }, { tags: { contains: 'sale' } }] };
    await call('PATCH', self, 200, { body: { filter, exclude: ['article.*'] } });
    expect((await get(self)).body).toMatchObject({ filter, exclude: ['article.*'] });
    await emit('article.created', { price: 20 });
    await emit('order.paid', { price: 5, n: 1 });
    await emit('order.paid', { price: 20, n: 2 });
    await emit('order.paid', { price: 1, tags: ['sale'], n: 3 });
    await emit('order.paid', {});
    await receiver.waitFor(2);
    await settled();
    const numbers = receiver.received.map(({ json }) => (json as { data: { n: number } }).data.n);
    expect(numbers.sort()).toEqual([2, 3]);

    const since = new Date(clock.now() - 60_000).toISOString();
    await post(`${self}/disable`, {});
    await emit('order.paid', { price: 30, n: 4 });
    await emit('order.paid', { price: 3, n: 5 });
    await settled();
    await post(`${self}/enable`, {});
    expect((await post(`${self}/backfill`, { since })).body.scheduled).toBe(1);
    await receiver.waitFor(3);
    await call('PATCH', self, 200, { body: { filter: null } });
    await emit('order.paid', {});
    await receiver.waitFor(4);
  });

  it('lists deliveries that wait for the rate limit of their subscriber', async () => {
    await call('PATCH', self, 200, { body: { rateLimit: { max: 1, per: 60_000 } } });
    for (let n = 0; n < 3; n++) await emit('order.paid');
    await vi.waitFor(async () => {
      expect((await get(`${self}/stats`)).body).toMatchObject({
        ...{ rateLimited: 2, total: { succeeded: 1, pending: 2 } },
      });
    });
    const { items } = (await get(`${self}/deliveries?status=pending`)).body;
    expect(items).toMatchObject([{ rateLimited: true }, { rateLimited: true }]);
    expect(Date.parse(items[1].nextAt)).toBeGreaterThan(clock.now() + 30_000);
    await call('PATCH', self, 200, { body: { rateLimit: null } });
    clock.advance(180_000);
    await settled();
  });

  it('reports figures by day', async () => {
    receiver.answer(500);
    await emit('order.paid');
    await emit('order.paid');
    await settled();
    clock.advance(DAY);
    await emit('order.paid');
    await settled();
    const { body } = await get(`${self}/stats?days=3`);
    const day = (back: number) => new Date(clock.now() - back * DAY).toISOString().slice(0, 10);
    const none = {
      ...{ succeeded: 0, failed: 0, pending: 0, attempts: 0, failedAttempts: 0 },
      ...{ successRate: null, p50: null, p95: null },
    };
    const isComplete = true;
    expect(body.countedSince).toBe(`${day(2)}T00:00:00.000Z`);
    expect(body.total).toEqual({
      ...none,
      ...{ succeeded: 2, failed: 1, attempts: 3, failedAttempts: 1 },
      successRate: 2 / 3,
      p50: expect.any(Number),
      p95: expect.any(Number),
    });
    expect(body.days).toEqual([
      { ...none, day: day(2), isComplete },
      {
        ...body.total,
        ...{ day: day(1), isComplete, succeeded: 1, attempts: 2 },
        successRate: 0.5,
        p50: expect.any(Number),
        p95: expect.any(Number),
      },
      {
        ...body.total,
        ...{ day: day(0), isComplete, succeeded: 1, attempts: 1, failed: 0, failedAttempts: 0 },
        successRate: 1,
        p50: expect.any(Number),
        p95: expect.any(Number),
      },
    ]);
    expect((await get(`${self}/stats`)).body.days).toHaveLength(30);
    for (const days of ['0', '91', 'x', '1&days=2', '', '1.5']) {
      const refused = await get(`${self}/stats?days=${days}`, 400);
      expect(refused.body.errors).toMatchObject([{ field: 'days' }]);
    }
  });

  it('shows that an endpoint is dead: by its attempts, since when, and why it gets nothing', async () => {
    const other = await ScriptedReceiver.start();
    const { body: well } = await post('/hooks', { url: other.url, events: ['*'] }, 201);
    const { body: off } = await post('/hooks', { url: other.url, events: ['*'] }, 201);
    await post(`${off.self}/disable`, {});
    expect((await get('/hooks/health')).body).toEqual({
      endpoints: 3,
      failing: 0,
      disabled: 1,
      items: [],
    });
    await emit('order.paid');
    await settled();
    receiver.otherwise(503);
    const began = clock.now();
    await emit('order.paid');
    const { items } = await vi.waitFor(async () => {
      const { body } = await get('/hooks/health');
      expect(body).toMatchObject({ failing: 1, disabled: 1 });
      return body;
    });
    expect(items).toEqual([
      {
        subscriberId: id,
        failingSince: new Date(began).toISOString(),
        failingMessages: 1,
        pause: { reason: 'retry-after', until: expect.stringMatching(/Z$/) },
      },
    ]);
    expect(Date.parse(items[0].pause.until)).toBeGreaterThan(clock.now());
    await settled();
    expect((await get(`${self}/stats?days=1`)).body).toMatchObject({
      total: { attempts: 2, failedAttempts: 1, successRate: 0.5 },
      ...{ failingSince: items[0].failingSince, failingMessages: 1, pause: items[0].pause },
    });
    expect((await get(`${well.self}/stats?days=1`)).body).toMatchObject({
      ...{ failingSince: null, failingMessages: 0, pause: null, total: { successRate: 1 } },
    });
    const state = async (of: string) => (await get(of)).body.state;
    const dead = { id, state: 'failing', failingSince: items[0].failingSince };
    expect((await get(self)).body).toMatchObject(dead);
    expect([await state(well.self), await state(off.self)]).toEqual(['active', 'disabled']);
    const listed = async (query: string) =>
      (await get(`/hooks?${query}`)).body.items.map((one: { id: string }) => one.id);
    expect(await listed('state=failing')).toEqual([id]);
    expect(await listed('state=active&search=127.0.0.1')).toEqual([well.id]);
    expect(await listed('state=disabled&limit=1')).toEqual([off.id]);
    expect((await get('/hooks?state=dead', 400)).body.errors).toMatchObject([{ field: 'state' }]);
    const overview = (await get('/hooks/overview')).body;
    expect(overview).toMatchObject({
      endpoints: 3,
      items: [
        { ...dead, lastDay: { attempts: 2, failed: 1, failedAt: items[0].failingSince } },
        { id: off.id, state: 'disabled', lastDay: { attempts: 0, failed: 0, failedAt: null } },
        { id: well.id, state: 'active', lastDay: { attempts: 2, failed: 0, failedAt: null } },
      ],
      figures: { by: 'hour', total: { attempts: 4, failed: 1 } },
    });
    const [lastDay] = overview.items.map((one: { lastDay: object }) => one.lastDay);
    const countedSince = expect.stringMatching(/Z$/);
    expect(lastDay).toMatchObject({ attempts: 2, failed: 1, countedSince });
    expect((await get('/hooks?figures=lastDay')).body.items).toMatchObject([
      { ...dead, lastDay, disablesAt: null },
      { id: well.id, lastDay: { attempts: 2, failed: 0, failedAt: null, countedSince } },
      { id: off.id, lastDay: { attempts: 0, failed: 0, failedAt: null, countedSince } },
    ]);
    expect((await get(`${self}?figures=lastDay`)).body).toMatchObject({ id, lastDay });
    expect((await get(self)).body).not.toHaveProperty('lastDay');
    for (const path of ['/hooks?figures=all', `${self}?figures=all`]) {
      expect((await get(path, 400)).body.errors).toMatchObject([{ field: 'figures' }]);
    }
    await call('PATCH', self, 200, { body: { description: 'Warehouse' } });
    expect((await get(`${self}/deliveries`)).body.items).toMatchObject([
      { url: receiver.url, description: 'Warehouse', status: 'failed', pause: null },
      { url: receiver.url, description: 'Warehouse', status: 'succeeded', pause: null },
    ]);
    const strategy = api.app.get<OutboxStrategy>(DispatchStrategy);
    await strategy.pause('*');
    expect((await get(`${well.self}/stats?days=1`)).body.pause).toEqual({
      reason: 'operator',
      until: null,
    });
    await emit('order.paid');
    await vi.waitFor(async () => {
      const [waiting] = (await get(`${self}/deliveries`)).body.items;
      const pause = { reason: 'operator', until: null };
      expect(waiting).toMatchObject({ status: 'pending', attemptCount: 0, pause });
    });
    const { items: waiting } = (await get('/hooks/deliveries?status=pending')).body;
    for (const one of waiting) await post(`${one.self}/cancel`, {});
    await strategy.resume('*');
    owner = 'somebody else';
    expect((await get('/hooks/health')).body).toEqual({
      endpoints: 0,
      failing: 0,
      disabled: 0,
      items: [],
    });
    expect((await get('/hooks/overview')).body).toMatchObject({ endpoints: 0, items: [] });
    clock.advance(120_000);
    await other.stop();
  });

  it('counts the attempts of all subscribers, by hour and by day', async () => {
    const { body: second } = await post('/hooks', { url: receiver.url, events: ['order.*'] }, 201);
    receiver.answer(404, 500);
    await emit('article.created');
    await settled();
    await emit('article.changed');
    await settled();
    clock.advance(60 * 60_000);
    await emit('order.paid');
    await settled();
    const { body } = await get('/hooks/stats');
    const none = { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, timeout: 0, error: 0 };
    expect(body).toMatchObject({ by: 'hour', countedSince: body.since });
    expect(body.total).toEqual({
      ...{ attempts: 4, succeeded: 2, failed: 2 },
      answers: { ...none, '2xx': 2, '4xx': 1, '5xx': 1 },
      ...{ p50: expect.any(Number), p95: expect.any(Number) },
    });
    expect(body.items).toHaveLength(25);
    expect(body.items.slice(-2)).toMatchObject([
      { attempts: 2, failed: 2, isComplete: true },
      { attempts: 2, succeeded: 2, answers: { ...none, '2xx': 2 } },
    ]);
    const hour = Math.floor(clock.now() / 3_600_000) * 3_600_000;
    expect(body.items.at(-1).at).toBe(new Date(hour).toISOString());
    expect(body.items[0]).toMatchObject({ attempts: 0, p50: null, p95: null });
    const seconds = (await get(`/hooks/stats?subscriber=${second.id}&by=day`)).body;
    expect(seconds).toMatchObject({ by: 'day', total: { attempts: 1, succeeded: 1 } });
    expect(seconds.items.length).toBeGreaterThan(29);
    const range = `since=${new Date(hour - 3_600_000).toISOString()}&until=${new Date(hour).toISOString()}`;
    expect((await get(`/hooks/stats?${range}`)).body).toMatchObject({
      total: { attempts: 2, failed: 2 },
      items: [{ attempts: 2 }],
    });
    await get('/hooks/stats?subscriber=sub_none', 404);
  });

  it('shows in the overview the endpoints that fail, however many and however old others are', async () => {
    const paths = Array.from({ length: 120 }, (_, at) => `/quiet-${at}`);
    for (const path of [...paths, '/late', '/dead']) {
      const events = path.startsWith('/quiet') ? ['stock.*.low'] : ['order.paid'];
      await api.subscribers.create({ url: receiver.url + path, events, owner });
    }
    await api.subscribers.update(id, { enabled: false }, { owner });
    // One fails at first, and then no more.
    for (const dead of [2, 1]) {
      receiver.otherwise(({ path }) => (path.endsWith('/dead') || dead === 2 ? 500 : 204));
      await emit('order.paid');
      await settled();
      clock.advance(1000);
    }
    const shown = await vi.waitFor(async () => {
      const { body } = await get('/hooks/overview');
      expect(body.items[0].state).toBe('failing');
      expect(body.items[1].state).toBe('active');
      return body;
    });
    expect([shown.endpoints, shown.items.length]).toEqual([123, 10]);
    expect(shown.items.slice(0, 4)).toMatchObject([
      { url: `${receiver.url}/dead`, state: 'failing', lastDay: { attempts: 2, failed: 2 } },
      { url: `${receiver.url}/late`, state: 'active', lastDay: { attempts: 2, failed: 1 } },
      { id, state: 'disabled', lastDay: { attempts: 0, failed: 0, failedAt: null } },
      { url: `${receiver.url}/quiet-0`, state: 'active', lastDay: { attempts: 0 } },
    ]);
    // What is said of each is a part of what is said of all.
    expect(shown.figures.total).toMatchObject({ attempts: 4, failed: 3 });
    const [dead, late] = shown.items;
    expect(Date.parse(dead.lastDay.failedAt) - Date.parse(late.lastDay.failedAt)).toBe(1000);
  });

  it('shows which of the latest messages a filter lets through', async () => {
    await emit('order.paid', { price: 5 });
    clock.advance(1);
    await emit('article.created', { price: 20 });
    clock.advance(1);
    await emit('order.paid', { price: 30 });
    await api.app.get(WebhookDispatcher).send('order.paid', { price: 99 }, { owner: 'somebody' });
    await settled();
    const preview = async (body: object) => (await post('/hooks/filter-preview', body)).body;
    const filter = { price: { gt: 10 } };
    const all = await preview({ filter });
    const mine = all.items.filter(({ event }: Shown) => event !== 'thorn.ping').slice(0, 3);
    expect(mine).toMatchObject([
      { event: 'order.paid', passes: true, time: expect.stringMatching(/Z$/) },
      { event: 'article.created', passes: true },
      { event: 'order.paid', passes: false },
    ]);
    expect(mine[0].messageId).toMatch(/^msg_/);
    expect(all.warnings).toEqual([]);
    const orders = await preview({ filter, events: ['order.*'] });
    expect(orders).toMatchObject({ passed: 1 });
    expect(orders.items.map(({ passes }: { passes: boolean }) => passes)).toEqual([true, false]);
    expect((await preview({ filter, exclude: ['order.*'] })).items).toHaveLength(1);
    expect(await preview({})).toMatchObject({ passed: 3 });
    clock.advance(1);
    for (let n = 0; n < 60; n++) await emit('article.changed', {});
    await settled();
    const latest = await preview({ filter });
    expect([latest.items.length, latest.passed]).toEqual([50, 0]);
    const before = await api.subscribers.list({ limit: 10 }, { owner });
    expect(before.items).toHaveLength(1);
  });

  it('lists the events for subscriptions', async () => {
    const { items } = (await get('/hooks/event-types')).body;
    expect(items).toHaveLength(5);
    const facts = { name: 'article.created', description: 'An article is new' };
    const listed = { ...facts, deprecated: false, replacedBy: null, changed: null };
    expect(items[0]).toEqual(listed);
    expect((await get('/hooks/event-types/article.created')).body).toEqual({
      ...listed,
      schema: { type: 'object', properties: { title: { type: 'string' } } },
      example: { title: 'Hello' },
    });
    const withField = await get(`/hooks/event-types/${encodeURIComponent('stock.{sku}.low')}`);
    expect(withField.body).toMatchObject({ schema: null, example: null });
    for (const name of ['nothing.here', 'stock.7.low', '%00', '__proto__', 'thorn.ping']) {
      await get(`/hooks/event-types/${name}`, 404);
    }
  });

  it('rejects a change of a subscriber that has changed since it was read', async () => {
    const tag = (await get(self)).headers.get('etag')!;
    expect(tag).toMatch(/^"[\w-]{22}"$/);
    const change = (description: string, ifMatch: string, status: number) =>
      call('PATCH', self, status, { body: { description }, headers: { 'if-match': ifMatch } });

    const changed = await change('one', tag, 200);
    const next = changed.headers.get('etag')!;
    expect(next).not.toBe(tag);
    expect((await change('two', tag, 412)).body).toMatchObject({ title: 'Precondition Failed' });
    await change('two', `W/${next}`, 412);
    await post(`${self}/disable`, {}, 412, { 'if-match': tag });
    await post(`${self}/rotate-secret`, {}, 412, { 'if-match': tag });
    await call('DELETE', self, 412, { headers: { 'if-match': tag } });
    await call('DELETE', self, 400, { headers: { 'if-match': 'without quotes' } });
    expect((await get(self)).body).toMatchObject({ description: 'one', enabled: true });
    await change('three', `"other", ${next}`, 200);
    const third = (await get(self)).headers.get('etag')!;
    await change('three', `W/${third}, "a,b"`, 412);
    await change('three', `, "a,b" ,, W/"c",${third} , `, 200);
    await change('four', '*', 200);
    const malformed = await change('five', 'without quotes', 400);
    expect(malformed.body.errors).toEqual([
      { field: 'If-Match', code: 'invalid', reason: 'must be the ETag of an earlier answer' },
    ]);

    const now = (await get(self)).headers.get('etag')!;
    const both = await Promise.all(
      ['six', 'seven'].map((description) =>
        api.send('PATCH', self, {
          as: 'nobody',
          body: { description },
          headers: { 'if-match': now },
        }),
      ),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);

    const last = (await get(self)).headers.get('etag')!;
    const rotated = await post(`${self}/rotate-secret`, {}, 200, { 'if-match': last });
    await call('DELETE', self, 204, { headers: { 'if-match': rotated.headers.get('etag')! } });
  });
});
