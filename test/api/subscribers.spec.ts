import { type INestApplication, ValidationPipe, VersioningType } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../../lib/index.js';
import { MovableClock } from '../../lib/testing/index.js';
import { type Api, platforms, startApi } from '../support/apps/api-app.js';

const URL_OF_ALICE = 'https://example.com/h/article?u=1';
const body = { url: URL_OF_ALICE, events: ['article.*'] };

describe.each(platforms)('the REST API on %s', (platform) => {
  let api: Api;
  beforeEach(async () => {
    api = await startApi(platform, {
      thorn: { clock: MovableClock, signing: { hookHmac: true } },
    });
  });
  afterEach(() => api.app.close());

  const create = async (given: object = body, as: 'alice' | 'bob' = 'alice') =>
    (await api.send('POST', '/hooks', { as, body: given })).body;
  const stored = async () => (await api.subscribers.list({ limit: 1000 }, 'any')).items;

  it('accepts the subscription of the documentation, byte by byte as curl sends it', async () => {
    const answer = await api.send('POST', '/hooks/', {
      body: Buffer.from('{"event": "article.*", "url": "https://example.com/h/article?u=1"}'),
    });

    expect(answer.status).toBe(201);
    expect(await stored()).toMatchObject([
      { owner: 'alice', url: URL_OF_ALICE, events: ['article.*'], enabled: true },
    ]);
  });

  it('answers a creation with every field, the secret and the own URL included', async () => {
    const given = {
      ...body,
      contentType: 'application/x-www-form-urlencoded',
      digest: 'sha512',
      secret: 'a secret of my own',
      enabled: false,
      description: 'the blog',
      metadata: { team: 'web' },
      exclude: ['article.tag.*'],
      filter: { title: { startsWith: 'A' } },
      changed: null,
      fields: null,
      thin: false,
      template: null,
      rateLimit: { max: 10, per: 1000 },
      ordered: true,
      onExhausted: 'hold',
      holdFor: 60_000,
      expiresAt: '2100-01-31T08:00:00.000Z',
      key: 'mine',
      format: 'standard',
      timeout: 5000,
    };
    const hidden = {
      headers: { 'X-Api-Key': 'a key' },
      auth: {
        ...{ type: 'oauth2', tokenUrl: 'https://example.com/token?k=1', clientId: 'me' },
        ...{ clientSecret: 'mine', scope: 'hooks' },
      },
    };
    const answer = await api.send('POST', '/hooks', { body: { ...given, ...hidden } });

    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      ...given,
      headers: ['X-Api-Key'],
      auth: {
        ...{ type: 'oauth2', tokenUrl: 'https://example.com/token', clientId: 'me' },
        scope: 'hooks',
      },
      ...{ state: 'disabled', failingSince: null, disablesAt: null },
      id: expect.stringMatching(/^sub_/),
      self: `/hooks/${answer.body.id}`,
      rotationEndsAt: null,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      updatedAt: answer.body.createdAt,
      warnings: [],
    });
    expect(answer.headers.get('location')).toBe(answer.body.self);
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    expect((await api.send('GET', answer.body.self)).status).toBe(200);
  });

  it('makes a secret when none is given', async () => {
    expect((await create()).secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  });

  it('never returns a secret again', async () => {
    const { id, self, secret } = await create();
    const another = 'another secret of mine';

    const answers = [
      await api.send('GET', '/hooks'),
      await api.send('GET', self),
      await api.send('PATCH', self, { body: { description: 'new' } }),
      await api.send('PATCH', self, { body: { secret: another } }),
      await api.send('PATCH', self, { body: { hmac_secret: another } }),
    ];

    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(JSON.stringify(answer.body)).not.toMatch(/secret|whsec_/);
      expect(JSON.stringify(answer.body)).not.toContain(secret);
    }
    expect((await api.subscribers.findById(id, 'any'))!.secrets).toEqual([
      { value: another, expiresAt: null },
    ]);
  });

  it('accepts the names of Thorn for the same fields', async () => {
    const { id } = await create({
      url: URL_OF_ALICE,
      event: 'order.paid',
      content_type: 'application/x-www-form-urlencoded',
      hmac_secret: 'a secret of my own',
      hmac_digest: 'sha1',
    });

    expect(await api.subscribers.findById(id, 'any')).toMatchObject({
      events: ['order.paid'],
      contentType: 'application/x-www-form-urlencoded',
      digest: 'sha1',
      secrets: [{ value: 'a secret of my own' }],
    });
  });

  it('changes only the fields that PATCH names', async () => {
    const { id, self } = await create({ ...body, description: 'the blog' });

    const patched = await api.send('PATCH', self, { body: { event: 'order.*', enabled: false } });
    const again = await api.send('PATCH', `${self}/`, { body: { description: null } });

    expect(patched.status).toBe(200);
    expect(patched.body).toMatchObject({ id, self, events: ['order.*'], description: 'the blog' });
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({
      id,
      self,
      url: URL_OF_ALICE,
      events: ['order.*'],
      enabled: false,
      description: null,
    });
  });

  it('deletes a subscriber', async () => {
    const { self } = await create();

    const deleted = await api.send('DELETE', self);

    expect(deleted.status).toBe(204);
    expect(deleted.body).toBeUndefined();
    expect((await api.send('GET', self)).status).toBe(404);
    expect((await api.send('DELETE', self)).status).toBe(404);
    expect(await stored()).toEqual([]);
  });

  it('lists the subscribers of one owner in pages, oldest first', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 23; at++) {
      const given = { ...body, url: `https://host-${at % 3}.example.com/` };
      ids.push((await create(given)).id);
      if (at % 2 === 0) await create(given, 'bob');
    }
    ids.sort();

    const first = await api.send('GET', '/hooks');
    const second = await api.send('GET', `/hooks/?after=${first.body.next}&limit=2`);
    const third = await api.send('GET', `/hooks?limit=100&after=${second.body.next}`);

    expect(first.body.items).toHaveLength(20);
    expect(second.body.items).toHaveLength(2);
    expect(third.body).toMatchObject({ items: [{ id: ids[22] }], next: null });
    const read = [first, second, third].flatMap(({ body }) => body.items);
    expect(read.map(({ id }) => id)).toEqual(ids);
    expect(read[0].self).toBe(`/hooks/${ids[0]}`);
  });

  it('finds a text in the URLs and descriptions of one owner, in pages', async () => {
    for (const [description, owner] of [
      ['The search index', 'alice'],
      ['100% of it', 'alice'],
      [null, 'alice'],
      ['Search, of another owner', 'bob'],
    ] as const) {
      await create({ ...body, description }, owner);
    }
    const find = async (query: string) => {
      const { body: page } = await api.send('GET', `/hooks?${query}`);
      const found = page.items as { description: string | null }[];
      return [found.map((item) => item.description), page.next !== null];
    };
    expect(await find('search=SEARCH')).toEqual([['The search index'], false]);
    expect(await find('search=%25')).toEqual([['100% of it'], false]);
    const host = new URL(body.url).host.toUpperCase();
    expect(await find(`search=${host}&limit=2`)).toEqual([
      ['The search index', '100% of it'],
      true,
    ]);
    expect(await find('search=nowhere')).toEqual([[], false]);
  });

  it.each([
    ['/hooks?limit=0', 'limit'],
    ['/hooks?limit=101', 'limit'],
    ['/hooks?limit=ten', 'limit'],
    ['/hooks?limit=5.5', 'limit'],
    ['/hooks?limit=', 'limit'],
    ['/hooks?limit=1&limit=2', 'limit'],
    ['/hooks?after=', 'after'],
    ['/hooks?after=%00', 'after'],
    ['/hooks?after=1&after=2', 'after'],
    [`/hooks?after=${'a'.repeat(1000)}`, 'after'],
  ])('rejects the page %s', async (path, field) => {
    expect(await api.send('GET', path)).toMatchObject({
      status: 400,
      body: { errors: [{ field, reason: expect.any(String) }] },
    });
  });

  const deep = JSON.parse('['.repeat(3000) + ']'.repeat(3000)) as unknown;
  const wrongFields: [field: string, given: object][] = [
    ['url', { url: 1 }],
    ['url', { url: null }],
    ['url', { url: [URL_OF_ALICE] }],
    ['url', { url: deep }],
    ['url', { url: '' }],
    ['url', { url: '/relative' }],
    ['url', { url: 'ftp://example.com/' }],
    ['url', { url: 'http://127.0.0.1/' }],
    ['url', { url: 'http://[::1]/' }],
    ['url', { url: 'https://user:password@example.com/' }],
    ['url', { url: 'https://example.com:22/' }],
    ['url', { url: `https://example.com/${'a'.repeat(2048)}` }],
    ['events', { events: 'article.*' }],
    ['events', { events: [] }],
    ['events', { events: [1] }],
    ['events', { events: null }],
    ['events', { events: { 0: 'article.*' } }],
    ['events', { events: ['article.*', null] }],
    ['events', { events: ['article..created'] }],
    ['events', { events: ['art*'] }],
    ['events', { events: ['nothing.*'] }],
    ['events', { events: Array.from({ length: 1000 }, () => 'article.*') }],
    ['event', { event: ['article.*'], events: undefined }],
    ['event', { event: null, events: undefined }],
    ['event', { event: '', events: undefined }],
    ['event', { event: 'nothing.here', events: undefined }],
    ['event', { event: 'article.*', events: ['article.*'] }],
    ['contentType', { contentType: 'text/html' }],
    ['contentType', { contentType: 5 }],
    ['contentType', { contentType: null }],
    ['content_type', { content_type: 'text/html' }],
    ['content_type', { content_type: 'application/json', contentType: 'application/json' }],
    ['digest', { digest: 'md5' }],
    ['digest', { digest: null }],
    ['hmac_digest', { hmac_digest: 'md5' }],
    ['hmac_digest', { hmac_digest: 'sha1', digest: 'sha1' }],
    ['secret', { secret: 'short' }],
    ['secret', { secret: null }],
    ['secret', { secret: 1234567890123456 }],
    ['hmac_secret', { hmac_secret: 'short' }],
    ['hmac_secret', { hmac_secret: 'a secret of my own', secret: 'a secret of my own' }],
    ['enabled', { enabled: 'false' }],
    ['enabled', { enabled: 0 }],
    ['enabled', { enabled: null }],
    ['exclude', { exclude: null }],
    ['exclude', { exclude: 'article.*' }],
    ['exclude', { exclude: [1] }],
    ['exclude', { exclude: ['art*'] }],
    ['exclude', { exclude: Array.from({ length: 51 }, () => 'article.*') }],
    ['filter', { filter: 'title' }],
    ['filter', { filter: [] }],
    ['filter', { filter: {} }],
    ['filter', { filter: { title: { nowEq: 'x' } } }],
    ['filter', { filter: { title: { in: 5 } } }],
    ['filter', { filter: { a: deep } }],
    ['filter', { filter: { title: 'a'.repeat(4096) } }],
    ['ordered', { ordered: 'true' }],
    ['ordered', { ordered: null }],
    ['ordered', { ordered: 1 }],
    ['onExhausted', { onExhausted: 'stop' }],
    ['onExhausted', { onExhausted: null }],
    ['onExhausted', { onExhausted: ['hold'] }],
    ['onExhausted', { onExhausted: 'toString' }],
    ['holdFor', { onExhausted: 'hold', holdFor: 0 }],
    ['holdFor', { onExhausted: 'hold', holdFor: -1 }],
    ['holdFor', { onExhausted: 'hold', holdFor: 1.5 }],
    ['holdFor', { onExhausted: 'hold', holdFor: '1000' }],
    ['holdFor', { onExhausted: 'hold', holdFor: 1_209_600_001 }],
    ['holdFor', { onExhausted: 'hold', holdFor: {} }],
    ['holdFor', { onExhausted: 'skip', holdFor: 1000 }],
    ['holdFor', { holdFor: 1000 }],
    ['expiresAt', { expiresAt: '2020-01-31T08:00:00Z' }],
    ['expiresAt', { expiresAt: '2100-02-31T08:00:00Z' }],
    ['expiresAt', { expiresAt: '2100-01-31T08:00:00' }],
    ['expiresAt', { expiresAt: 4_102_444_800_000 }],
    ['expiresAt', { expiresAt: 'tomorrow' }],
    ['key', { key: '' }],
    ['key', { key: 'a'.repeat(256) }],
    ['key', { key: 5 }],
    ['key', { key: 'a\0b' }],
    ['description', { description: 5 }],
    ['description', { description: 'a'.repeat(1001) }],
    ['metadata', { metadata: null }],
    ['metadata', { metadata: [] }],
    ['metadata', { metadata: { a: 1 } }],
    ['metadata', { metadata: { a: { b: 'c' } } }],
    ['id', { id: 'sub_of-my-own' }],
    ['self', { self: '/hooks/sub_x' }],
    ['state', { state: 'active' }],
    ['verification', { verification: 'verified' }],
    ['owner', { owner: 'bob' }],
    ['createdAt', { createdAt: '2020-01-01T00:00:00.000Z' }],
    ['updated_at', { updated_at: '2020-01-01T00:00:00.000Z' }],
    ['secrets', { secrets: [{ value: 'a secret of my own', expiresAt: null }] }],
    ['hasOwnProperty', { hasOwnProperty: 'x' }],
    ['toString', { toString: 'x' }],
    ['constructor', { constructor: 'x' }],
    ['prototype', { prototype: { enabled: false } }],
  ];
  const wrongBodies: [name: string, text: string, type?: string][] = [
    ['a list', JSON.stringify([body])],
    ['null', 'null'],
    ['a text', '"article.*"'],
    ['a number', '5'],
    ['nothing', ''],
    ['cut off', '{"url": "https://exa'],
    ['no JSON', 'url=https://example.com'],
    ['deeply nested', '['.repeat(20_000) + ']'.repeat(20_000)],
    ['a form', 'event=article.*&url=https://example.com', 'application/x-www-form-urlencoded'],
    ['a prototype', `{"__proto__": {"enabled": false}, "url": "${URL_OF_ALICE}"}`],
    ['a prototype alone', '{"__proto__": {"url": "https://example.com", "events": ["article.*"]}}'],
    ['a prototype in metadata', '{"metadata": {"__proto__": {"a": "b"}}}'],
    ['a constructor', '{"constructor": {"prototype": {"enabled": false}}}'],
  ];

  it('shows the end of a subscriber, which a change moves or takes away', async () => {
    const clock = api.app.get<MovableClock>(Clock);
    const at = (milliseconds: number) => new Date(clock.now() + milliseconds).toISOString();
    const { self, ...created } = await create({ ...body, expiresAt: at(1000) });
    expect(created).toMatchObject({ expiresAt: at(1000), state: 'active', key: null });
    const change = (expiresAt: unknown) => api.send('PATCH', self, { body: { expiresAt } });

    clock.advance(1000);
    expect((await api.send('GET', self)).body).toMatchObject({
      expiresAt: at(0),
      state: 'expired',
    });
    expect(await change(at(0))).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'expiresAt', code: 'not-in-the-future' }] },
    });
    expect((await change(at(5000))).body).toMatchObject({ expiresAt: at(5000), state: 'active' });
    expect((await change(null)).body).toMatchObject({ expiresAt: null, state: 'active' });
  });

  it('changes the subscriber of a key that its owner has used, to what the body says', async () => {
    const given = { ...body, key: 'crm', description: 'one', metadata: { a: 'b' } };
    const first = await api.send('POST', '/hooks', { body: given });
    expect(first).toMatchObject({ status: 201, body: { key: 'crm' } });
    const { id, self, secret } = first.body;
    await api.send('PATCH', self, { body: { enabled: false, filter: { title: 'A' } } });

    const url = 'https://example.com/other';
    const again = { ...body, url, key: 'crm', description: 'two' };
    const headers = { 'idempotency-key': 'once' };
    const second = await api.send('POST', '/hooks', { body: again, headers });
    expect(second.status).toBe(200);
    expect(second.headers.get('location')).toBeNull();
    expect(second.headers.get('etag')).toBe((await api.send('GET', self)).headers.get('etag'));
    expect(second.body).toEqual({
      ...(await api.send('GET', self)).body,
      ...{ id, url, key: 'crm', description: 'two', metadata: {}, filter: null, enabled: false },
      warnings: [],
    });
    const repeated = await api.send('POST', '/hooks', { body: again, headers });
    expect(repeated).toMatchObject({ status: 200, body: second.body });
    expect((await stored()).map(({ secrets }) => secrets[0]!.value)).toEqual([secret]);

    const own = 'a secret of my own';
    const third = { ...again, secret: own, enabled: true };
    expect((await api.send('POST', '/hooks', { body: third })).body.secret).toBeUndefined();
    expect(await stored()).toMatchObject([{ id, enabled: true, secrets: [{ value: own }] }]);
    expect((await create(again, 'bob')).id).not.toBe(id);
    expect((await create(body)).id).not.toBe((await create(body)).id);
  });

  it('changes the order of deliveries, and keeps no hold that has no effect', async () => {
    const { body: created } = await api.send('POST', '/hooks', { body });
    expect(created).toMatchObject({ ordered: false, onExhausted: 'skip', holdFor: null });
    const change = (changes: object) => api.send('PATCH', created.self, { body: changes });
    const order = async () => {
      const { ordered, onExhausted, holdFor } = (await api.send('GET', created.self)).body;
      return [ordered, onExhausted, holdFor];
    };

    expect((await change({ ordered: true, onExhausted: 'hold' })).status).toBe(200);
    expect(await order()).toEqual([true, 'hold', null]);
    expect((await change({ holdFor: 1_209_600_000 })).status).toBe(200);
    expect(await order()).toEqual([true, 'hold', 1_209_600_000]);
    expect((await change({ ordered: false })).status).toBe(200);
    expect(await order()).toEqual([false, 'hold', 1_209_600_000]);
    expect((await change({ onExhausted: 'skip' })).status).toBe(200);
    expect(await order()).toEqual([false, 'skip', null]);
    const refused = await change({ holdFor: 1000 });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ field: 'holdFor' }] } });
    expect(await order()).toEqual([false, 'skip', null]);
  });

  describe.each([
    ['POST', '/hooks', body],
    ['POST', '/hooks/', body],
    ['PATCH', '/hooks/:id', {}],
    ['PATCH', '/hooks/:id/', {}],
  ])('%s %s', (method, route, rest) => {
    let path: string;
    let before: Awaited<ReturnType<typeof stored>>;
    beforeEach(async () => {
      path = route.replace(':id', (await create()).id);
      before = await stored();
    });

    it('rejects every wrong field by its name, with a reason, and stores nothing', async () => {
      for (const [field, given] of wrongFields) {
        const answer = await api.send(method, path, { body: { ...rest, ...given } });

        const shown = `${field} of ${JSON.stringify(given).slice(0, 80)}`;
        expect({ shown, ...answer }).toMatchObject({
          shown,
          status: 400,
          body: { status: 400, title: 'Bad Request', errors: [{ field }] },
        });
        const [{ reason }] = answer.body.errors;
        expect({ shown, detail: answer.body.detail }).toEqual({
          shown,
          detail: `${field} ${reason}`,
        });
        expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
        expect(`${shown}: ${reason}`).toMatch(/: (must|is|says|can) [^:]/);
      }
      // What was there stays as it was, and nothing else is.
      expect(await stored()).toEqual(before);
    });

    it('rejects every body that is not an object of fields', async () => {
      for (const [name, text, type] of wrongBodies) {
        const call = { body: Buffer.from(text), ...(type === undefined ? {} : { type }) };
        expect({ name, ...(await api.send(method, path, call)) }).toMatchObject({
          name,
          status: type === undefined ? 400 : 415,
        });
      }
      expect(({} as { enabled?: boolean }).enabled).toBeUndefined();
      expect(await stored()).toEqual(before);
    });

    it('does not repeat rejected values', async () => {
      const { body: answer } = await api.send(method, path, {
        body: { ...rest, url: 'http://127.0.0.1/?token=hush', secret: 'hush' },
      });
      expect(JSON.stringify(answer)).not.toContain('hush');
    });
  });

  it.each([
    [{ enabled: 'yes', colour: 'red' }, ['colour', 'enabled', 'events', 'url']],
    [
      {
        ...{ url: 'ftp://example.com', event: 'nothing.here', secret: 'short', owner: 'bob' },
        ...{ rateLimit: { max: 0 }, hmac_digest: 'md5', filter: { a: { $gt: 1 } } },
      },
      ['event', 'filter', 'hmac_digest', 'owner', 'rateLimit', 'secret', 'url'],
    ],
    [{ url: URL_OF_ALICE, event: 5, enabled: 1 }, ['enabled', 'event']],
    [{ url: URL_OF_ALICE, event: '*', events: ['*'], enabled: 1 }, ['enabled', 'event']],
  ])('reports every wrong field of %j at once', async (given, fields) => {
    const named = async (method: string, path: string) => {
      const answer = await api.send(method, path, { body: given });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
      const { errors, detail } = answer.body;
      for (const { field, reason } of errors) expect(detail).toContain(`${field} ${reason}`);
      return errors.map(({ field }: { field: string }) => field).sort();
    };
    expect(await named('POST', '/hooks')).toEqual(fields);
    const { self } = await create();
    const missing = 'url' in given ? [] : ['events', 'url'];
    expect(await named('PATCH', self)).toEqual(fields.filter((one) => !missing.includes(one)));
  });

  it('rejects a secret that is too long, and a creation without fields', async () => {
    expect((await api.send('POST', '/hooks', { body: {} })).status).toBe(400);
    expect(
      (await api.send('POST', '/hooks', { body: { ...body, secret: 'a'.repeat(5000) } })).status,
    ).toBe(400);
    expect(await stored()).toEqual([]);
  });
});

