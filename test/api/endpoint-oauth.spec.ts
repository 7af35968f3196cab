import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clock, outbox, WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { AuthorizationServer, CLIENT, LIFETIME } from '../support/authorization-server.js';
import { sqliteAndPostgres, type TestDatabase } from '../support/databases.js';

const PATIENCE = { timeout: 30_000, interval: 50 };

describe.each(sqliteAndPostgres)('client credentials of OAuth on $database', ({ create }) => {
  let store: TestDatabase;
  let receiver: ScriptedReceiver;
  let authorization: AuthorizationServer;
  let api: Api;
  beforeEach(async () => {
    store = await create();
    receiver = await ScriptedReceiver.start();
    authorization = await AuthorizationServer.start();
  });
  afterEach(async () => {
    await api.app.close();
    await receiver.stop();
    await authorization.stop();
    await store.drop();
  });

  /** @returns the path of a subscriber that authenticates itself by tokens */
  async function subscribe(
    retries: readonly number[] = [1000],
    fields = {},
    options = {},
  ): Promise<string> {
    api = await startApi('express', {
      store,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        clock: MovableClock,
        retries: { schedule: retries, jitter: 0 },
        ...options,
      },
    });
    const auth = { ...CLIENT, tokenUrl: authorization.tokenUrl };
    const body = { url: receiver.url, events: ['article.*'], auth, ...fields };
    const created = await api.send('POST', '/hooks', { body });
    expect(created).toMatchObject({ status: 201, body: { auth: { type: 'oauth2' } } });
    return created.body.self;
  }
  const send = () => api.app.get(WebhookDispatcher).send('article.created', { title: 'Hello' });
  const advance = (milliseconds: number) => api.app.get<MovableClock>(Clock).advance(milliseconds);
  const deliveryWith = (self: string, expected: object) =>
    vi.waitFor(async () => {
      const [one] = (await api.send('GET', `${self}/deliveries`)).body.items;
      const { body } = await api.send('GET', one.self);
      expect(body).toMatchObject(expected);
      return body;
    }, PATIENCE);
  const tokens = () => receiver.received.map(({ headers }) => headers['authorization']);

  it('uses a token until shortly before its end', async () => {
    await subscribe();
    await send();
    await receiver.waitFor(1);
    await send();
    await receiver.waitFor(2);
    expect(authorization.requests).toBe(1);

    advance(LIFETIME * 1000 - 1000);
    await send();
    await receiver.waitFor(3);
    const [first, second, third] = tokens();
    expect(first).toMatch(/^Bearer [\w-]{20,}$/);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    expect(authorization.requests).toBe(2);
  });

  it('renews a token once that the endpoint refuses, within the attempt', async () => {
    const self = await subscribe();
    receiver.answer(401);
    await send();
    const { attempts } = await deliveryWith(self, { status: 'succeeded' });
    expect(attempts).toMatchObject([{ number: 1, status: 204 }]);
    const [first, second] = tokens();
    expect(second).not.toBe(first);
    expect(authorization.requests).toBe(2);
  });

  it('fails the attempt when the endpoint refuses the new token as well', async () => {
    const self = await subscribe([]);
    receiver.otherwise(401);
    await send();
    await deliveryWith(self, { reason: 'exhausted', attempts: [{ status: 401 }] });
    expect(receiver.received).toHaveLength(2);
    expect(authorization.requests).toBe(2);
  });

  it.each([
    ['answers 500', 500, '{"error":"server_error a-secret-text"}', '(500)'],
    ['refuses the client', 401, '{"error":"invalid_client"}', '(401 invalid_client)'],
    ['redirects', 302, '', '(302)'],
    ['answers nonsense', 200, '<html>a-secret-text', '(no access_token in its answer)'],
    [
      'gives a token of another type',
      ...([200, '{"access_token":"a-secret-text","token_type":"mac"}'] as const),
      '(no token_type Bearer in its answer)',
    ],
    [
      'gives a token that is no header',
      ...([200, '{"access_token":"a-secret-text\\r\\nX: y","token_type":"Bearer"}'] as const),
      '(no access_token in its answer)',
    ],
    ['never ends', 200, 'a-secret-text'.repeat(5000), '(no access_token in its answer)'],
  ])('fails the attempt when the token endpoint %s', async (_, status, body, why) => {
    const self = await subscribe();
    authorization.instead = (response) =>
      response.writeHead(status, { Location: receiver.url }).end(body);
    await send();
    const failed = await deliveryWith(self, { attempts: [{ error: { code: 'oauth-token' } }] });
    expect(failed).toMatchObject({ status: 'pending', attempts: [{ status: null }] });
    expect(failed.attempts[0].error.message).toBe(`The token endpoint gave no token ${why}.`);
    expect(JSON.stringify(failed)).not.toContain('a-secret-text');
    expect(receiver.received).toEqual([]);

    authorization.instead = undefined;
    advance(1500);
    await deliveryWith(self, { status: 'succeeded', attempts: [{}, { status: 204 }] });
  });

  it('fails for good when no token came for the last attempt', async () => {
    const self = await subscribe([]);
    authorization.instead = (response) => response.writeHead(503).end();
    await send();
    await deliveryWith(self, {
      ...{ status: 'failed', reason: 'exhausted' },
      attempts: [{ error: { code: 'oauth-token' } }],
    });
    expect(receiver.received).toEqual([]);
  });

  it('waits for a silent token endpoint no longer than for a request', async () => {
    const self = await subscribe([], { timeout: 1000 });
    authorization.instead = () => undefined;
    await send();
    const { attempts } = await deliveryWith(self, { reason: 'exhausted' });
    expect(attempts).toMatchObject([{ error: { code: 'oauth-token' } }]);
    expect(attempts[0].duration).toBeLessThan(10_000);
    expect(receiver.received).toEqual([]);
  });

  it('asks no failing token endpoint twice within a second', async () => {
    const self = await subscribe([60_000]);
    authorization.instead = (response) => response.writeHead(503).end();
    const failed = { attempts: [{ error: { code: 'oauth-token' } }] };
    await send();
    await deliveryWith(self, failed);
    advance(900);
    await send();
    await vi.waitFor(async () => {
      const { items } = (await api.send('GET', `${self}/deliveries`)).body;
      expect(items).toMatchObject([{ attemptCount: 1 }, { attemptCount: 1 }]);
    }, PATIENCE);
    expect(authorization.requests).toBe(1);

    authorization.instead = undefined;
    advance(200);
    await send();
    await deliveryWith(self, { status: 'succeeded' });
    expect(authorization.requests).toBe(2);
  });

  it('delivers to others on the host while deliveries wait for a silent token endpoint', async () => {
    const perHost = 64;
    await subscribe(
      [1000],
      {},
      { dispatch: outbox({ pollInterval: 25, perHost, window: perHost }) },
    );
    const other = { url: receiver.url, events: ['order.*'] };
    expect(await api.send('POST', '/hooks', { body: other })).toMatchObject({ status: 201 });
    let release: () => void = () => undefined;
    authorization.hold = new Promise((resolve) => (release = resolve));
    for (let at = 0; at < 2 * perHost; at++) await send();
    await vi.waitFor(() => expect(authorization.requests).toBe(1), PATIENCE);
    await api.app.get(WebhookDispatcher).send('order.paid', { total: 5 });
    // Less than the 15 seconds that the token endpoint has.
    await receiver.waitFor(1, { timeout: 8000 });
    expect(receiver.received).toMatchObject([{ event: 'order.paid' }]);

    release();
    await receiver.waitFor(2 * perHost + 1, { timeout: 60_000 });
    expect(authorization.requests).toBe(1);
  });

  it('sends what waits for a token before the application is closed', async () => {
    await subscribe();
    let release: () => void = () => undefined;
    authorization.hold = new Promise((resolve) => (release = resolve));
    await send();
    await vi.waitFor(() => expect(authorization.requests).toBe(1), PATIENCE);
    const closing = api.app.close();
    release();
    await closing;
    expect(receiver.received).toHaveLength(1);
  });

  it('asks once for 1,000 deliveries that wait', async () => {
    await subscribe();
    let release: () => void = () => undefined;
    authorization.hold = new Promise((resolve) => (release = resolve));
    for (let at = 0; at < 1000; at++) await send();
    expect(receiver.received).toEqual([]);
    release();
    await receiver.waitFor(1000, { timeout: 60_000 });
    expect(new Set(tokens()).size).toBe(1);
    expect(authorization.requests).toBe(1);
  });
});
