import 'reflect-metadata';
import { Webhook } from 'standardwebhooks';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  defineEvents,
  Deliveries,
  disabled,
  generateSigningKeyPair,
  WebhookDispatcher,
  WebhookEvent,
  Webhooks,
} from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS } from '../../lib/testing/index.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { PAIRS } from '../support/places.js';
import { SECRET } from '../support/apps/outbox-app.js';
import { Receiver } from '../support/receiver.js';

@Entity()
@Webhooks<Product>({ payload: ({ id, name, price }) => ({ id, name, price }) })
@WebhookEvent<Product>('product.created', { on: 'create' })
@WebhookEvent<Product>('product.changed', { on: 'change' })
class Product {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar' })
  name!: string;

  @Column({ type: 'int' })
  price!: number;

  @Column({ type: 'int' })
  stock!: number;

  @Column({ type: 'varchar', select: false, default: '' })
  note!: string;
}

const events = defineEvents({
  'price.moved': { description: 'A price has moved', changed: ['net', 'gross'] },
  'price.noted': { description: 'Somebody has noted a price' },
});

describe.each(PAIRS)('changed and trigger on $database with $platform', (pair) => {
  let api: Api;
  let database: TestDatabase;
  let receiver: Receiver;
  let fixed: Receiver;
  let products: DataSource['manager'];

  beforeAll(async () => {
    database = await pair.create();
    fixed = await Receiver.start();
    const store = { ...database, options: { ...database.options, entities: [Product] } };
    api = await startApi(pair.platform, {
      store,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        events,
        subscribers: { 'product.changed': { url: fixed.url, changed: ['stock'] } },
      },
    });
    products = api.app.get(DataSource).manager;
  });

  afterAll(async () => {
    await api?.app.close();
    await database?.drop();
    await fixed?.stop();
  });

  beforeEach(async () => void (receiver = await Receiver.start()));
  afterEach(async () => {
    for (const { id } of (await api.subscribers.list({}, 'any')).items) {
      await api.subscribers.delete(id, 'any');
    }
    fixed.requests.length = 0;
    await receiver.stop();
  });

  const subscribe = async (path: string, body: object) => {
    const answer = await api.send('POST', '/hooks', {
      body: { url: receiver.url + path, ...body },
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    return answer.body as { readonly id: string; readonly changed: unknown };
  };
  const arrived = () =>
    receiver.requests.map(({ path, body }) => [path, JSON.parse(body.toString()).trigger]).sort();

  it('sends an update to subscribers of one of its changed fields, and says which changed', async () => {
    const changed = { events: ['product.changed'], changed: ['price', 'stock'] };
    expect((await subscribe('/some', changed)).changed).toEqual(['price', 'stock']);
    await subscribe('/all', { events: ['product.*'] });
    const made = { name: 'Lamp', price: 5, stock: 1, note: '' };
    const product = await products.save(Product, made);
    await products.save(Product, { id: product.id, name: 'Torch' });
    await receiver.waitFor(2);
    await products.save(Product, { id: product.id, name: 'Bulb', stock: 2 });
    await products.update(Product, { id: product.id }, { price: 6, note: 'secret' });
    await receiver.waitFor(6);
    await fixed.waitFor(1);

    expect(arrived()).toEqual(
      [
        ['/hooks/all', undefined],
        ['/hooks/all', { changed: ['name'] }],
        ['/hooks/all', { changed: ['name', 'stock'] }],
        ['/hooks/all', { changed: ['price'] }],
        ['/hooks/some', { changed: ['name', 'stock'] }],
        ['/hooks/some', { changed: ['price'] }],
      ].sort(),
    );
    expect(fixed.requests.map(({ body }) => JSON.parse(body.toString()))).toEqual([
      {
        type: 'product.changed',
        timestamp: expect.stringMatching(/Z$/),
        trigger: { changed: ['name', 'stock'] },
        data: { id: product.id, name: 'Bulb', price: 5 },
      },
    ]);
  });

  it('takes the changed fields of a message that is sent by hand', async () => {
    await subscribe('/net', { events: ['price.moved'], changed: ['net'] });
    const dispatcher = api.app.get(WebhookDispatcher);
    await dispatcher.send('price.moved', {}, { changed: ['gross'] });
    await dispatcher.send('price.moved', {});
    await dispatcher.send('price.moved', {}, { changed: ['gross', 'net'] });
    await receiver.waitFor(1);

    expect(arrived()).toEqual([['/hooks/net', { changed: ['gross', 'net'] }]]);
    await expect(dispatcher.send('price.moved', {}, { changed: ['nett'] })).rejects.toThrow(
      'changed must not hold nett, which the declaration of price.moved does not name; it names net, gross',
    );
  });

  it('finds for a backfill what has changed', async () => {
    await subscribe('/all', { events: ['price.moved'] });
    const given = { events: ['price.moved'], changed: ['net'], enabled: false };
    const { id } = await subscribe('/late', given);
    const dispatcher = api.app.get(WebhookDispatcher);
    await dispatcher.send('price.moved', {}, { changed: ['gross'] });
    await dispatcher.send('price.moved', {}, { changed: ['net'] });
    await receiver.waitFor(2);
    await api.send('PATCH', `/hooks/${id}`, { body: { enabled: true } });
    const body = { since: new Date(Date.now() - 60_000).toISOString() };
    const backfill = () => api.send('POST', `/hooks/${id}/backfill`, { body });
    // A message whose deliveries are still under way counts later.
    await expect.poll(async () => (await backfill()).body.scheduled, { timeout: 20_000 }).toBe(1);
    await receiver.waitFor(3);

    expect(arrived().filter(([path]) => path === '/hooks/late')).toEqual([
      ['/hooks/late', { changed: ['net'] }],
    ]);
  });
});

const line = { type: 'object', properties: { sku: { type: 'string' }, n: { type: 'integer' } } };
const orders = defineEvents({
  'order.paid': {
    description: 'An order was paid',
    schema: {
      type: 'object',
      properties: {
        id: { type: 'integer' },
        title: { type: 'string' },
        lines: { type: 'array', items: line },
      },
    },
    changed: ['title'],
  },
  'order.noted': { description: 'An order has a note' },
});
const data = {
  id: 7,
  title: 'A "quoted" title\n',
  lines: [
    { sku: 'a', n: 1 },
    { sku: 'b', n: 2 },
  ],
};
const CHAT = '{"text": "{{type}}: {{data.title}}", "id": {{data.id}}, "lines": {{data.lines.sku}}}';

describe.each(PAIRS)('the shape of bodies on $database with $platform', (pair) => {
  let api: Api;
  let database: TestDatabase;
  let receiver: Receiver;

  beforeAll(async () => {
    database = await pair.create();
    receiver = await Receiver.start();
    api = await startApi(pair.platform, {
      store: database,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        events: orders,
        shapes: { templates: true, url: 'https://api.example.com/hooks/' },
        subscribers: {
          'order.paid': [{ url: `${receiver.url}/fixed`, secret: SECRET, fields: ['id'] }],
        },
      },
    });
  });

  afterAll(async () => {
    await api?.app.close();
    await database?.drop();
    await receiver?.stop();
  });

  afterEach(async () => {
    for (const { id } of (await api.subscribers.list({}, 'any')).items) {
      await api.subscribers.delete(id, 'any');
    }
    receiver.requests.length = 0;
  });

  const create = (body: object, as: 'alice' | 'bob' = 'alice') =>
    api.send('POST', '/hooks', {
      body: { url: receiver.url, events: ['order.paid'], ...body },
      as,
    });
  const send = (options = {}) => api.app.get(WebhookDispatcher).send('order.paid', data, options);
  const received = (path: string) =>
    receiver.requests.find((request) => request.path === `/hooks${path}`)!;
  const bodyAt = (path: string) => JSON.parse(received(path).body.toString()) as unknown;

  it('fails once, with its reason, when a template makes more than 1 MiB', async () => {
    const template = `[${'{{data}},'.repeat(99)}{{data}}]`;
    const { self } = (await create({ template })).body;
    const large = { ...data, title: 'x'.repeat(20_000) };
    await api.app.get(WebhookDispatcher).send('order.paid', large, { owner: 'alice' });
    const ended = await vi.waitFor(async () => {
      const [one] = (await api.send('GET', `${self}/deliveries`)).body.items;
      expect(one).toMatchObject({ status: 'failed', reason: 'exhausted' });
      return (await api.send('GET', one.self)).body;
    });
    const message = 'The body is larger than the format of the endpoint or a template allows.';
    expect(ended.attempts).toMatchObject([{ status: null, error: { code: 'too-large', message } }]);
    const [record] = (await api.app.get(Deliveries).findById(ended.id, 'any'))!.attempts;
    expect(record!.error!.message).toBe(
      'The template makes a body of more than 1048576 characters',
    );
  });

  it('is signed and sent as each subscriber asks, and the log shows it so', async () => {
    const { url } = receiver;
    const all = [
      { url: `${url}/fields`, fields: ['title', 'lines.sku'] },
      { url: `${url}/template`, template: CHAT },
      { url: `${url}/thin`, thin: true },
      { url: `${url}/form`, fields: ['id'], contentType: 'application/x-www-form-urlencoded' },
      { url: `${url}/plain` },
    ];
    const made = await Promise.all(all.map((one) => create(one)));
    expect(made.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
    expect(
      made.map(({ body: { fields, thin, template } }) => ({ fields, thin, template })),
    ).toEqual([
      { fields: ['title', 'lines.sku'], thin: false, template: null },
      { fields: null, thin: false, template: CHAT },
      { fields: null, thin: true, template: null },
      { fields: ['id'], thin: false, template: null },
      { fields: null, thin: false, template: null },
    ]);
    const { id } = await send({ changed: ['title'] });
    await receiver.waitFor(6);

    const head = { type: 'order.paid', timestamp: expect.stringMatching(/Z$/) };
    const trigger = { changed: ['title'] };
    const projected = { title: data.title, lines: [{ sku: 'a' }, { sku: 'b' }] };
    const chat = { text: `order.paid: ${data.title}`, id: 7, lines: ['a', 'b'] };
    const ref = `https://api.example.com/hooks/events/${id}`;
    expect(bodyAt('/fields')).toEqual({ ...head, trigger, data: projected });
    expect(bodyAt('/template')).toEqual(chat);
    expect(bodyAt('/thin')).toEqual({ ...head, id, ref });
    expect(received('/form').body.toString()).toMatch(/data%5Bid%5D=7$/);
    expect(bodyAt('/plain')).toEqual({ ...head, trigger, data });
    expect(bodyAt('/fixed')).toEqual({ ...head, trigger, data: { id: 7 } });
    for (const [at, { body }] of made.entries()) {
      // The library of Standard Webhooks verifies JSON alone.
      if (all[at]!.contentType !== undefined) continue;
      const request = received(new URL(all[at]!.url).pathname.replace('/hooks', ''));
      const headers = request.headers as Record<string, string>;
      expect(() => new Webhook(body.secret).verify(request.body.toString(), headers)).not.toThrow();
    }
    const shown = await vi.waitFor(async () => {
      const log = await api.send('GET', `/hooks/${made[1]!.body.id}/deliveries`);
      const [delivery] = log.body.items;
      return api.send('GET', `/hooks/deliveries/${delivery.id}/request`);
    });
    expect(JSON.parse(shown.body.body)).toEqual(chat);
  });

  it('gives the body of a thin message to its subscriber and its owner alone', async () => {
    const { body: mine } = await create({ thin: true, changed: ['title'] });
    const { body: other } = await create(
      { events: ['order.noted'], url: `${receiver.url}/o` },
      'bob',
    );
    const seen: unknown[] = [];
    receiver.bodyOf = ({ path, headers, body }) => {
      if (path === '/hooks') seen.push([headers['hook-subscription'], JSON.parse(body.toString())]);
      return undefined;
    };
    const { id } = await send({ owner: 'alice', changed: ['title'] });
    const { id: unchanged } = await send({ owner: 'alice' });
    await receiver.waitFor(3);
    const read = (message: string, subscription: string, secret: string) =>
      api.send('GET', `/hooks/events/${message}`, {
        as: 'nobody',
        headers: { 'hook-subscription': subscription, authorization: `Bearer ${secret}` },
      });

    expect(seen).toHaveLength(1);
    const answer = await read(id, mine.id, mine.secret);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    const trigger = { changed: ['title'] };
    const timestamp = expect.stringMatching(/Z$/);
    const whole = { type: 'order.paid', timestamp, owner: 'alice', trigger, data };
    expect(answer.body).toEqual(whole);
    await api.send('POST', `/hooks/${mine.id}/rotate-secret`, { body: { overlap: '1h' } });
    expect((await read(id, mine.id, mine.secret)).status).toBe(200);

    expect((await api.send('GET', `/hooks/events/${id}`)).body).toEqual(whole);
    const refused = [
      [await read(id, mine.id, 'a wrong secret of mine'), 401],
      [await read(id, other.id, mine.secret), 401],
      [await read(id, other.id, other.secret), 404],
      [await read(unchanged, mine.id, mine.secret), 404],
      [await read('msg_01900000-0000-7000-8000-000000000000', mine.id, mine.secret), 404],
      [await read('%00', mine.id, mine.secret), 404],
      [await api.send('GET', `/hooks/events/${id}`, { as: 'bob' }), 404],
      [await api.send('GET', `/hooks/events/${id}`, { as: 'nobody' }), 401],
    ] as const;
    expect(refused.map(([{ status }]) => status)).toEqual(refused.map(([, status]) => status));
    await api.subscribers.update(mine.id, { enabled: false }, 'any');
    const { id: later } = await send({ owner: 'alice', changed: ['title'] });
    await api.app.get(WebhookDispatcher).send('order.noted', {}, { owner: 'alice' });
    expect((await read(later, mine.id, mine.secret)).status).toBe(404);
  });

  const both = { events: ['order.paid', 'order.noted'] };
  const form = 'application/x-www-form-urlencoded';
  it.each<[field: string, body: object, reason: string]>([
    ['changed', { changed: 'title' }, 'must be null or a list of 1 to 50 names'],
    ['changed', { changed: [] }, 'must be null or a list of 1 to 50 names'],
    ['changed', { changed: Array.from({ length: 51 }, String) }, 'a list of 1 to 50 names'],
    ['changed', { changed: [7] }, 'names that are text of 1 to 128 characters'],
    ['changed', { changed: ['a'.repeat(129)] }, 'names that are text of 1 to 128 characters'],
    ['changed', { changed: ['title', 'title'] }, 'must hold each name once'],
    ['changed', { changed: ['title\r\nX: y'] }, 'names without line breaks'],
    ['changed', { changed: ['a\0'] }, 'without control characters'],
    ['changed', { changed: ['titel'] }, 'must not hold titel, which is no field of these events'],
    ['changed', { changed: ['title'], ...both }, 'and order.noted does not: leave it out'],
    ['fields', { fields: { id: true } }, 'must be null or a list of 1 to 50 names'],
    ['fields', { fields: [null] }, 'names that are text of 1 to 256 characters'],
    ['fields', { fields: ['a'.repeat(257)] }, 'names that are text of 1 to 256 characters'],
    ['fields', { fields: ['id\n'] }, 'names without line breaks'],
    ['fields', { fields: ['lines.sku', 'lines.name'] }, 'must not name lines.name'],
    ['fields', { fields: ['__proto__'] }, 'must not name __proto__, which is not a field'],
    ['thin', { thin: 'true' }, 'must be true or false'],
    ['thin', { thin: null }, 'must be true or false'],
    ['template', { template: { text: 'x' } }, 'must be text of 0 to 8192 characters'],
    ['template', { template: `"${'a'.repeat(8192)}"` }, 'must be text of 0 to 8192 characters'],
    ['template', { template: '"\0"' }, 'without control characters'],
    ['template', { template: '{"a": "line\r\nbreak"}' }, 'must be JSON once each {{path}}'],
    ['template', { template: '{"a": "{{data.id}"}' }, 'has {{ without }}, at character 8'],
    ['template', { template: '{"a": "data.id}}"}' }, 'has }} without {{, at character 15'],
    ['template', { template: '{"a": "{{titel}}"}' }, 'names titel, which no body has'],
    [
      'template',
      { template: '{"a": "{{data.titel}}"}' },
      'must not name titel, which is not a field',
    ],
    ['template', { template: '{"{{type}}": 1}' }, 'must not have {{ in the name of a field'],
    ['template', { template: '{{type}}', fields: ['id'] }, 'cannot be used together with fields'],
    ['template', { template: '{{type}}', thin: true }, 'cannot be used together with thin'],
    ['fields', { fields: ['id'], thin: true }, 'cannot be used together with thin'],
    ['template', { template: '{{type}}', contentType: form }, 'makes JSON: set contentType'],
  ])('refuses a wrong %s: %j', async (field, body, reason) => {
    const { id } = (await create({ key: 'right' })).body;
    const before = await api.send('GET', `/hooks/${id}`);
    const answers = [
      await create(body),
      await api.send('PATCH', `/hooks/${id}`, { body }),
      await api.send('PATCH', `/hooks/${id}`, { body, headers: { 'if-match': '"old"' } }),
    ];
    for (const answer of answers.slice(0, 2)) {
      expect(answer.status).toBe(400);
      const refused = answer.body.errors.map((one: { field: string }) => one.field);
      expect(refused).toEqual([field]);
      expect(answer.body.errors[0].reason).toContain(reason);
    }
    expect([400, 412]).toContain(answers[2]!.status);
    expect((await api.send('GET', `/hooks/${id}`)).body).toEqual(before.body);
    expect((await api.subscribers.list({}, 'any')).items).toHaveLength(1);
  });

  it('refuses a change that does not fit to what is stored, and one with an old ETag', async () => {
    const { id } = (await create({ template: CHAT })).body;
    const path = `/hooks/${id}`;
    const tag = (await api.send('GET', path)).headers.get('etag')!;
    const patch = (body: object, headers = {}) => api.send('PATCH', path, { body, headers });
    expect(await patch({ fields: ['id'] })).toMatchObject({
      status: 400,
      body: { errors: [{ code: 'excluded', data: { by: 'fields' } }] },
    });
    expect((await patch({ events: ['order.noted'] })).status).toBe(200);
    expect((await patch({ fields: ['id'], template: null }, { 'if-match': tag })).status).toBe(412);
    expect((await api.send('GET', path)).body).toMatchObject({ template: CHAT, fields: null });
    expect((await patch({ fields: ['id'], template: null })).status).toBe(200);
    expect((await api.send('GET', path)).body).toMatchObject({ template: null, fields: ['id'] });
  });
});

const SHAPES = { url: 'https://api.example.com/hooks' };
const NOTHING_STORED = /have thin, which .*inline\(\) stores no message.*set dispatch: outbox\(\)/;

describe.each(PAIRS)('thin static subscribers on $database with $platform', (pair) => {
  let api: Api;
  let database: TestDatabase;
  let receiver: Receiver;
  const subscriber = (path: string, more = {}) => ({
    ...{ url: receiver.url + path, secret: `a secret of ${path}`.padEnd(24, '.'), thin: true },
    ...more,
  });

  beforeAll(async () => {
    database = await pair.create();
    receiver = await Receiver.start();
    api = await startApi(pair.platform, {
      store: database,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        events: [orders, defineEvents({ 'stock.low': { description: 'Few are left' } })],
        eventTypes: ['order.*'],
        shapes: SHAPES,
        subscribers: {
          'order.paid': subscriber('/declared', { changed: ['title'] }),
          '*': (_, owner) => (owner === 'bob' ? [] : [subscriber('/found')]),
        },
      },
    });
  });

  afterAll(async () => {
    await api?.app.close();
    await database?.drop();
    await receiver?.stop();
  });

  it('fetch the bodies that they get, and no others', async () => {
    const dispatcher = api.app.get(WebhookDispatcher);
    const paid = { owner: 'alice', changed: ['title'], subscribers: subscriber('/given') };
    const { id } = await dispatcher.send('order.paid', data, paid);
    await receiver.waitFor(3);
    const { id: unchanged } = await dispatcher.send('order.paid', data);
    const { id: internal } = await dispatcher.send('stock.low', { sku: 'A-1' });
    await receiver.waitFor(5);
    const { id: ofBob } = await dispatcher.send('order.noted', {}, { owner: 'bob' });
    const ids = new Map(
      receiver.requests.map(({ path, headers }) => [
        path.replace('/hooks', ''),
        String(headers['hook-subscription']),
      ]),
    );
    const read = async (message: string, path: string, secret = subscriber(path).secret) => {
      const headers = { 'hook-subscription': ids.get(path)!, authorization: `Bearer ${secret}` };
      const { status, body } = await api.send('GET', `/hooks/events/${message}`, {
        ...{ as: 'nobody', headers },
      });
      return [status, body?.data];
    };

    for (const path of ['/declared', '/found', '/given']) {
      expect([path, ...(await read(id, path))]).toEqual([path, 200, data]);
    }
    expect(await read(unchanged, '/found')).toEqual([200, data]);
    expect(await read(internal, '/found')).toEqual([200, { sku: 'A-1' }]);
    const refused = [
      [await read(unchanged, '/declared'), 404],
      [await read(unchanged, '/given'), 401],
      [await read(internal, '/declared'), 401],
      [await read(ofBob, '/found'), 401],
      [await read(id, '/found', subscriber('/declared').secret), 401],
      [await read('msg_01900000-0000-7000-8000-000000000000', '/declared'), 401],
      [await read('%00', '/declared'), 401],
    ] as const;
    expect(refused.map(([[status]]) => status)).toEqual(refused.map(([, status]) => status));
  });
});

