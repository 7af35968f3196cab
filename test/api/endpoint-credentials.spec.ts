import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clock, type EndpointAuth, WebhookDispatcher } from '../../lib/index.js';
import {
  LOOPBACK_RECIPIENTS,
  MovableClock,
  type ReceivedWebhook,
  ScriptedReceiver,
} from '../../lib/testing/index.js';
import { type Api, owners, startApi } from '../support/apps/api-app.js';
import { sqliteAndPostgres, type TestDatabase } from '../support/databases.js';

const BEARER = { type: 'bearer', token: 'a-token-of-mine' } as const;
const BASIC = { type: 'basic', username: 'änn', password: 'pass:word ü' } as const;

/** A part of each value that is refused. */
const HIDDEN = 'hidden-text';
const OAUTH = {
  ...{ type: 'oauth2', tokenUrl: 'https://example.com/token', clientId: 'me' },
  clientSecret: HIDDEN,
};

/** Fields that are refused, each by its name. */
const REFUSED: readonly { what: string; field: string; fields: Record<string, unknown> }[] = [
  ...[
    ...['Hook-Event', 'webhook-id', 'User-Agent', 'traceparent', 'TraceState', 'Host'],
    ...['Connection', 'Keep-Alive', 'Transfer-Encoding', 'Upgrade', 'TE', 'Trailer'],
    ...['Proxy-Authorization', 'Content-Type', 'content-length', 'Expect'],
  ].map((name) => ({
    ...{ what: `the header ${name}`, field: 'headers' },
    fields: { headers: { [name]: HIDDEN } },
  })),
  ...[
    ['a text', HIDDEN],
    ['null', null],
    ['a list', [HIDDEN]],
    ['a number as a value', { 'X-A': 1 }],
    ['an object as a value', { 'X-A': { [HIDDEN]: HIDDEN } }],
    ['an empty value', { 'X-A': '' }],
    ['a value with CR', { 'X-A': `${HIDDEN}\r` }],
    ['a value with LF', { 'X-A': `${HIDDEN}\nX-B: c` }],
    ['a value with NUL', { 'X-A': `${HIDDEN}\0` }],
    ['a value of other letters', { 'X-A': `${HIDDEN}ä` }],
    ['a value with a blank at its end', { 'X-A': `${HIDDEN} ` }],
    ['a whole line as a name', { [`Authorization: ${HIDDEN}`]: 'a' }],
    ['an empty name', { '': HIDDEN }],
    ['a name with LF', { 'X-A\nX-B': HIDDEN }],
    ['a long name', { ['X'.repeat(129)]: HIDDEN }],
    ['a long value', { 'X-A': HIDDEN.padEnd(3969, 'a') }],
    ['values that are long together', { 'X-A': HIDDEN.padEnd(2100, 'a'), 'X-B': 'b'.repeat(2100) }],
    ['a name twice', { 'X-A': HIDDEN, 'x-a': HIDDEN }],
    ['21 names', Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`X-${at}`, HIDDEN]))],
  ].map(([what, headers]) => ({
    what: `headers: ${what as string}`,
    field: 'headers',
    fields: { headers },
  })),
  {
    ...{ what: 'headers: Authorization beside auth', field: 'headers' },
    fields: { headers: { authorization: HIDDEN }, auth: BEARER },
  },
  ...[
    ['a text', HIDDEN],
    ['a list', [HIDDEN]],
    ['no type', { token: HIDDEN }],
    ['an unknown type', { type: HIDDEN }],
    ['a type of every object', { type: 'constructor' }],
    ['a missing token', { type: 'bearer' }],
    ['a number as a token', { type: 'bearer', token: 1 }],
    ['an empty token', { type: 'bearer', token: '' }],
    ['a token with a blank', { type: 'bearer', token: `${HIDDEN} a` }],
    ['a token with CR and LF', { type: 'bearer', token: `${HIDDEN}\r\nX: a` }],
    ['a long token', { type: 'bearer', token: HIDDEN.padEnd(4097, 'a') }],
    ['an unknown member', { type: 'bearer', token: HIDDEN, [HIDDEN]: 'a' }],
    ['a missing password', { type: 'basic', username: HIDDEN }],
    ['a username with a colon', { type: 'basic', username: `${HIDDEN}:`, password: 'a' }],
    ['a password with LF', { type: 'basic', username: 'a', password: `${HIDDEN}\n` }],
    ['a missing client secret', { ...OAUTH, clientSecret: undefined }],
    ['a token endpoint that is no URL', { ...OAUTH, tokenUrl: HIDDEN }],
    ['a private token endpoint', { ...OAUTH, tokenUrl: `http://10.0.0.1/?${HIDDEN}` }],
    ['another protocol', { ...OAUTH, tokenUrl: `ftp://example.com/${HIDDEN}` }],
    ['a client secret with CR', { ...OAUTH, clientSecret: `${HIDDEN}\r` }],
    ['a scope with LF', { ...OAUTH, scope: `${HIDDEN}\n` }],
    ['a long client id', { ...OAUTH, clientId: HIDDEN.padEnd(256, 'a') }],
  ].map(([what, auth]) => ({ what: `auth: ${what as string}`, field: 'auth', fields: { auth } })),
  ...[999, 30_001, 1500.5, '5000', true, {}, [5000], -1].map((timeout) => ({
    ...{ what: `timeout: ${JSON.stringify(timeout)}`, field: 'timeout', fields: { timeout } },
  })),
];

