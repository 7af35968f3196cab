import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Clock, Deliveries, type ThornApiOptions, WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, owners, platforms, startApi } from '../support/apps/api-app.js';
import { type TestDatabase, sqliteAndPostgres } from '../support/databases.js';

const body = (host = 'example.com') => ({ url: `https://${host}/`, events: ['article.*'] });
const clean: (() => unknown)[] = [];

afterEach(async () => {
  for (const one of clean.splice(0).reverse()) await one();
});

async function start(
  platform: (typeof platforms)[number],
  api: Partial<ThornApiOptions> = {},
  store?: TestDatabase,
): Promise<Api> {
  const started = await startApi(platform, {
    api: { ...owners, ...api },
    thorn: { clock: MovableClock, recipients: LOOPBACK_RECIPIENTS },
    ...(store && { store }),
  });
  clean.push(() => started.app.close());
  return started;
}

describe.each(platforms)('limits on %s', (platform) => {
  it('rejects rate limits above that of the operator', async () => {
    const api = await start(platform, { limits: { deliveriesPerMinute: 60 } });
    const create = (rateLimit?: unknown) =>
      api.send('POST', '/hooks', { body: { ...body(), rateLimit } });
    const refused = { status: 400, body: { errors: [{ field: 'rateLimit' }] } };

    const byDefault = await create();
    expect(byDefault.body.rateLimit).toEqual({ max: 60, per: 60_000 });
    const slower = await create({ max: 1, per: 1000 });
    expect(slower.body.rateLimit).toEqual({ max: 1, per: 1000 });
    expect(await create({ max: 2, per: 1000 })).toMatchObject(refused);
    expect(await create(null)).toMatchObject(refused);
    const change = (rateLimit: unknown) =>
      api.send('PATCH', slower.body.self, { body: { rateLimit } });
    expect(await change({ max: 61, per: 60_000 })).toMatchObject(refused);
    expect(await change(null)).toMatchObject(refused);
    // An hour's worth in its first minute.
    expect(await change({ max: 3600, per: 3_600_000 })).toMatchObject(refused);
    expect((await change({ max: 60, per: 3_600_000 })).status).toBe(200);
    expect(await change({ max: 10, per: 60_000 })).toMatchObject({
      status: 200,
      body: { rateLimit: { max: 10, per: 60_000 } },
    });
  });

  it('accepts, changes and removes a rate limit, and names the field of an invalid one', async () => {
    const api = await start(platform);
    const { body: created } = await api.send('POST', '/hooks', { body: body() });
    expect(created.rateLimit).toBeNull();
    const change = (rateLimit: unknown) => api.send('PATCH', created.self, { body: { rateLimit } });
    expect((await change({ max: 5, per: 1000 })).body.rateLimit).toEqual({ max: 5, per: 1000 });
    for (const wrong of [
      5,
      [],
      {},
      { max: 5 },
      { max: 0, per: 1000 },
      { max: 1.5, per: 1000 },
      { max: 1_000_001, per: 1000 },
      { max: 5, per: 999 },
      { max: 5, per: 3_600_001 },
      { max: '5', per: 1000 },
      { max: 5, per: 1000, burst: 5 },
    ]) {
      const answer = await change(wrong);
      expect(answer, JSON.stringify(wrong)).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'rateLimit' }] },
      });
    }
    expect((await api.send('GET', created.self)).body.rateLimit).toEqual({ max: 5, per: 1000 });
    expect((await change(null)).body.rateLimit).toBeNull();
  });

  it('limits the subscribers of an owner, in all and of one host', async () => {
    const api = await start(platform, {
      limits: { subscribersPerOwner: 3, subscribersPerHost: 2 },
    });
    const create = (host: string, as: 'alice' | 'bob' = 'alice') =>
      api.send('POST', '/hooks', { as, body: body(host) });

    expect((await create('a.example.com')).status).toBe(201);
    const second = await create('a.example.com');
    expect(second.status).toBe(201);
    expect(await create('a.example.com')).toMatchObject({
      status: 409,
      body: { title: 'Conflict', status: 409, errors: [{ field: 'url' }] },
    });
    const third = await create('b.example.com');
    expect(third.status).toBe(201);
    const fourth = await create('c.example.com');
    expect(fourth).toMatchObject({ status: 409, body: { title: 'Conflict' } });
    expect(fourth.body.errors).toBeUndefined();
    const move = { body: { url: 'https://a.example.com/other' } };
    expect(await api.send('PATCH', third.body.self, move)).toMatchObject({
      status: 409,
      body: { errors: [{ field: 'url' }] },
    });
    expect((await create('a.example.com', 'bob')).status).toBe(201);

    await api.send('DELETE', second.body.self);
    expect((await create('c.example.com')).status).toBe(201);
    expect((await api.send('PATCH', third.body.self, move)).status).toBe(200);
  });

  it('has limits by default', async () => {
    const api = await start(platform);
    const create = (host: string) => api.send('POST', '/hooks', { body: body(host) });
    for (let at = 0; at < 10; at++) expect((await create('a.example.com')).status).toBe(201);
    expect((await create('a.example.com')).status).toBe(409);
    for (let at = 10; at < 100; at++) await create(`host-${at}.example.com`);
    expect((await create('b.example.com')).status).toBe(409);
    expect((await api.subscribers.list({ limit: 1000 }, 'any')).items).toHaveLength(100);
  });

  it.each(sqliteAndPostgres)(
    'accepts one of two requests for the last place, on $database',
    async ({ create }) => {
      const store = await create();
      clean.push(() => store.drop());
      const api = await start(platform, { limits: { subscribersPerOwner: 2 } }, store);
      await api.send('POST', '/hooks', { body: body('a.example.com') });

      const answers = await Promise.all(
        ['b', 'c'].map((host) => api.send('POST', '/hooks', { body: body(`${host}.example.com`) })),
      );

      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
      expect((await api.subscribers.list({ limit: 10 }, { owner: 'alice' })).items).toHaveLength(2);
    },
  );

  it('accepts bodies up to a size', async () => {
    const api = await start(platform, { limits: { bodyBytes: 2000 } });
    const sized = (bytes: number) => {
      const text = JSON.stringify({ ...body(), description: '' });
      return Buffer.from(text.slice(0, -2) + 'x'.repeat(bytes - text.length) + text.slice(-2));
    };
    for (const [path, method] of [
      ['/hooks', 'POST'],
      ['/hooks/sub_1', 'PATCH'],
      ['/hooks/sub_1/test', 'POST'],
      ['/hooks/sub_1/recover', 'POST'],
    ] as const) {
      expect(await api.send(method, path, { body: sized(2001) })).toMatchObject({
        status: 413,
        body: { status: 413, detail: expect.stringContaining('2000') },
      });
    }
    expect((await api.send('POST', '/hooks', { body: sized(1000) })).status).toBe(201);
    expect(await chunked(`${api.url}/hooks`, sized(2001))).toBe(413);
    expect((await api.subscribers.list({ limit: 10 }, 'any')).items).toHaveLength(1);
  });

  it('measures the content of a compressed body', async () => {
    const api = await start(platform, { limits: { bodyBytes: 2000 } });
    const packed = (bytes: number) => gzipSync(JSON.stringify({ event: 'x'.repeat(bytes) }));
    const send = (bytes: number) =>
      api.send('POST', '/hooks/sub_1/test', {
        body: packed(bytes),
        headers: { 'content-encoding': 'gzip' },
      });
    expect(packed(90_000).length).toBeLessThan(2000);
    // Fastify takes no compressed bodies on its own.
    expect((await send(90_000)).status).toBe(platform === 'express' ? 413 : 400);
    expect((await send(1000)).status).toBe(platform === 'express' ? 404 : 400);
  });

  it('rejects bodies that are nested too deeply, in every content type', async () => {
    const api = await start(platform, { receivers: true });
    const { body: mine } = await api.send('POST', '/hooks', { body: body() });
    const deep = '['.repeat(20_000) + ']'.repeat(20_000);
    const paths = ['/hooks', `${mine.self}/test`, `${mine.self}/recover`];
    for (const path of paths) {
      for (const [field, text] of [
        ['event', `{"event":${deep}}`],
        ['nothing', `{"nothing":${deep}}`],
        ['body', deep],
      ] as const) {
        const keyed = {
          body: Buffer.from(text),
          headers: { 'idempotency-key': `${path} ${field}` },
        };
        expect(await api.send('POST', path, keyed)).toMatchObject({
          status: 400,
          body: { errors: [{ field }] },
        });
        expect(await chunked(api.url + path, Buffer.from(text))).toBe(400);
      }
    }
  });

  it('accepts 64 KiB by default', async () => {
    const api = await start(platform);
    const text = (bytes: number) => Buffer.from(`{"a":"${'x'.repeat(bytes - 8)}"}`);
    expect((await api.send('POST', '/hooks', { body: text(65_537) })).status).toBe(413);
    expect((await api.send('POST', '/hooks', { body: text(65_536) })).status).toBe(400);
  });

  it('limits the tests of an owner per minute, and says when the next may be sent', async () => {
    const receiver = await ScriptedReceiver.start();
    clean.push(() => receiver.stop());
    const api = await start(platform, { limits: { testsPerMinute: 2 } });
    const subscribe = async (as: 'alice' | 'bob') =>
      (await api.send('POST', '/hooks', { as, body: { ...body(), url: receiver.url } })).body.self;
    const [one, other, bobs] = [
      await subscribe('alice'),
      await subscribe('alice'),
      await subscribe('bob'),
    ];
    const test = (self: string, as: 'alice' | 'bob' = 'alice') =>
      api.send('POST', `${self}/test`, { as, body: {} });

    expect((await test(one)).status).toBe(200);
    expect((await test(other)).status).toBe(200);
    const refused = await test(one);
    expect(refused).toMatchObject({ status: 429, body: { title: 'Too Many Requests' } });
    expect(refused.headers.get('retry-after')).toBe('30');
    expect((await test(bobs, 'bob')).status).toBe(200);
    expect(receiver.received).toHaveLength(3);

    api.app.get<MovableClock>(Clock).advance(30_000);
    expect((await test(one)).status).toBe(200);
    expect((await test(one)).status).toBe(429);
    expect(receiver.received).toHaveLength(4);
  });
});

