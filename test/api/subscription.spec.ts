import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateSigningKeyPair } from '../../lib/index.js';
import { type Api, owners, platforms, startApi } from '../support/apps/api-app.js';

const body = { url: 'https://example.com/', events: ['article.*'] };

describe.each(platforms)('receivers on %s', (platform) => {
  let api: Api;
  let one: { id: string; secret: string; self: string };
  let other: { id: string; secret: string; self: string };
  beforeEach(async () => {
    api = await startApi(platform, { api: { ...owners, receivers: true } });
    one = (await api.send('POST', '/hooks', { as: 'alice', body })).body;
    other = (await api.send('POST', '/hooks', { as: 'bob', body })).body;
  });
  afterEach(() => api.app.close());

  const call = (method: string, id: string | null, secret: string, given?: object) =>
    api.send(method, '/hooks/self', {
      as: 'nobody',
      headers: {
        ...(id !== null && { 'hook-subscription': id }),
        ...(secret !== '' && { authorization: `Bearer ${secret}` }),
      },
      ...(given && { body: given }),
    });

  it('show, change and end their own subscription', async () => {
    const shown = await call('GET', one.id, one.secret);
    expect(shown).toMatchObject({ status: 200, body: { id: one.id, self: one.self } });
    expect(JSON.stringify(shown.body)).not.toContain(one.secret);
    const changes = { event: 'order.paid', filter: { total: { gt: 5 } }, enabled: false };
    expect(await call('PATCH', one.id, one.secret, changes)).toMatchObject({
      status: 200,
      body: { events: ['order.paid'], filter: changes.filter, enabled: false },
    });
    expect((await call('DELETE', one.id, one.secret)).status).toBe(204);
    expect((await call('GET', one.id, one.secret)).status).toBe(401);
    expect((await api.subscribers.list({ limit: 10 }, 'any')).items).toMatchObject([
      { id: other.id },
    ]);
  });

  it('change nothing that has changed since they read it', async () => {
    const headers = { 'hook-subscription': one.id, authorization: `Bearer ${one.secret}` };
    const ask = (method: string, ifMatch: string, given?: object) =>
      api.send(method, '/hooks/self', {
        as: 'nobody',
        headers: { ...headers, 'if-match': ifMatch },
        ...(given && { body: given }),
      });
    const shown = await call('GET', one.id, one.secret);
    const tag = shown.headers.get('etag')!;
    expect(tag).toBe((await api.send('GET', one.self)).headers.get('etag'));
    const changed = await ask('PATCH', tag, { enabled: false });
    expect(changed.status).toBe(200);
    expect((await ask('PATCH', tag, { enabled: true })).status).toBe(412);
    expect((await ask('PATCH', 'x', { enabled: true })).status).toBe(400);
    expect((await ask('DELETE', tag)).status).toBe(412);
    expect((await ask('DELETE', changed.headers.get('etag')!)).status).toBe(204);
  });

  it('are admitted with any live secret, and with no other', async () => {
    const rotated = await api.send('POST', `${one.self}/rotate-secret`, { body: {} });
    expect((await call('GET', one.id, one.secret)).status).toBe(200);
    expect((await call('GET', one.id, rotated.body.secret)).status).toBe(200);
    await api.send('POST', `${one.self}/rotate-secret`, { body: { overlap: 0 } });
    expect((await call('GET', one.id, one.secret)).status).toBe(401);
  });

  it('get the same answer for every wrong secret', async () => {
    const { privateKey } = generateSigningKeyPair();
    const signing = { ...body, secret: privateKey };
    const ed25519 = (await api.send('POST', '/hooks', { body: signing })).body;
    const before = await api.subscribers.list({ limit: 10 }, 'any');
    for (const [id, secret] of [
      [one.id, other.secret],
      [other.id, one.secret],
      ['sub_none', one.secret],
      [null, one.secret],
      [one.id, ''],
      [one.id, one.secret.slice(0, -1)],
      [one.id, 'alice-token'],
      ['%00', one.secret],
      [ed25519.id, privateKey],
    ] as const) {
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        const answer = await call(
          method,
          id,
          secret,
          method === 'PATCH' ? { enabled: false } : undefined,
        );
        expect(answer).toMatchObject({ status: 401, body: { detail: 'Unauthorized' } });
      }
    }
    expect(await api.subscribers.list({ limit: 10 }, 'any')).toEqual(before);
  });

  it.each<[string, object]>([
    ['url', { url: 'https://elsewhere.example.com/' }],
    ['secret', { secret: 'a secret of my own' }],
    ['owner', { owner: 'bob' }],
    ['id', { id: 'sub_x' }],
    ['hasOwnProperty', { hasOwnProperty: 1 }],
    ['enabled', { enabled: 'no' }],
    ['enabled', { enabled: null }],
    ['events', { events: [] }],
    ['events', { events: ['nothing.*'] }],
    ['exclude', { exclude: null }],
    ['filter', { filter: { title: { nowEq: 1 } } }],
    ['body', {}],
  ])('get no reason for a wrong %s', async (field, given) => {
    const answer = await call('PATCH', one.id, one.secret, given);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  });

  it('have no such routes unless the application turns them on', async () => {
    const plain = await startApi(platform);
    try {
      const { status } = await plain.send('GET', '/hooks/self', { as: 'nobody' });
      expect(status).toBe(401);
      expect((await plain.send('GET', '/hooks/self')).status).toBe(404);
    } finally {
      await plain.app.close();
    }
  });
});