it('refuses thin with inline(), by the REST API and for a message', async () => {
  const api = await startApi('express', { thorn: { events: orders, shapes: SHAPES } });
  try {
    const subscriber = { url: 'https://example.com/hooks', thin: true };
    const body = { ...subscriber, events: ['order.paid'] };
    const answer = await api.send('POST', '/hooks', { body });
    expect(answer).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'thin', reason: expect.stringContaining('inline() stores no') }] },
    });
    const sent = api.app.get(WebhookDispatcher).send('order.paid', data, {
      subscribers: [{ ...subscriber, secret: SECRET }],
    });
    await expect(sent).rejects.toThrow(NOTHING_STORED);
    expect((await api.subscribers.list({}, 'any')).items).toEqual([]);
  } finally {
    await api.app.close();
  }
});

it.each<[subscriber: object, reason: RegExp, thorn?: object]>([
  [{ changed: ['titel'] }, /those of 'order\.paid' have changed, which must not hold titel/],
  [{ changed: ['title\n'] }, /have changed, which must have names without line breaks/],
  [{ fields: ['titel'] }, /have fields, which must not name titel/],
  [
    { thin: true },
    /have thin, which is not possible here.*\(shapes\.url\)/,
    { dispatch: disabled() },
  ],
  [{ thin: true, secret: SECRET }, NOTHING_STORED, { shapes: SHAPES }],
  [{ thin: true }, /have thin, which needs a secret/, { dispatch: disabled(), shapes: SHAPES }],
  [
    { thin: true, secret: generateSigningKeyPair().privateKey },
    /give the subscriber a secret that is not an ed25519 key/,
    { dispatch: disabled(), shapes: SHAPES },
  ],
  [{ template: '{{type}}' }, /have template, which is not possible here.*\(shapes\.templates\)/],
  [{ template: '{{typo}}' }, /names typo/, { shapes: { templates: true } }],
  [{ fields: ['id'], format: 'x' }, /have fields, which is for the standard format/],
  [{ fields: ['id'] }, /have fields, which is for bodies with the standard/, { envelope: 'thorn' }],
  [{}, /Unknown option .*template/, { shapes: { template: true } }],
  [{}, /shapes\.url. must be the URL/, { shapes: { url: 'https://a.example/hooks?x=1' } }],
  [
    {},
    /shapes\.url. of ThornModule\.forRoot\(\) must end with the path of the REST API: https:\/\/api\.example\.com\/hooks/,
    { shapes: { url: 'https://a.example/api' } },
  ],
])('stops the start for the static subscriber %j', async (subscriber, reason, thorn = {}) => {
  const url = 'https://example.com/hooks';
  const subscribers = { 'order.paid': { url, ...subscriber } };
  await expect(
    startApi('express', { thorn: { events: orders, subscribers, ...thorn } }),
  ).rejects.toThrow(reason);
});