describe.each(platforms)('the challenge on %s', (platform) => {
  /** An endpoint that answers in a way of its own. */
  async function endpoint(answer: (token: string) => { status?: number; body: string }) {
    const seen: { event: string; path: string; signed: boolean }[] = [];
    let current = answer;
    const server: Server = createServer(async (incoming, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const { type, data } = JSON.parse(Buffer.concat(chunks).toString());
      seen.push({
        event: type,
        path: incoming.url!,
        signed: incoming.headers['webhook-signature'] !== undefined,
      });
      const { status = 200, body: text } = current(data.token ?? '');
      response.writeHead(status).end(text);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    clean.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
      seen,
      answers: (next: typeof answer) => (current = next),
    };
  }
  const silent = () => ({ body: 'ok' });
  const echo = (token: string) => ({ body: token });

  it.each<[string, Parameters<typeof endpoint>[0], boolean]>([
    ['the token', echo, true],
    ['the token on a line', (token) => ({ body: `${token}\n` }), true],
    ['the token in JSON', (token) => ({ body: JSON.stringify({ token }) }), true],
    ['a 201', (token) => ({ status: 201, body: token }), true],
    ['nothing', () => ({ body: '' }), false],
    ['a part of it', (token) => ({ body: token.slice(1) }), false],
    ['more than it', (token) => ({ body: `${token}${token}` }), false],
    ['another', () => ({ body: JSON.stringify({ token: 'another' }) }), false],
    ['JSON without it', () => ({ body: 'null' }), false],
    ['a 400 with it', (token) => ({ status: 400, body: token }), false],
  ])('is passed or failed by %s', async (_, answer, isPassed) => {
    const api = await start(platform, { challenge: true });
    const { url, seen } = await endpoint(answer);

    const created = await api.send('POST', '/hooks', { body: { ...body(), url } });

    const state = isPassed ? 'active' : 'unverified';
    expect(created).toMatchObject({ status: 201, body: { enabled: true, state } });
    expect((await api.send('GET', created.body.self)).body.state).toBe(state);
    expect(seen).toEqual([{ event: 'thorn.challenge', path: '/hooks', signed: true }]);
    expect(JSON.stringify(created.body)).not.toContain('token');
  });

  it.each(sqliteAndPostgres)(
    'sends no message to a subscriber that has not passed it, on $database',
    async ({ create }) => {
      const store = await create();
      clean.push(() => store.drop());
      const api = await start(platform, { challenge: true }, store);
      const { url, seen, answers } = await endpoint(silent);
      const dispatcher = api.app.get(WebhookDispatcher);
      const { body: created } = await api.send('POST', '/hooks', { body: { ...body(), url } });
      const logged = async () => (await api.app.get(Deliveries).list({}, 'any')).items;

      await dispatcher.send('article.created');
      // Else the worker might find that the challenge was passed.
      await vi.waitFor(async () =>
        expect(await api.app.get(Deliveries).stats()).toMatchObject({ pendingMessages: 0 }),
      );
      expect(await api.send('POST', `${created.self}/test`, { body: {} })).toMatchObject({
        status: 409,
      });
      await api.send('POST', `${created.self}/disable`, { body: {} });
      const enabled = await api.send('POST', `${created.self}/enable`, { body: {} });
      expect(enabled.body.state).toBe('unverified');
      const again = await api.send('POST', `${created.self}/challenge`, { body: {} });
      expect(again).toMatchObject({ status: 200, body: { state: 'unverified' } });

      answers(echo);
      const passed = await api.send('POST', `${created.self}/challenge`, { body: {} });
      expect(passed).toMatchObject({ status: 200, body: { state: 'active' } });
      const repeated = await api.send('POST', `${created.self}/challenge`, { body: {} });
      expect(repeated).toMatchObject({ status: 200, body: { state: 'active' } });
      await dispatcher.send('article.created');
      await vi.waitFor(async () => expect(await logged()).toMatchObject([{ status: 'succeeded' }]));
      expect(seen.map(({ event }) => event)).toEqual([
        'thorn.challenge',
        'thorn.challenge',
        'thorn.challenge',
        'article.created',
      ]);
    },
  );

  it('is sent again for another URL, and not for the same', async () => {
    const api = await start(platform, { challenge: true });
    const first = await endpoint(echo);
    const second = await endpoint(silent);
    const create = { body: { ...body(), url: first.url } };
    const { body: created } = await api.send('POST', '/hooks', create);

    const same = await api.send('PATCH', created.self, {
      body: { url: first.url, description: 'the same' },
    });
    expect(same.body.state).toBe('active');
    expect(first.seen).toHaveLength(1);
    const moved = await api.send('PATCH', created.self, { body: { url: second.url } });
    expect(moved.body.state).toBe('unverified');
    expect(second.seen).toHaveLength(1);
    await api.app.get(WebhookDispatcher).send('article.created');
    expect([first.seen.length, second.seen.length]).toEqual([1, 1]);
    const back = await api.send('PATCH', created.self, { body: { url: first.url } });
    expect(back.body.state).toBe('active');
  });

  it('counts no change of a subscriber by its key, and asks its new URL for consent', async () => {
    const limits = { subscribersPerOwner: 1, subscribersPerHost: 1, testsPerMinute: 10 };
    const api = await start(platform, { limits, challenge: true });
    const { url, seen } = await endpoint(silent);
    const other = await endpoint(silent);
    const post = (given: object) => api.send('POST', '/hooks', { body: { ...body(), ...given } });
    const unverified = { state: 'unverified' };
    expect(await post({ url, key: 'a' })).toMatchObject({ status: 201, body: unverified });
    const moved = await post({ url: other.url, key: 'a' });
    expect(moved).toMatchObject({ status: 200, body: { ...unverified, url: other.url } });
    expect([seen.length, other.seen.length]).toEqual([1, 1]);
    expect((await post({ url, key: 'b' })).status).toBe(409);
  });

  it('counts as a test, so that no endpoint is flooded with challenges', async () => {
    const api = await start(platform, { challenge: true, limits: { testsPerMinute: 2 } });
    const { url, seen } = await endpoint(silent);
    for (let at = 0; at < 4; at++) {
      const created = await api.send('POST', '/hooks', { body: { ...body(), url } });
      expect(created.body.state).toBe('unverified');
      const asked = await api.send('POST', `${created.body.self}/challenge`, { body: {} });
      expect(asked.status).toBe(at === 0 ? 200 : 429);
    }
    expect(seen).toHaveLength(2);
  });

  it('is not sent unless the application asks for it', async () => {
    const api = await start(platform);
    const { url, seen } = await endpoint(silent);
    const created = await api.send('POST', '/hooks', { body: { ...body(), url } });
    expect(created.body.state).toBe('active');
    const asked = await api.send('POST', `${created.body.self}/challenge`, { body: {} });
    expect(asked).toMatchObject({ status: 200, body: { state: 'active' } });
    expect(seen).toEqual([]);
  });
});

/** The status of a POST whose body comes in chunks, without a length. */
function chunked(url: string, text: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: 'Bearer alice-token',
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
    };
    const outgoing = request(url, { method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    outgoing.on('error', reject);
    outgoing.write(text.subarray(0, 10));
    outgoing.end(text.subarray(10));
  });
}
