import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type FormatInput,
  type FormatRules,
  type FormattedRequest,
  WebhookFormat,
} from '../../lib/extending/index.js';
import { Clock, Deliveries, Subscribers, WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, owners, startApi } from '../support/apps/api-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';

/** A form with rules of its own, as receivers of other products have them. */
class ChatFormat extends WebhookFormat {
  override readonly rules: FormatRules;

  constructor(rules: FormatRules = {}) {
    super();
    this.rules = rules;
  }

  request({ event, data, subscriber }: FormatInput): FormattedRequest {
    const text = `${event} ${JSON.stringify(data)}`;
    if (text.includes('isBroken')) throw new Error('There is no such form');
    return {
      body: JSON.stringify({ text }),
      headers: { 'X-Room': subscriber.metadata['room'] ?? 'none' },
    };
  }
}

describe('a subscriber with a format', () => {
  let store: TestDatabase;
  let receiver: ScriptedReceiver;
  let api: Api;
  let clock: MovableClock;
  beforeEach(async () => {
    store = await createDatabase('file');
    receiver = await ScriptedReceiver.start();
  });
  afterEach(async () => {
    await api.app.close();
    await receiver.stop();
    await store.drop();
  });

  async function open(rules: FormatRules = {}, challenge = false): Promise<void> {
    api = await startApi('express', {
      store,
      api: { ...owners, challenge },
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        clock: MovableClock,
        formats: { chat: new ChatFormat(rules) },
        signing: { hookHmac: true },
        subscribers: { 'order.paid': { url: receiver.url, format: 'chat' } },
      },
    });
    clock = api.app.get<MovableClock>(Clock);
  }
  const create = (fields: object = {}) =>
    api.send('POST', '/hooks', {
      body: {
        ...{ url: receiver.url, events: ['article.*'] },
        ...{ format: 'chat', metadata: { room: 'news' } },
        ...fields,
      },
    });
  const send = (data: object = { title: 'Hello' }) =>
    api.app.get(WebhookDispatcher).send('article.created', data);
  const deliveries = async (self: string) =>
    (await api.send('GET', `${self}/deliveries`)).body.items;
  const ended = (self: string) =>
    vi.waitFor(async () => {
      const [delivery] = await deliveries(self);
      expect(delivery?.status).toBe('failed');
      return (await api.send('GET', delivery.self)).body;
    });

  it('gets requests in its form, signed, without headers of the standard form', async () => {
    await open();
    const created = await create();
    expect(created.body).toMatchObject({ format: 'chat' });
    await send();
    const [webhook] = await receiver.waitFor(1);

    expect(webhook!.body.toString()).toBe('{"text":"article.created {\\"title\\":\\"Hello\\"}"}');
    expect(webhook!.headers).toMatchObject({
      'x-room': 'news',
      'content-type': 'application/json',
    });
    expect(Object.keys(webhook!.headers).filter((name) => name.startsWith('hook-'))).toEqual([]);
    new Webhook(created.body.secret).verify(
      webhook!.body,
      webhook!.headers as Record<string, string>,
    );
    const [delivery] = await vi.waitFor(async () => {
      const found = await deliveries(created.body.self);
      expect(found).toHaveLength(1);
      return found;
    });
    const request = await api.send('GET', `${delivery.self}/request`);
    expect(request.body.body).toBe(webhook!.body.toString());
  });

  it('has the standard form unless it names another, for good', async () => {
    await open();
    const created = await create({ format: undefined });
    expect(created.body.format).toBe('standard');
    const changed = await api.send('PATCH', created.body.self, { body: { format: 'chat' } });
    expect(changed.status).toBe(400);
    expect(changed.body.errors).toMatchObject([
      {
        ...{ field: 'format', code: 'unknown-field' },
        reason: expect.stringContaining('is given at the creation and stays as it is'),
      },
    ]);
    const unknown = await create({ format: 'slack' });
    expect(unknown.status).toBe(400);
    expect(unknown.body.errors).toMatchObject([
      { field: 'format', reason: 'must be one of standard, chat' },
    ]);
  });

  it('has the content type of its format alone', async () => {
    await open();
    const contentType = 'application/x-www-form-urlencoded';
    const refused = await create({ contentType });
    const { body } = await create();
    const changed = await api.send('PATCH', body.self, { body: { contentType } });
    for (const answer of [refused, changed]) {
      expect(answer.body.errors).toMatchObject([{ field: 'contentType' }]);
    }
    const changes = { contentType: 'application/json' };
    expect((await api.send('PATCH', body.self, { body: changes })).status).toBe(200);
  });

  it('has no request to show that its format cannot make', async () => {
    await open();
    const { body } = await create();
    await send({ isBroken: true });
    const delivery = await vi.waitFor(async () => {
      const [found] = await deliveries(body.self);
      expect(found).toMatchObject({ attemptCount: 1 });
      return found;
    });
    const request = (await api.send('GET', `${delivery.self}/request`)).body;
    expect(request).toMatchObject({ body: null, contentType: null });
    expect(request.missing).toMatchObject([
      { field: 'contentType', code: 'unreadable' },
      { field: 'body', code: 'unreadable' },
    ]);
  });

  it('is retried by the times of its format, and not after the last one', async () => {
    await open({ retries: [1000, 7000] });
    receiver.otherwise(500);
    const { body } = await create();
    await send();
    const startedAt = clock.now();
    await receiver.waitFor(1);
    for (const [count, delay] of [
      [2, 1200],
      [3, 8000],
    ] as const) {
      await vi.waitFor(async () => {
        const [delivery] = await deliveries(body.self);
        expect(delivery).toMatchObject({ attemptCount: count - 1, nextAt: expect.any(String) });
      });
      clock.advance(delay);
      await receiver.waitFor(count);
    }
    const { reason, attempts } = await ended(body.self);
    expect({ reason, requests: attempts.length }).toEqual({ reason: 'exhausted', requests: 3 });
    expect(clock.now() - startedAt).toBe(9200);
  });

  it.each([410, 413])('stays enabled after %i, which ends the delivery alone', async (status) => {
    await open({ endsDelivery: [410, 413] });
    receiver.otherwise(status);
    const { body } = await create();
    await send();
    expect(await ended(body.self)).toMatchObject({ reason: 'exhausted', attempts: [{ status }] });
    expect((await api.send('GET', body.self)).body.state).toBe('failing');
  });

  it('gets no body that is longer than its format allows', async () => {
    await open({ maxBytes: 100 });
    const { body } = await create();
    await send({ title: 'x'.repeat(100) });
    const delivery = await ended(body.self);
    expect(delivery).toMatchObject({ reason: 'exhausted' });
    expect(delivery.attempts).toMatchObject([{ status: null, error: { code: 'too-large' } }]);
    await send({ title: 'short' });
    expect(await receiver.waitFor(1)).toHaveLength(1);
  });

  it.each([
    ['pauses its host', true, 1],
    ['leaves its host to others', false, 2],
  ])('with 503 %s', async (_, pausesHost, requests) => {
    await open({ pausesHost });
    receiver.otherwise(503);
    await create({ events: ['article.created'] });
    await send();
    await receiver.waitFor(1);
    await vi.waitFor(async () => {
      expect(await api.app.get(Deliveries).stats()).toMatchObject({
        ...{ pendingMessages: 0, leased: 0 },
      });
    });
    receiver.otherwise(204);
    const other = await create({ format: 'standard', events: ['article.changed'] });
    await api.app.get(WebhookDispatcher).send('article.changed', {});
    await vi.waitFor(async () => {
      expect(receiver.received).toHaveLength(requests);
      const [delivery] = await deliveries(other.body.self);
      expect(delivery?.status).toBe(pausesHost ? 'pending' : 'succeeded');
    });
  });

  it('of known hosts is at one of them, and is not asked for consent', async () => {
    const { host } = new URL(receiver.url);
    await open({ hosts: [host] }, true);
    const refused = await create({ url: 'https://example.com/' });
    expect(refused.body.errors).toMatchObject([
      { field: 'url', reason: `must be at ${host} for the format "chat"` },
    ]);
    const { body } = await create();
    expect(body.state).toBe('active');
    const moved = await api.send('PATCH', body.self, { body: { url: 'https://example.com/' } });
    expect(moved.body.errors).toMatchObject([{ field: 'url' }]);
    const url = `${receiver.url}/other`;
    expect((await api.send('PATCH', body.self, { body: { url } })).body).toMatchObject({
      ...{ url, state: 'active' },
    });
    expect(receiver.received).toEqual([]);
  });

  it('of any host is asked in the standard form', async () => {
    await open({}, true);
    receiver.otherwise(({ body }) => ({
      body: JSON.stringify({
        token: (JSON.parse(body.toString()) as { data: { token: string } }).data.token,
      }),
    }));
    const { body } = await create();
    expect(body.state).toBe('active');
    expect(receiver.received.map(({ event }) => event)).toEqual(['thorn.challenge']);
  });

  it('may be named by settings', async () => {
    await open();
    await api.app.get(WebhookDispatcher).send('order.paid', { total: 5 });
    const [webhook] = await receiver.waitFor(1);
    expect(webhook!.body.toString()).toBe('{"text":"order.paid {\\"total\\":5}"}');
  });

  it('keeps its format in code, where the application may name one that owners cannot choose', async () => {
    await open();
    const subscribers = api.app.get(Subscribers);
    const { id } = await subscribers.create({ url: receiver.url, events: ['*'], format: 'chat' });
    expect(await subscribers.findById(id, 'any')).toMatchObject({ format: 'chat' });
  });
});