/** The rows of subscribers. */
function stored(api: Api): Promise<unknown> {
  return api.app.get(DataSource).query('SELECT * FROM thorn_subscribers ORDER BY id');
}

describe.each(sqliteAndPostgres)('credentials of an endpoint on $database', ({ create }) => {
  let store: TestDatabase;
  let receiver: ScriptedReceiver;
  let api: Api;
  beforeEach(async () => {
    store = await create();
    receiver = await ScriptedReceiver.start();
    api = await startApi('express', {
      store,
      api: { ...owners, receivers: true },
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

  it('demands the secret again for another token endpoint', async () => {
    const auth = {
      ...{ type: 'oauth2', tokenUrl: `${receiver.url}/token` },
      ...{ clientId: 'me', clientSecret: 'a-secret-of-mine' },
    };
    const { self } = (await post({ auth })).body;
    const moved = { type: 'oauth2', tokenUrl: `${receiver.url}/elsewhere` };
    expect((await patch(self, { auth: moved })).body.errors).toMatchObject([
      { field: 'auth', reason: 'of the type oauth2 must have clientSecret as well' },
    ]);
    expect((await api.send('GET', self)).body.auth.tokenUrl).toBe(auth.tokenUrl);
    const given = await patch(self, { auth: { ...moved, clientSecret: 'another-secret' } });
    expect(given).toMatchObject({ status: 200, body: { auth: { ...moved, clientId: 'me' } } });
    expect((await patch(self, { auth: { ...moved, clientId: 'you' } })).status).toBe(200);
  });

  it('sends kept credentials to no other origin', async () => {
    const headers = { 'X-One': 'one-one', 'X-Two': 'two-two' };
    const oauth = { type: 'oauth2', tokenUrl: `${receiver.url}/token`, clientId: 'me' };
    const other = await ScriptedReceiver.start();
    try {
      const { url } = other;
      for (const [auth, member, given] of [
        [BEARER, 'token', { type: 'bearer', token: 'another-token' }],
        [BASIC, 'username', { ...BASIC, password: 'another-password' }],
        [{ ...oauth, clientSecret: 'mine' }, 'clientSecret', { ...oauth, clientSecret: 'yours' }],
      ] as const) {
        const { self, secret } = (await post({ headers, auth })).body;
        const errors = async (body: object) => {
          const answer = await patch(self, { url, ...body });
          expect([answer.status, answer.body.type]).toEqual([400, expect.any(String)]);
          return answer.body.errors.map((one: { field: string; code: string; data: object }) => [
            ...[one.field, one.code, Object.values(one.data)[0]],
          ]);
        };
        const kept = ['auth', 'other-origin', member];
        expect(await errors({})).toEqual([['headers', 'other-origin', 'X-One'], kept]);
        expect(await errors({ headers: { 'x-one': 'a', 'X-TWO': null } })).toEqual([kept]);
        expect(await errors({ auth: { type: auth.type }, headers: { 'X-One': null } })).toEqual([
          ...[['headers', 'other-origin', 'X-Two'], kept],
        ]);
        expect(await errors({ auth: given, headers: { 'X-One': 'a' } })).toEqual([
          ['headers', 'other-origin', 'X-Two'],
        ]);
        // The receiver changes its own subscription by the same rule.
        const id = self.split('/').at(-1) as string;
        const own = await api.send('PATCH', '/hooks/self', {
          ...{ as: 'nobody', body: { url } },
          headers: { 'hook-subscription': id, authorization: `Bearer ${secret}` },
        });
        expect([own.status, (await api.subscribers.findById(id, 'any'))!.url]).toEqual([
          ...[400, receiver.url],
        ]);
        const near = await patch(self, { url: `${receiver.url}/near` });
        expect(near).toMatchObject({ status: 200, body: { headers: ['X-One', 'X-Two'] } });
        const dropped = { 'X-One': null, 'X-Two': 'b' };
        expect((await patch(self, { url, auth: given, headers: dropped })).status).toBe(200);
        const back = { url: receiver.url, auth: null, headers: { 'X-Two': null } };
        expect(await patch(self, back)).toMatchObject({
          status: 200,
          body: { auth: null, headers: [] },
        });
      }
      expect(other.received).toEqual([]);
    } finally {
      await other.stop();
    }
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

  it.each(REFUSED)('refuses $what, and names the field alone', async ({ field, fields }) => {
    const { self } = (await post({ headers: { 'X-One': 'one-one' }, timeout: 2000 })).body;
    const before = await stored(api);
    for (const answer of [await post(fields), await patch(self, fields)]) {
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toMatchObject([{ field }]);
      expect(JSON.stringify(answer.body)).not.toContain(HIDDEN);
    }
    expect(await stored(api)).toEqual(before);
  });
});

describe('credentials of a static subscriber', () => {
  let receiver: ScriptedReceiver;
  beforeEach(async () => {
    receiver = await ScriptedReceiver.start();
  });
  afterEach(() => receiver.stop());

  const start = (subscriber: object) =>
    startApi('express', {
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        subscribers: { 'order.paid': { url: receiver.url, ...subscriber } },
      },
    });

  it('are sent as those of a stored one', async () => {
    const api = await start({ headers: { 'X-One': 'one-one' }, auth: BEARER, timeout: 1000 });
    try {
      await api.app.get(WebhookDispatcher).send('order.paid', {});
      receiver.otherwise('hang');
      const { attempts } = await api.app.get(WebhookDispatcher).send('order.paid', {});
      expect(attempts).toMatchObject([{ error: { code: 'timeout' } }]);
    } finally {
      await api.app.close();
    }
    expect(receiver.received[0]!.headers).toMatchObject({
      'x-one': 'one-one',
      authorization: 'Bearer a-token-of-mine',
    });
  });

  // Null means that a static subscriber has none.
  const refused = REFUSED.filter(({ fields }) =>
    Object.values(fields).every((one) => one !== null),
  );
  it.each(refused)('are refused at the start: $what', async ({ field, fields }) => {
    const error = await start(fields).then(
      async ({ app }) => app.close(),
      (cause: unknown) => cause as Error,
    );
    expect(error?.message).toContain(`have ${field}, which`);
    expect(error?.message).not.toContain(HIDDEN);
  });
});
