import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { OWNER_OPERATIONS } from '../../lib/api/openapi/operations.js';
import { Deliveries, WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, BearerGuard, owners, platforms, startApi } from '../support/apps/api-app.js';
import { type TestDatabase, sqliteAndPostgres } from '../support/databases.js';

// Create and change are in api.spec.ts, ids in api-owners.spec.ts, whatever fits no table in api-openapi.spec.ts.

const since = '2026-01-01T00:00:00Z';
const LONG = 'a'.repeat(5000);
const MALFORMED_TIMES: unknown[] = [
  null,
  0,
  1.5,
  '',
  'yesterday',
  '2026-13-01',
  '2026-02-29',
  '2026-04-31T08:00:00Z',
  '2026-01-01T25:00:00Z',
  '2026-01-01T00:00:00',
  '2026-1-1',
  ['2026-01-01'],
  {},
  LONG,
];
const CURSORS: unknown[] = [
  null,
  5,
  '',
  'x',
  '0',
  'dlv_',
  'dlv_ ',
  `dlv_${LONG}`,
  'dlv_é',
  `1:${LONG}`,
  ['1:x'],
];

/** Bodies: of each route its fields, what is wrong with them, and what else the route needs. */
const BODIES: Readonly<Record<string, { rest?: object; fields: Record<string, unknown[]> }>> = {
  '/test': {
    fields: {
      event: [
        null,
        5,
        '',
        'nothing.here',
        ['article.created'],
        {},
        LONG,
        'article.*',
        'stock.{sku}.low',
      ],
      data: [JSON.parse('['.repeat(40) + ']'.repeat(40))],
    },
  },
  '/rotate-secret': {
    fields: {
      overlap: [-1, 1.5, '', '24', '24 h', '91d', '1w', [], {}, true, LONG, 1e300],
      secret: [
        null,
        5,
        '',
        'short',
        [],
        {},
        'a'.repeat(513),
        'whsec_short',
        'a\nb with a line break',
      ],
    },
  },
  '/end-rotation': { fields: {} },
  '/enable': { fields: {} },
  '/disable': { fields: {} },
  '/challenge': { fields: {} },
  '/retry': { fields: {} },
  '/cancel': { fields: {} },
  '/deliveries/retry': {
    fields: {
      ids: [
        ...[undefined, null, 'dlv_1', 5, {}, [], [null], [5], ['a b'], [''], ['\0']],
        ...[['dlv_1', 'dlv_1'], Array.from({ length: 101 }, (_, at) => `dlv_${at}`)],
      ],
    },
  },
  '/filter-preview': {
    fields: {
      filter: [5, 'x', [], { AND: 'x' }],
      events: [null, [], 'x', ['a..b'], [5]],
      exclude: [null, 'x', ['a..b'], [5]],
    },
  },
  '/recover': {
    rest: { since },
    fields: {
      since: [undefined, ...MALFORMED_TIMES],
      until: [...MALFORMED_TIMES, since, '2020-01-01'],
      dryRun: [null, 'true', 1, {}],
      after: [...CURSORS, '1:x'],
    },
  },
  '/backfill': {
    rest: { since },
    fields: {
      since: [undefined, ...MALFORMED_TIMES],
      until: [...MALFORMED_TIMES, since, '2020-01-01'],
      dryRun: [null, 'true', 1, {}],
      after: [...CURSORS, '1', '1:', ':x', `${'9'.repeat(16)}:x`, 'subscribers/'],
    },
  },
};
/** Set by the server or unknown: refused by every route that takes a body. */
const NEVER = ['id', 'owner', 'subscriber', 'createdAt', 'colour', 'constructor', 'hasOwnProperty'];