it.each(['file', 'postgres'] as const)(
  'names stored subscribers with a body that is allowed no more, on %s',
  async (kind) => {
    const store = await createDatabase(kind);
    const lines: string[] = [];
    const silent = () => undefined;
    const logger = {
      log: silent,
      error: silent,
      warn: (line: unknown) => void lines.push(String(line)),
    };
    const start = (shapes?: object) =>
      startApi('express', {
        store,
        configure: (app) => app.useLogger(logger),
        thorn: { events: orders, ...(shapes && { shapes }) },
      });
    try {
      const first = await start({ ...SHAPES, templates: true });
      const make = async (body: object): Promise<string> => {
        const url = 'https://example.com/hooks';
        const answer = await first.send('POST', '/hooks', {
          body: { url, events: ['*'], ...body },
        });
        return answer.body.id as string;
      };
      const thin = await make({ thin: true });
      const templates: string[] = [];
      for (let n = 0; n < 11; n++)
        templates.push(
          await make({ template: CHAT, key: `${n}`, url: `https://${n % 2}.example.com/` }),
        );
      await first.app.close();
      expect(lines.filter((line) => line.includes('Stored'))).toEqual([]);

      await (await start()).app.close();
      expect(lines.filter((line) => line.includes('Stored'))).toEqual([
        `Stored subscribers have thin, which needs the option shapes.url: ${thin}. Set shapes.url, or take thin from these subscribers.`,
        `Stored subscribers have template, which needs the option shapes.templates: ${templates.slice(0, 10).join(', ')} and more. Set shapes.templates, or take template from these subscribers.`,
      ]);
    } finally {
      await store.drop();
    }
  },
);

it('warns of paths of fields and of a template that no schema can check', async () => {
  const api = await startApi('express', {
    thorn: {
      events: defineEvents({ 'order.sent': { description: 'without a schema' } }),
      shapes: { templates: true },
    },
  });
  try {
    const send = (body: object) =>
      api.send('POST', '/hooks', {
        body: { url: 'https://example.com/hooks', events: ['order.sent'], ...body },
        as: 'alice',
      });
    const warning = (field: string, path: string) => ({
      field,
      code: 'unchecked-paths',
      reason: `cannot be checked for ${path}, since order.sent has no schema; a field that is missing has no value`,
      data: { paths: [path] },
    });

    expect((await send({ fields: ['titel'] })).body).toMatchObject({
      warnings: [warning('fields', 'titel')],
    });
    expect((await send({ template: '"{{data.titel}}"' })).body).toMatchObject({
      warnings: [warning('template', 'titel')],
    });
    expect((await send({ template: '"{{type}}"' })).body).toMatchObject({ warnings: [] });
  } finally {
    await api.app.close();
  }
});
