import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clock, type EndpointAuth, WebhookDispatcher } from '../../lib/index.js';
import {
  LOOPBACK_RECIPIENTS,
  MovableClock,
  type ReceivedWebhook,
  ScriptedReceiver,
} from '../../lib/testing/index.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { sqliteAndPostgres, type TestDatabase } from '../support/databases.js';

const BEARER = { type: 'bearer', token: 'a-token-of-mine' } as const;
const BASIC = { type: 'basic', username: 'änn', password: 'pass:word ü' } as const;

describe.each(sqliteAndPostgres)('credentials of an endpoint on $database', ({ create }) => {
  let store: TestDatabase;
  let receiver: ScriptedReceiver;
  let api: Api;
  beforeEach(async () => {
    store = await create();
    receiver = await ScriptedReceiver.start();
    api = await startApi('express', {
      store,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        clock: MovableClock,
        encryption: { keys: [{ id: 'one', key: Buffer.alloc(32, 1) }] },
      },
    });
  });
  afterEach(async () => {
    await api.app.close();
    await receiver.stop();
    await store.drop();
  });

  const post = (fields: object) =>
    api.send('POST', '/hooks', {
      body: { url: receiver.url, events: ['article.*'], ...fields },
    });
  const patch = (self: string, body: object, headers = {}) =>
    api.send('PATCH', self, { body, headers });
  /** The request of the next message. */
  const next = async (): Promise<ReceivedWebhook> => {
    const before = receiver.received.length;
    await api.app.get(WebhookDispatcher).send('article.created', { title: 'Hello' });
    return (await receiver.waitFor(before + 1)).at(-1)!;
  };

  it('sends headers of the subscriber, whose values no answer shows', async () => {
    const created = await post({ headers: { 'X-Api-Key': 'k-123456789', Cookie: 'a=b' } });
    expect(created).toMatchObject({ status: 201, body: { headers: ['X-Api-Key', 'Cookie'] } });
    expect((await next()).headers).toMatchObject({ 'x-api-key': 'k-123456789', cookie: 'a=b' });

    const read = await api.send('GET', created.body.self);
    const listed = await api.send('GET', '/hooks');
    for (const answer of [created, read, listed]) {
      expect(JSON.stringify(answer.body)).not.toContain('k-123456789');
    }
    expect(read.body.headers).toEqual(['X-Api-Key', 'Cookie']);
  });

  it('changes the headers that a PATCH names and no other', async () => {
    const { self } = (await post({ headers: { 'X-One': 'first-one', 'X-Two': 'first-two' } })).body;
    const changed = await patch(self, {
      headers: { 'x-one': null, 'X-Three': 'third-one' },
    });
    expect(changed).toMatchObject({ status: 200, body: { headers: ['X-Two', 'X-Three'] } });
    const { headers } = await next();
    expect(headers).toMatchObject({ 'x-two': 'first-two', 'x-three': 'third-one' });
    expect(headers).not.toHaveProperty('x-one');

    const both = await Promise.all([
      patch(self, { headers: { 'X-Four': 'by-one' } }),
      patch(self, { headers: { 'X-Five': 'by-other' } }),
    ]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect((await next()).headers).toMatchObject({ 'x-four': 'by-one', 'x-five': 'by-other' });
  });

  it.each([
    [BEARER, 'Bearer a-token-of-mine'],
    [BASIC, `Basic ${Buffer.from('änn:pass:word ü').toString('base64')}`],
  ])('authenticates itself by $type', async (auth: EndpointAuth, authorization) => {
    const created = await post({ auth });
    expect(created.body.auth).toEqual({ type: auth.type });
    expect((await next()).headers['authorization']).toBe(authorization);
    const { self } = created.body;
    await patch(self, { description: 'x' });
    expect((await next()).headers['authorization']).toBe(authorization);

    expect((await patch(self, { auth: null })).body.auth).toBeNull();
    expect((await next()).headers).not.toHaveProperty('authorization');
  });

  it('keeps the members of the credentials that a PATCH leaves out', async () => {
    const { self } = (await post({ auth: BASIC })).body;
    const changed = await patch(self, { auth: { type: 'basic', password: 'another' } });
    expect(changed.status).toBe(200);
    const basic = `Basic ${Buffer.from('änn:another').toString('base64')}`;
    expect((await next()).headers['authorization']).toBe(basic);
    const refused = await patch(self, { auth: { type: 'bearer' } });
    expect(refused.body.errors).toMatchObject([
      { field: 'auth', reason: 'of the type bearer must have token as well' },
    ]);
    expect((await next()).headers['authorization']).toBe(basic);
  });

  it('replaces all of it with a POST that names the key of the subscriber', async () => {
    const key = 'crm';
    await post({ key, auth: BEARER, headers: { 'X-One': 'one-one' } });
    await post({ key, headers: { 'X-Two': 'two-two' } });
    const { headers } = await next();
    expect(headers).toMatchObject({ 'x-two': 'two-two' });
    expect(headers).not.toHaveProperty('x-one');
    expect(headers).not.toHaveProperty('authorization');
  });

  it('ends a request at the timeout of its subscriber', async () => {
    receiver.otherwise('hang');
    const { self } = (await post({ timeout: 1000 })).body;
    await api.app.get(WebhookDispatcher).send('article.created', {});
    const attempts = await vi.waitFor(
      async () => {
        const [delivery] = (await api.send('GET', `${self}/deliveries`)).body.items;
        const found = (await api.send('GET', delivery.self)).body.attempts;
        expect(found).toHaveLength(1);
        return found;
      },
      { timeout: 10_000 },
    );
    expect(attempts).toMatchObject([{ error: { code: 'timeout' } }]);
    expect(attempts[0].duration).toBeLessThan(5000);
    expect(api.app.get<MovableClock>(Clock)).toBeInstanceOf(MovableClock);
  });

  it('changes nothing by a PATCH with an old ETag', async () => {
    const created = await post({ headers: { 'X-One': 'one-one' }, auth: BEARER });
    const { self } = created.body;
    const old = created.headers.get('etag')!;
    await patch(self, { timeout: 2000 });
    for (const body of [
      { headers: { 'X-One': 'other' } },
      { auth: { type: 'bearer', token: 'other' } },
      { auth: null },
      { timeout: 3000 },
    ]) {
      expect((await patch(self, body, { 'If-Match': old })).status).toBe(412);
    }
    expect((await api.send('GET', self)).body.timeout).toBe(2000);
    expect((await next()).headers).toMatchObject({
      'x-one': 'one-one',
      authorization: 'Bearer a-token-of-mine',
    });
  });
});