/** Query parameters. */
const QUERIES: Readonly<Record<string, Record<string, string[]>>> = {
  '': {
    limit: ['0', '101', '-1', '1.5', 'x', '', '1&limit=2', '1e1', '%00'],
    after: ['', '%00', '%20', 'é', LONG, 'a&after=b'],
    search: ['', '%00', 'a%01b', 'a'.repeat(201), 'a&search=b'],
    state: ['', 'ACTIVE', 'broken', 'active&state=failing', '%00'],
    figures: ['', 'LASTDAY', 'all', 'lastDay&figures=lastDay', '%00'],
  },
  '/deliveries': {
    limit: ['0', '101', 'x', '1&limit=2'],
    after: ['', '%00', LONG, 'a&after=b', 'dlv_x', 'sub_1'],
    status: ['', 'done', 'FAILED', 'failed&status=pending', '%00'],
    event: ['', '%00', 'a%20b', LONG, 'a&event=b', 'é', 'a..b', 'a*', '.', '%25'],
    delivery: ['', '%00', 'a%20b', 'a'.repeat(65), 'a&delivery=b'],
    message: ['', '%00', 'a%20b', 'a'.repeat(65), 'a&message=b'],
    subject: ['', '%00', 'a'.repeat(256), 'a&subject=b'],
    since: ['', '0', 'yesterday', '2026-01-01T00:00:00', '2026-13-01', 'a&since=b', LONG],
    until: [
      ...['', '0', 'yesterday', '2026-01-01T00:00:00', '2026-13-01', 'a&until=b', LONG],
      '2026-01-01&since=2026-03-01',
    ],
  },
  '/hooks/stats': {
    subscriber: ['', '%00', 'a%20b', 'a'.repeat(65), 'a&subscriber=b'],
    by: ['', 'week', 'HOUR', 'day&by=hour'],
    since: ['', '0', '2026-13-01', 'a&since=b', '2020-01-01', '2126-01-01'],
    until: ['', '0', '2026-13-01', 'a&until=b'],
  },
  '/hooks/deliveries': { subscriber: ['', '%00', 'a%20b', 'a'.repeat(65), 'a&subscriber=b'] },
  '/changes': {
    limit: ['0', '101', 'x', '', '1&limit=2'],
    after: ['', '%00', '%20', LONG, 'a&after=b'],
  },
  '/stats': { days: ['', '0', '91', '-1', '1.5', 'x', '1&days=2', LONG] },
};

it('has a row for every field that a route accepts', () => {
  const queries = Object.values(OWNER_OPERATIONS).flatMap(({ query = {} }) => Object.keys(query));
  const known = Object.values(QUERIES).flatMap((fields) => Object.keys(fields));
  expect([...new Set(known)].sort()).toEqual([...new Set(queries)].sort());
  const bodies = Object.values(OWNER_OPERATIONS).filter(({ body }) => body !== undefined);
  // Two routes that create and change, and the one of receivers, have tables of their own.
  expect(bodies).toHaveLength(Object.keys(BODIES).length + 3);
});

