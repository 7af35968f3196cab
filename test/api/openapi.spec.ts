import { randomBytes } from 'node:crypto';
import type { CanActivate } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  apiControllers,
  ApiSettings,
  operatorControllers,
  OperatorSettings,
} from '../../lib/api/index.js';
import { API_OPERATIONS } from '../../lib/api/openapi/describe-api.js';
import {
  defineEvents,
  Deliveries,
  describeThornApi,
  outbox,
  WebhookDispatcher,
} from '../../lib/index.js';
import { isActive } from '../../lib/extending/index.js';
import { UnsubscribeLinks } from '../../lib/signing/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Answer, type Api, events, platforms, startApi } from '../support/apps/api-app.js';
import { type TestDatabase, sqliteAndPostgres } from '../support/databases.js';

interface Described {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly { name: string; in: string; schema: object }[];
  readonly requestBody?: { content: { 'application/json': { schema: { $ref: string } } } };
  readonly responses: Readonly<
    Record<string, { content?: Record<string, { schema: { $ref: string } }> }>
  >;
}

/** The operator API has to have a guard. */
class Anybody implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

/** An event that tells which of its fields have changed. */
const priced = defineEvents({
  'price.moved': {
    description: 'A price has moved',
    schema: {
      type: 'object',
      properties: {
        net: { type: 'integer' },
        gross: { type: 'integer' },
        tax: { type: 'object', properties: { rate: { type: 'number' } } },
      },
    },
    changed: ['net', 'gross'],
  },
});

const links = new UnsubscribeLinks({
  url: 'https://api.example.com/hooks',
  secret: 'a secret of the application that has 32 characters at least',
});

/** What routes are told of to begin with. */
interface Ids {
  id: string;
  secret: string;
  proof: string;
  delivery: string;
  readonly name: string;
  readonly host: string;
}

const IS_LONG = process.env['THORN_LONG'] === '1';
const RUNS = IS_LONG ? 400 : 25;

function documentOf(api: Api, version: '3.0.0' | '3.1.0' = '3.1.0') {
  const config = new DocumentBuilder().setTitle('Test').setOpenAPIVersion(version).build();
  return describeThornApi(api.app, SwaggerModule.createDocument(api.app, config));
}

function operationsOf(document: { readonly paths: object }): readonly Described[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as object).map(([method, one]) => ({ ...one, path, method })),
  );
}

it('describes every route', () => {
  const settings = new ApiSettings({ unprotected: true, receivers: true, owner: () => null });
  const operators = operatorControllers(new OperatorSettings({ guards: [Anybody] }));
  const handlers = [...apiControllers(settings), ...operators].flatMap((controller) => {
    const name = /^Thorn(\w+)Controller$/.exec(controller.name)![1];
    return Object.getOwnPropertyNames(controller.prototype)
      .filter((method) => Reflect.hasMetadata('method', controller.prototype[method]))
      .map((method) => `${name}.${method}`);
  });
  // Its texts are for a reader.
  const described = handlers.filter((handler) => handler !== 'Problems.explain');
  expect(Object.keys(API_OPERATIONS).sort()).toEqual(described.sort());
});