describe.each(platforms)('the REST API on %s, in an application with its own ways', (platform) => {
  let api: Api;
  afterEach(() => api.app.close());

  const withPipe =
    (options: ConstructorParameters<typeof ValidationPipe>[0]) => (app: INestApplication) => {
      app.useGlobalPipes(new ValidationPipe(options));
    };

  it.each([
    ['strips', { whitelist: true }],
    ['converts', { transform: true, transformOptions: { enableImplicitConversion: true } }],
    ['hides', { whitelist: true, forbidNonWhitelisted: true, disableErrorMessages: true }],
    ['answers 422', { whitelist: true, transform: true, errorHttpStatusCode: 422 }],
    ['is strict', { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true }],
  ])('works under a global pipe that %s', async (_, options) => {
    api = await startApi(platform, { configure: withPipe(options) });

    const created = await api.send('POST', '/hooks', { body: { ...body, metadata: { a: 'b' } } });
    const unknown = await api.send('POST', '/hooks', { body: { ...body, owner: 'bob' } });
    const wrong = await api.send('PATCH', created.body.self, { body: { enabled: 'false' } });
    const page = await api.send('GET', '/hooks?limit=1');

    expect(created).toMatchObject({ status: 201, body: { metadata: { a: 'b' } } });
    expect(unknown).toMatchObject({ status: 400, body: { errors: [{ field: 'owner' }] } });
    expect(wrong).toMatchObject({ status: 400, body: { errors: [{ field: 'enabled' }] } });
    expect(page).toMatchObject({ status: 200, body: { items: [{ id: created.body.id }] } });
  });

  it('works below a global prefix, which its URLs include', async () => {
    api = await startApi(platform, { configure: (app) => app.setGlobalPrefix('api/v2') });

    const created = await api.send('POST', '/api/v2/hooks/?x=1', { body });

    expect(created.body.self).toBe(`/api/v2/hooks/${created.body.id}`);
    const read = await api.send('GET', created.body.self);
    expect(read.body.self).toBe(created.body.self);
    const listed = await api.send('GET', '/api/v2/hooks/');
    expect(listed.body.items[0].self).toBe(created.body.self);
    expect((await api.send('GET', '/hooks')).status).toBe(404);
  });

  it.each([
    { type: VersioningType.URI as const, defaultVersion: '1' },
    { type: VersioningType.HEADER as const, header: 'x-version', defaultVersion: '1' },
    { type: VersioningType.MEDIA_TYPE as const, key: 'v=' },
  ])('keeps its paths with any versioning (%o)', async (versioning) => {
    api = await startApi(platform, { configure: (app) => app.enableVersioning(versioning) });

    const created = await api.send('POST', '/hooks/', { body });

    expect(created.status).toBe(201);
    expect((await api.send('GET', `${created.body.self}/`)).status).toBe(200);
  });

  it.each([{ ignoreTrailingSlash: true }, { routerOptions: { ignoreTrailingSlash: true } }])(
    'accepts a slash at the end where the platform does (%o)',
    async (fastify) => {
      api = await startApi(platform, { fastify });

      const created = await api.send('POST', '/hooks/', { body });

      expect(created.status).toBe(201);
      expect((await api.send('GET', '/hooks')).body.items).toHaveLength(1);
      expect((await api.send('GET', `${created.body.self}/`)).status).toBe(200);
    },
  );

  it('appears on the page of Swagger', async () => {
    api = await startApi(platform);

    const { paths } = SwaggerModule.createDocument(api.app, new DocumentBuilder().build());

    expect(paths).toMatchObject({
      '/hooks': { get: {}, post: {} },
      '/hooks/{id}': { get: {}, patch: {}, delete: {} },
    });
    expect(paths['/hooks/{id}']).not.toHaveProperty('post');
  });

  it('puts the base URL before its own URLs', async () => {
    api = await startApi(platform, {
      api: {
        path: '/account/webhooks',
        unprotected: true,
        owner: () => null,
        baseUrl: 'https://api.example.com/public/',
      },
    });

    const created = await api.send('POST', '/account/webhooks', { body });

    expect(created.body.self).toBe(
      `https://api.example.com/public/account/webhooks/${created.body.id}`,
    );
    expect(created.headers.get('location')).toBe(created.body.self);
  });

  it.each([
    ['an id', 'carol', 201],
    ['null on purpose', null, 201],
    ['nothing', undefined, 401],
    ['an empty text', '', 401],
    ['a number', 7, 201],
    ['NaN', Number.NaN, 500],
    ['an object', { id: 'carol' }, 500],
    ['a text made of nothing', 'undefined', 500],
  ])('with an owner that is %s', async (_, owner, status) => {
    api = await startApi(platform, {
      api: { unprotected: true, owner: async () => owner as number },
    });

    const created = await api.send('POST', '/hooks', { body });

    expect(created.status).toBe(status);
    const { items } = await api.subscribers.list({ limit: 10 }, 'any');
    expect(items.map((item) => item.owner)).toEqual(
      status === 201 ? [typeof owner === 'number' ? String(owner) : owner] : [],
    );
    // Before anything of the request is judged.
    const wrong = await api.send('POST', '/hooks', { body: {} });
    expect(wrong.status).toBe(status === 201 ? 400 : status);
  });

  it('shares nothing with another application in the process', async () => {
    api = await startApi(platform);
    const other = await startApi(platform, {
      api: { path: 'webhooks', unprotected: true, owner: () => 'dave' },
    });
    try {
      await api.send('POST', '/hooks', { body });
      await other.send('POST', '/webhooks', { body });

      expect((await other.subscribers.list({ limit: 10 }, 'any')).items).toMatchObject([
        { owner: 'dave' },
      ]);
      expect((await api.send('GET', '/hooks', { as: 'nobody' })).status).toBe(401);
      expect((await api.send('GET', '/webhooks')).status).toBe(404);
    } finally {
      await other.app.close();
    }
  });
});