describe.each(platforms)('bad input on %s', (platform) => {
  let api: Api;
  let store: TestDatabase;
  let receiver: ScriptedReceiver;
  let self: string;
  let delivery: string;

  beforeAll(async () => {
    store = await sqliteAndPostgres[0]!.create();
    receiver = await ScriptedReceiver.start();
    api = await startApi(platform, {
      store,
      thorn: { recipients: LOOPBACK_RECIPIENTS, retries: { schedule: [] } },
    });
    receiver.otherwise(500);
    const body = { url: receiver.url, events: ['*'] };
    ({ self } = (await api.send('POST', '/hooks', { body })).body);
    await api.app.get(WebhookDispatcher).send('order.paid', {}, { owner: 'alice' });
    delivery = await vi.waitFor(async () => {
      const { items } = await api.app.get(Deliveries).list({}, 'any');
      expect(items).toMatchObject([{ status: 'failed' }]);
      return `/hooks/deliveries/${items[0]!.id}`;
    });
  });
  afterAll(async () => {
    await api.app.close();
    await receiver.stop();
    await store.drop();
  });

  const pathOf = (route: string) => {
    if (['/filter-preview', '/deliveries/retry'].includes(route)) return `/hooks${route}`;
    return (['/retry', '/cancel'].includes(route) ? delivery : self) + route;
  };
  async function snapshot(): Promise<unknown> {
    const tables = ['thorn_subscribers', 'thorn_messages', 'thorn_deliveries', 'thorn_attempts'];
    const dataSource = api.app.get(DataSource);
    const rows = await Promise.all(
      tables.map((table) => dataSource.query(`SELECT * FROM ${table}`)),
    );
    return [rows, receiver.received.length];
  }

  it.each(Object.keys(BODIES))('POST …%s rejects every wrong field by its name', async (route) => {
    const { fields, rest = {} } = BODIES[route]!;
    const before = await snapshot();
    const wrong: [string, unknown][] = Object.entries(fields).flatMap(([field, values]) =>
      values.map((value): [string, unknown] => [field, value]),
    );
    for (const [field, value] of [...wrong, ...NEVER.map((name) => [name, 'x'] as const)]) {
      const body = { ...rest, [field]: value };
      const answer = await api.send('POST', pathOf(route), { body });
      const shown = `${field}: ${JSON.stringify(value)?.slice(0, 60)}`;
      expect({ shown, status: answer.status, body: answer.body }).toMatchObject({
        shown,
        status: 400,
        body: { status: 400, errors: [{ field, reason: expect.any(String) }] },
      });
      expect(JSON.stringify(answer.body).length).toBeLessThan(1000);
    }
    expect(await snapshot()).toEqual(before);
  });

  it.each(Object.keys(BODIES))(
    'POST …%s rejects bodies that are not an object of fields',
    async (route) => {
      const before = await snapshot();
      for (const [text, type] of [
        ['[]'],
        ['null'],
        ['5'],
        ['"text"'],
        ['{"since": '],
        ['{"__proto__": {"since": "2026-01-01"}}'],
        ['since=2026-01-01', 'application/x-www-form-urlencoded'],
        ['{}', 'text/plain'],
      ] as const) {
        const call = { body: Buffer.from(text), ...(type && { type }) };
        const { status, body, headers } = await api.send('POST', pathOf(route), call);
        expect({ text, status }).toEqual({ text, status: type === undefined ? 400 : 415 });
        // What Fastify says of text that is not JSON is Fastify's, and does not quote it.
        if (platform === 'fastify' && text.startsWith('{"')) continue;
        expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
        expect(body).toMatchObject({ type: expect.any(String), errors: [expect.any(Object)] });
        expect(JSON.stringify(body)).not.toMatch(/text"|since|Unexpected/);
      }
      expect(await snapshot()).toEqual(before);
    },
  );

  it.each(Object.keys(QUERIES))(
    'GET …%s rejects every wrong parameter by its name',
    async (route) => {
      const path = route.startsWith('/hooks') ? route : route === '' ? '/hooks' : self + route;
      for (const [field, values] of Object.entries(QUERIES[route]!)) {
        for (const value of values) {
          const answer = await api.send('GET', `${path}?${field}=${value}`);
          const shown = `${field}=${value.slice(0, 60)}`;
          expect({ shown, status: answer.status, body: answer.body }).toMatchObject({
            shown,
            status: 400,
            body: { errors: [{ field }] },
          });
        }
      }
    },
  );
});

it.each(platforms)(
  'accepts query parameters of guards that the application names, on %s',
  async (platform) => {
    const api = await startApi(platform, {
      api: { ...owners, queryParameters: ['api_key'] },
      thorn: { operatorApi: { guards: [BearerGuard], queryParameters: ['ticket'] } },
    });
    const statusOf = async (path: string) => (await api.send('GET', path)).status;
    try {
      expect(await statusOf('/hooks?limit=5&api_key=x')).toBe(200);
      expect(await statusOf('/hooks?ticket=x')).toBe(400);
      expect(await statusOf('/hooks-operator/subscribers?ticket=x')).toBe(200);
      expect(await statusOf('/hooks-operator/subscribers?api_key=x')).toBe(400);
    } finally {
      await api.app.close();
    }
  },
);