describe.each(platforms)('the OpenAPI document on %s', (platform) => {
  let api: Api;
  let store: TestDatabase;
  let receiver: ScriptedReceiver;
  let ids: Ids;

  beforeAll(async () => {
    store = await sqliteAndPostgres[0]!.create();
    receiver = await ScriptedReceiver.start();
    // Deliveries wait for another attempt, so that there is something to cancel.
    receiver.otherwise(500);
    api = await startApi(platform, {
      store,
      thorn: {
        dispatch: outbox({ pollInterval: 25, history: true }),
        recipients: LOOPBACK_RECIPIENTS,
        operatorApi: { guards: [Anybody], bodies: true },
        events: [events, priced],
        shapes: { url: 'https://api.example.com/hooks', templates: true },
        encryption: { keys: [{ id: 'first', key: randomBytes(32) }] },
        unsubscribe: {
          url: 'https://api.example.com/hooks',
          secret: 'a secret of the application that has 32 characters at least',
        },
      },
      api: {
        unprotected: true,
        owner: () => 'alice',
        challenge: true,
        receivers: true,
        // Two routes share the tests of an owner: one must not use up what the other needs.
        limits: { subscribersPerOwner: 40, testsPerMinute: RUNS },
      },
    });
    ids = { ...(await anew(api, 'sub_none', receiver.url)), name: 'article.created', host: '*' };
  });
  afterAll(async () => {
    await api.app.close();
    await receiver.stop();
    await store.drop();
  });

  it.each(['3.0.0', '3.1.0'] as const)('is valid as %s, and has the schemas', async (version) => {
    const document = documentOf(api, version);
    const { valid, errors } = await new Validator().validate(
      structuredClone(document) as unknown as Record<string, unknown>,
    );
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
    expect(Object.keys(document.paths).every((path) => !path.endsWith('/'))).toBe(true);
    for (const { path, method, parameters } of operationsOf(document)) {
      const named = parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`);
      expect(named, `${method} ${path}`).toEqual(path.match(/\{\w+\}/g) ?? []);
    }
    expect(document.paths['/hooks']).toMatchObject({
      post: {
        requestBody: {
          content: {
            'application/json': { schema: { $ref: '#/components/schemas/ThornNewSubscriber' } },
          },
        },
        responses: { 201: {}, 400: {}, 401: {}, 409: {}, 413: {} },
      },
    });
    expect(document.components?.schemas).toMatchObject({
      ThornNewSubscriber: { properties: { url: { maxLength: 2048 } } },
    });
  });

  it('covers every answer to random requests: no 5xx, no status or body that it does not describe', async () => {
    const document = documentOf(api);
    const ajv = schemasIn(document);
    const operations = operationsOf(document);
    const schemas = (document.components as { schemas: Record<string, Schema> }).schemas;
    const seen = new Set<string>();

    for (const operation of operations) {
      const call = fc.record({
        path: pathOf(operation, ids),
        query: queryOf(operation),
        body: bodyOf(operation, schemas),
        headers: headersOf(operation, ids),
      });
      await fc.assert(
        fc.asyncProperty(call, async ({ path, query, body, headers }) => {
          const answer = await api.send(operation.method.toUpperCase(), `${path}${query}`, {
            as: 'nobody',
            headers,
            ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body) ?? 'null') }),
          });
          const what = `${operation.method} ${operation.path} → ${answer.status}`;
          seen.add(what);
          // The platform itself answers what it cannot route.
          if (!isOfThePlatform(answer.body) && answer.status !== 414) {
            expectPrivate(answer, operation.path.endsWith('jwks.json'));
          }
          expect(answer.status).toBeLessThan(500);
          expectDescribed(answer, operation, ajv);
        }),
        { numRuns: RUNS, seed: 7 },
      );
      // Whatever was changed or removed on the way.
      Object.assign(ids, await anew(api, ids.id, receiver.url));
    }
    for (const { method, path } of operations) {
      const statuses = [...seen].filter((one) => one.startsWith(`${method} ${path} →`));
      expect(statuses.join(), `${method} ${path}`).toMatch(/→ 2\d\d/);
    }
  });

  it('covers what the fields about bodies and credentials are given: each accepted and each refused', async () => {
    const document = documentOf(api);
    const ajv = schemasIn(document);
    const operations = operationsOf(document);
    const seen = new Set<string>();
    // Random requests may have used the limits of the owner up.
    for (const { id } of (await api.subscribers.list({ limit: 1000 }, 'any')).items) {
      await api.subscribers.delete(id, 'any');
    }
    Object.assign(ids, await anew(api, 'sub_none', receiver.url));
    for (const [method, path] of [
      ['post', '/hooks'],
      ['patch', '/hooks/{id}'],
    ] as const) {
      const operation = operations.find((one) => one.method === method && one.path === path)!;
      const isNew = method === 'post';
      await fc.assert(
        fc.asyncProperty(someOwnFields, async (fields) => {
          const target = path.replace('{id}', ids.id);
          const body = { ...PLAIN, ...(isNew && { url: receiver.url }), ...fields };
          const answer = await api.send(method.toUpperCase(), target, { as: 'nobody', body });
          expectDescribed(answer, operation, ajv);
          expectPrivate(answer, false);
          const isRefused = answer.status === 400;
          expect(isRefused || answer.status === (isNew ? 201 : 200), JSON.stringify(body)).toBe(
            true,
          );
          const names: readonly string[] = isRefused
            ? answer.body.errors.map(({ field }: { field: string }) => field)
            : Object.keys(fields);
          for (const name of names)
            seen.add(`${method} ${name} ${isRefused ? 'refused' : 'accepted'}`);
          if (isNew && !isRefused) await api.subscribers.delete(answer.body.id, 'any');
        }),
        { numRuns: IS_LONG ? 1000 : 150, seed: 7 },
      );
    }
    const expected = ['post', 'patch'].flatMap((method) =>
      Object.keys(OWN_FIELDS).flatMap((name) =>
        ['accepted', 'refused'].map((what) => `${method} ${name} ${what}`),
      ),
    );
    expect([...seen]).toEqual(expect.arrayContaining(expected));
  });

  it('refuses by name each query parameter that a route does not describe', async () => {
    const routes = operationsOf(documentOf(api)).filter(({ parameters }) =>
      parameters.some((one) => one.in === 'query'),
    );
    expect(routes.length).toBeGreaterThanOrEqual(10);
    for (const { method, path } of routes) {
      for (const name of ['limit[]', 'Limit', 'stauts', 'status[in]', '__proto__', 'toString']) {
        const target = path.replaceAll(/\{id\}/g, ids.id);
        const answer = await api.send(method.toUpperCase(), `${target}?${name}=5`, {
          as: 'nobody',
        });
        const reason = expect.stringMatching(/^is not a known parameter; there are \w+/);
        expect({ path, answer }).toMatchObject({
          path,
          answer: {
            status: 400,
            body: { errors: [{ field: name, code: 'unknown-field', reason }] },
          },
        });
      }
    }
  });

  it('describes what the platform answers before a route is reached', async () => {
    const document = documentOf(api);
    const ajv = schemasIn(document);
    const large = Buffer.from(JSON.stringify({ url: 'x'.repeat(2_000_000) }));
    const statuses = new Set<number>();
    for (const operation of operationsOf(document)) {
      const { method, path, parameters, requestBody } = operation;
      const first = parameters.find((one) => one.in === 'path');
      const ids = first ? ['%zz', 'a'.repeat(500)] : [];
      const calls = [
        ...ids.map((id) => [path.replace(`{${first!.name}}`, id), undefined] as const),
        ...(requestBody ? [Buffer.from('{"url": '), large] : []).map(
          (body) => [path, body] as const,
        ),
      ];
      for (const [target, body] of calls) {
        const answer = await api.send(method.toUpperCase(), target, { as: 'nobody', body });
        statuses.add(answer.status);
        expectDescribed(answer, operation, ajv);
      }
    }
    expect([...statuses]).toEqual(expect.arrayContaining([400, 413]));
  });
});

function schemasIn(document: object): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, validateFormats: true });
  addFormats.default(ajv);
  return ajv.addSchema(document, 'document');
}

/** The document has the answer's status, its media type, and the schema that its body follows. */
function expectDescribed(answer: Answer, { method, path, responses }: Described, ajv: Ajv2020) {
  const what = `${method} ${path} → ${answer.status}`;
  const { content } = responses[answer.status] ?? expect.fail(`${what} is not described`);
  const [media] = (answer.headers.get('content-type') ?? '').split(';');
  expect(Object.keys(content ?? { '': {} }), what).toContain(media);
  if (content === undefined) return;
  const validate = ajv.getSchema(`document${content[media!]!.schema.$ref}`)!;
  expect(validate(answer.body) || validate.errors, what).toBe(true);
}

/** Nothing of an owner may stay in a cache, whatever the answer: the public keys alone are for everybody. */
function expectPrivate({ headers }: Answer, isPublic: boolean): void {
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('cache-control')).toMatch(
    isPublic ? /^(?:public, max-age=300|private, no-store)$/ : /^private, no-store$/,
  );
}

/** The subscriber as it is now, or another one if it is gone or gets nothing, with a delivery. */
async function anew(api: Api, id: string, url: string) {
  let found = await api.subscribers.findById(id, 'any');
  if (found === null || !isActive(found)) {
    found = await api.subscribers.create({ url, events: ['*'], owner: 'alice' });
    await api.app.get(WebhookDispatcher).send('order.paid');
  }
  const delivery = await vi.waitFor(async () => {
    const { items } = await api.app.get(Deliveries).list({ subscriberId: found.id }, 'any');
    expect(items).not.toHaveLength(0);
    return items.at(-1)!;
  });

  const proof = links.of(found).split('/').at(-1)!;
  const { id: of, messageId: message } = delivery;
  return { id: found.id, secret: found.secrets[0]!.value, proof, delivery: of, message };
}

interface Schema {
  readonly [key: string]: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}

const odd = fc.oneof(
  fc.json({ maxDepth: 3 }).map((json) => JSON.parse(json) as unknown),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom<unknown>(
    null,
    '',
    0,
    -1,
    1e300,
    [],
    {},
    '\0',
    '\ud800',
    '__proto__',
    'a'.repeat(5000),
  ),
);

function pathOf({ path }: Described, ids: Ids) {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as keyof Ids);
  const values = names.map(() =>
    fc.oneof(
      // Read when it is used: some calls remove it.
      { weight: 12, arbitrary: fc.constant(null) },
      {
        weight: 1,
        arbitrary: fc
          .string({ unit: 'binary', minLength: 1, maxLength: 20 })
          .filter((text) => !/\p{Surrogate}|^\.{1,2}$/u.test(text))
          .map(encodeURIComponent),
      },
      { weight: 1, arbitrary: fc.constantFrom('%zz', '%ff', 'a'.repeat(500)) },
    ),
  );
  return fc
    .tuple(...values)
    .map((given) =>
      names.reduce(
        (text, name, at) => text.replace(`{${name}}`, given[at] ?? encodeURIComponent(ids[name])),
        path,
      ),
    );
}

/** Mostly what the parameter is for. */
const QUERY: Readonly<Record<string, readonly string[]>> = {
  limit: ['1', '20', '100'],
  after: ['dlv_01900000-0000-7000-8000-000000000000'],
  status: ['pending', 'succeeded', 'failed'],
  event: ['order.paid', 'order.*'],
  delivery: ['dlv_1'],
  message: ['msg_1'],
  subscriber: ['sub_1'],
  subject: ['7', 'a "text"'],
  since: ['2020-01-01', new Date(Date.now() - 7_200_000).toISOString()],
  until: ['2126-01-01T00:00:00.5+02:00', new Date().toISOString()],
  by: ['hour', 'day'],
  state: ['active', 'failing'],
  figures: ['lastDay'],
  days: ['1', '90'],
  owner: ['alice', 'nobody'],
};

function queryOf({ parameters }: Described) {
  const names = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
  const fields = names.map((name) => [
    name,
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...(QUERY[name] ?? ['x'])) },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 70 }) },
    ),
  ]);
  const query: fc.Arbitrary<Partial<Record<string, string>>> = fc.record(
    Object.fromEntries(fields) as Record<string, fc.Arbitrary<string>>,
    { requiredKeys: [] },
  );
  const other = fc.oneof(
    { weight: 7, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom('other', 'limit[]') },
  );
  return fc.tuple(query, other).map(([given, name]) => {
    const entries = Object.entries(given).map(
      ([name, text = '']) => `${name}=${encodeURIComponent(text)}`,
    );
    return `?${[...entries, ...(name === undefined ? [] : [`${name}=x`])].join('&')}`;
  });
}

function headersOf(
  { parameters }: Described,
  { id, secret }: Ids,
): fc.Arbitrary<Record<string, string>> {
  if (parameters.some(({ name }) => name === 'Hook-Subscription')) {
    const fitting = { 'hook-subscription': id, authorization: `Bearer ${secret}` };
    return fc.oneof(
      { weight: 4, arbitrary: fc.constant(fitting) },
      fc.constantFrom<Record<string, string>>({}, { ...fitting, authorization: 'Bearer x' }),
    );
  }
  if (!parameters.some(({ name }) => name === 'If-Match')) return fc.constant({});
  const tags = fc.constantFrom('*', '"x"', 'W/"y", "z"', 'malformed', '"');
  return fc
    .option(tags, { nil: undefined, freq: 3 })
    .map((tag): Record<string, string> => (tag === undefined ? {} : { 'if-match': tag }));
}

/** Bodies that are as described, in most fields, and anything else. */
function bodyOf({ requestBody }: Described, schemas: Readonly<Record<string, Schema>>) {
  if (requestBody === undefined) return fc.constant(undefined);
  const name = requestBody.content['application/json'].schema.$ref.split('/').at(-1)!;
  const { properties = {}, required = [] } = schemas[name]!;
  const fields = Object.entries(properties).map(([field, schema]) => [
    field,
    fc.oneof({ weight: 15, arbitrary: valueOf(field, schema) }, { weight: 1, arbitrary: odd }),
  ]);
  const wellFormed: fc.Arbitrary<Record<string, unknown>> = fc.record(
    Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>,
    {
      requiredKeys: [
        ...(required as string[]),
        ...(name === 'ThornNewSubscriber' ? ['url', 'events'] : []),
      ],
    },
  );
  const few = wellFormed.map((body) => {
    // Both names of one field are refused: mostly without those of Thorn.
    const rest = Object.entries(body).filter(
      ([field]) => !/^(?:event$|content_|hmac_)/.test(field),
    );
    return name === 'ThornTest' ? body : Object.fromEntries(rest);
  });
  // The more fields a body has, the more rarely all of them fit together.
  const all = Object.keys(properties);
  const sparse = fc
    .tuple(few, fc.subarray(all, { maxLength: Math.min(3, all.length) }))
    .map(([body, kept]) => {
      const names = new Set([...(required as string[]), 'url', 'events', ...kept]);
      return Object.fromEntries(Object.entries(body).filter(([field]) => names.has(field)));
    });
  return fc.oneof(
    { weight: 5, arbitrary: few },
    { weight: 4, arbitrary: sparse },
    { weight: 2, arbitrary: wellFormed },
    odd,
  );
}

/** The fields of a subscriber of `price.moved` before a body of its own, for the fields below. */
const PLAIN = {
  ...{ events: ['price.moved'], exclude: [], filter: null, contentType: 'application/json' },
  ...{ changed: null, fields: null, thin: false, template: null },
};
const OAUTH2 = { type: 'oauth2', tokenUrl: 'https://9.9.9.9/token', clientId: 'one' };

/** Values of fields about bodies and credentials, which a subscriber of `price.moved` may have and may not have. */
const OWN_FIELDS: Readonly<Record<string, readonly [right: unknown[], wrong: unknown[]]>> = {
  changed: [
    [['net'], ['net', 'gross'], null],
    [['title'], ['net', 'net'], [], 'net', [7]],
  ],
  fields: [
    [['net'], ['net', 'tax.rate'], null],
    [['a.b'], ['net', 'net'], 'net', ['net\n']],
  ],
  thin: [
    [true, false],
    ['true', null, 1],
  ],
  template: [
    ['{"text": "{{data.net}}"}', '{{data}}', null],
    ['{"text": "{{net}"}', '{{data.title}}', '{{', 'x', 7],
  ],
  headers: [
    [{}, { 'X-Api-Key': 'one', Cookie: 'a=b' }, { 'x-api-key': null }],
    [{ Host: 'x' }, { 'X-A': 'a\r\nb: c' }, null, ['X-A'], { 'X A': 'a' }],
  ],
  auth: [
    [
      ...[null, { type: 'bearer', token: 'one' }],
      { type: 'basic', username: 'one', password: 'two' },
      { ...OAUTH2, clientSecret: 'two', scope: 'one two' },
    ],
    [
      ...[{ type: 'bearer', token: '' }, { type: 'other' }, 'bearer', { token: 'one' }],
      ...[
        { ...OAUTH2, tokenUrl: 'http://10.0.0.1/', clientSecret: 'two' },
        { type: 'basic', a: 1 },
      ],
    ],
  ],
  timeout: [
    [null, 1000, 30_000],
    [999, 30_001, 1.5, '1000'],
  ],
};

/** One to three of the fields, most of them with values that fit. */
const someOwnFields = fc
  .subarray(Object.keys(OWN_FIELDS), { minLength: 1, maxLength: 3 })
  .chain((names) =>
    fc.record(
      Object.fromEntries(
        names.map((name) => {
          const [right, wrong] = OWN_FIELDS[name]!;
          const either = fc.oneof(
            { weight: 8, arbitrary: fc.constantFrom(...right) },
            { weight: 2, arbitrary: fc.constantFrom(...wrong) },
            { weight: 1, arbitrary: odd },
          );
          return [name, either];
        }),
      ),
    ),
  );

function valueOf(field: string, schema: Schema): fc.Arbitrary<unknown> {
  const known: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    url: fc.constantFrom('https://example.com/', 'https://other.example.com/a?b=c'),
    ids: fc.constantFrom(['dlv_1'], ['dlv_1', 'dlv_2']),
    events: fc.constantFrom(['*'], ['article.*', 'order.paid'], ['price.moved']),
    exclude: fc.constantFrom([], ['article.*']),
    fields: fc.constantFrom(null, null, null, ['title'], ['a.b', 'a.b']),
    thin: fc.constantFrom(false, false, false, true),
    template: fc.constantFrom(
      null,
      null,
      null,
      '{"text": "{{data.title}}"}',
      '{"text": "{{title}"}',
    ),
    changed: fc.constantFrom(null, null, null, ['net'], ['title'], ['title', 'title']),
    filter: fc.constantFrom(null, { title: 'x' }, { OR: [{ a: { gt: 5 } }, { b: null }] }),
    contentType: fc.constantFrom('application/json', 'application/x-www-form-urlencoded'),
    holdFor: fc.constant(null),
    expiresAt: fc.constantFrom(null, '2126-01-01T00:00:00.000Z'),
    key: fc.constantFrom(null, 'one', 'two'),
    rateLimit: fc.constantFrom(null, { max: 10, per: 1000 }),
    secret: fc.constantFrom('a secret of my own', 'another secret of mine'),
    event: fc.constantFrom('thorn.ping', 'article.created'),
    host: fc.constantFrom('*', 'example.com:8080'),
    overlap: fc.constantFrom('24h', 0, 5000),
    since: fc.constantFrom('2020-01-01', '2026-01-01T00:00:00.000Z'),
    until: fc.constantFrom('2020-01-01', '2126-01-01T00:00:00.000Z'),
    after: fc.constantFrom('5:x', QUERY['after']![0], 'subscribers/'),
    description: fc.oneof(fc.constant(null), fc.string()),
    headers: fc.constantFrom({}, { 'X-Api-Key': 'one', Cookie: 'a=b' }, { 'x-api-key': null }),
    auth: fc.constantFrom(
      null,
      { type: 'bearer', token: 'one' },
      { type: 'basic', username: 'one', password: 'two' },
      {
        ...{ type: 'oauth2', tokenUrl: 'https://example.com/token?a=b', scope: 'one two' },
        ...{ clientId: 'one', clientSecret: 'two' },
      },
    ),
    timeout: fc.constantFrom(null, 1000, 30_000),
    metadata: fc.dictionary(fc.string({ minLength: 1, maxLength: 10 }), fc.string()),
  };
  if (known[field] !== undefined) return known[field];
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
  return schema['type'] === 'boolean' ? fc.boolean() : odd;
}

function isOfThePlatform(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'statusCode' in body;
}
