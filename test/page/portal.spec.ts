import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Deliveries, outbox, ThornConfigurationError, WebhookDispatcher } from '../../lib/index.js';
import { type Capability, isPortalRequest, Portal, thornPage } from '../../lib/page/index.js';
import { PortalLinks } from '../../lib/portal/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, BearerGuard, owners, platforms, startApi } from '../support/apps/api-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { BODIES, NEEDED, portalRoutes } from '../support/portal-routes.js';

const ALL = ['read', 'write', 'secrets', 'test', 'retry'] as const;
const all = portalRoutes();
const writes = all.filter((route) => !route.startsWith('GET '));
const withIds = all.filter((route) => /:(?:id|delivery)\b/.test(route));

it.each([
  ['nothing', {}, {}, undefined, '/v1/webhooks/'],
  [
    'baseUrl',
    {},
    { baseUrl: 'https://shop.example.com' },
    undefined,
    'https://shop.example.com/v1/webhooks/',
  ],
  [
    'api.baseUrl',
    { baseUrl: 'https://api.example.com/behind' },
    { baseUrl: 'https://shop.example.com' },
    undefined,
    'https://api.example.com/behind/v1/webhooks/',
  ],
  [
    'the url of the page',
    { baseUrl: 'https://api.example.com' },
    {},
    'https://app.example.com/hooks/',
    'https://app.example.com/hooks/',
  ],
])(
  'begins its links with what the application says of its host: %s',
  async (_, api, thorn, url, expected) => {
    const store = await createDatabase('file');
    const started = await startApi('express', {
      store,
      api: { ...owners, ...api },
      thorn: { ...thorn, page: thornPage(url === undefined ? {} : { url }) },
      configure: (app) => app.setGlobalPrefix('v1'),
    });
    try {
      const link = await started.app.get(Portal).link({ owner: 'alice' });
      expect(link.url.split('#')[0]).toBe(expected);
    } finally {
      await started.app.close();
      await store.drop();
    }
  },
);

it('knows what every route needs that is not a GET', () => {
  const unknown = writes.filter((route) => NEEDED[route] === undefined);
  expect(unknown).toEqual([]);
  expect(all.length).toBeGreaterThan(15);
});

/** A guard for the whole application, as APP_GUARD is: it lets in a user, and what Thorn looks at itself. */
@Injectable()
class WholeGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (isPortalRequest(context)) return true;
    const request = context
      .switchToHttp()
      .getRequest<{ url: string; headers: { authorization?: string } }>();
    if (request.url.includes('/webhooks')) return true;
    if (request.headers.authorization === 'Bearer alice-token') return true;
    throw new UnauthorizedException();
  }
}

@Injectable()
class NobodyGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

/** Keeps its check in a property, and lets users of the application in alone. */
@Injectable()
class ArrowGuard implements CanActivate {
  canActivate = (context: ExecutionContext): boolean =>
    context.switchToHttp().getRequest<{ user?: object }>().user !== undefined;
}

describe.each(platforms)('a session on %s', (platform) => {
  let api: Api;
  let database: TestDatabase;
  let receiver: ScriptedReceiver;
  let portal: Portal;
  const things: Record<string, { id: string; delivery: string }> = {};

  beforeAll(async () => {
    database = await createDatabase('memory');
    receiver = await ScriptedReceiver.start();
    api = await startApi(platform, {
      api: { ...owners, guards: [BearerGuard, ArrowGuard] },
      store: database,
      thorn: {
        page: thornPage(),
        operatorApi: { guards: [NobodyGuard] },
        dispatch: outbox({ pollInterval: 25, history: true }),
        recipients: { ...LOOPBACK_RECIPIENTS, allowedPorts: 'any' },
      },
      configure: (app) => app.useGlobalGuards(new WholeGuard()),
    });
    portal = api.app.get(Portal);
    for (const owner of ['alice', 'bob']) {
      const { id } = await api.subscribers.create({ url: receiver.url, events: ['*'], owner });
      await api.app.get(WebhookDispatcher).send('article.created', {}, { owner });
      things[owner] = await vi.waitFor(async () => {
        const { items } = await api.app.get(Deliveries).list({ subscriberId: id }, 'any');
        expect(items).toMatchObject([{ status: 'succeeded' }]);
        return { id, delivery: items[0]!.id };
      });
    }
  });
  afterAll(async () => {
    await api.app.close();
    await receiver.stop();
    await database.drop();
  });

  const exchange = (code: unknown) =>
    api.send('POST', '/webhooks/session', { as: 'nobody', body: { code } });
  const tokenFor = async (owner: string, capabilities: readonly Capability[]) => {
    // Not Portal: it gives no link without `read`, and routes are not to lean on that.
    const { code } = await api.app.get(PortalLinks).create(owner, capabilities, 60_000);
    return String((await exchange(code)).body.token);
  };
  const ask = (route: string, of: string, token: string, body = BODIES[route] ?? {}) => {
    const [method = '', path = ''] = route.split(' ');
    const { id, delivery } = things[of]!;
    const to = path
      .replace(':id', id)
      .replace(':delivery', delivery)
      .replace(':name', 'article.created');
    return api.send(method, to, {
      as: 'nobody',
      headers: { authorization: `Bearer ${token}` },
      ...(method !== 'GET' && { body }),
    });
  };

  it('begins with a link that works once', async () => {
    const { url, code, id } = await portal.link({ owner: 'alice', next: '/endpoints/new' });
    expect(url).toBe(`/webhooks/#code=${code}&next=%2Fendpoints%2Fnew`);
    expect(await portal.list({ owner: 'alice' })).toMatchObject([{ id, openedAt: null }]);
    const first = await exchange(code);
    expect(first.status).toBe(200);
    expect(first.headers.get('cache-control')).toBe('private, no-store');
    expect(first.body).toMatchObject({ capabilities: ['read'], expiresIn: expect.any(Number) });
    expect(first.body.expiresIn).toBeLessThanOrEqual(3_600_000);
    for (const wrong of [code, `${code}x`, first.body.token, '', null, 5, { a: 1 }]) {
      expect((await exchange(wrong)).status).toBe(401);
    }
  });

  it.each(withIds)('answers 404 to %s with the id of another owner', async (route) => {
    const token = await tokenFor('alice', ALL);
    expect([(await ask(route, 'bob', token)).status]).toEqual([404]);
  });

  it.each(writes)('refuses %s without its capabilities, and not with them', async (route) => {
    const needed = NEEDED[route]!;
    for (const missing of needed) {
      const token = await tokenFor(
        'alice',
        ALL.filter((one) => one !== missing),
      );
      expect((await ask(route, 'alice', token)).status).toBe(403);
    }
    if (!needed.includes('read')) {
      expect((await ask(route, 'alice', await tokenFor('alice', ['read']))).status).toBe(403);
    }
    // An id of nobody: so that nothing is deleted that the next one needs.
    const answer = await ask(route, 'bob', await tokenFor('alice', needed));
    expect(answer.status).toBe(route.includes('/:') ? 404 : answer.status);
    expect(answer.status).not.toBe(403);
  });

  it('reads with the capability alone', async () => {
    for (const route of all.filter((one) => one.startsWith('GET '))) {
      // The message that the route names does not exist: the guard has let the caller pass.
      const unknown = route === 'GET /hooks/events/:message' ? [404] : [];
      expect([
        route,
        (await ask(route, 'alice', await tokenFor('alice', ['read']))).status,
      ]).toEqual([
        route,
        expect.toSatisfy((status: number) => [200, 400, ...unknown].includes(status)),
      ]);
      expect((await ask(route, 'alice', await tokenFor('alice', ['write']))).status).toBe(403);
    }
  });

  it('reads the events of its owner, and none of another', async () => {
    const read = async (owner: string, query = '') => {
      const authorization = `Bearer ${await tokenFor(owner, ['read'])}`;
      return api.send('GET', `/hooks/events${query}`, { as: 'nobody', headers: { authorization } });
    };
    const send = (owner: string) =>
      api.app.get(WebhookDispatcher).send('article.created', { of: owner }, { owner });
    for (const owner of ['alice', 'bob']) await send(owner);
    const { body, bodies } = await vi.waitFor(async () => {
      const { body } = await read('bob');
      const bodies = body.items.map((item: { body: unknown }) => item.body);
      expect(bodies).toMatchObject([{}, { data: { of: 'bob' } }]);
      return { body, bodies };
    });
    expect(JSON.stringify(bodies)).not.toContain('alice');
    const foreign = await read('alice', `?after=${body.next}`);
    expect(foreign).toMatchObject({ status: 400, body: { errors: [{ field: 'after' }] } });
    const blind = await tokenFor('bob', ['write', 'retry']);
    expect((await ask('GET /hooks/events', 'bob', blind)).status).toBe(403);
  });

  it('sets a secret with the capability alone', async () => {
    const token = await tokenFor('alice', ['write']);
    for (const field of ['secret', 'hmac_secret']) {
      const body = { [field]: 'a-secret-of-another-person' };
      expect((await ask('PATCH /hooks/:id', 'alice', token, body)).status).toBe(403);
    }
  });

  it('is for its owner, and for nothing but the API', async () => {
    const token = await tokenFor('alice', ALL);
    const { body } = await ask('GET /hooks', 'alice', token);
    const ids = body.items.map((one: { id: string }) => one.id);
    expect(ids).toContain(things['alice']!.id);
    expect(ids).not.toContain(things['bob']!.id);
    const headers = { authorization: `Bearer ${token}` };
    // The guard of the whole application looks at the operator's routes itself; the others take no such token.
    for (const path of ['/hooks-operator/overview', '/hooks-operator/subscribers', '/hooks/self']) {
      expect([path, (await api.send('GET', path, { as: 'nobody', headers })).status]).toEqual([
        path,
        expect.toSatisfy((status: number) => status === 401 || status === 404),
      ]);
    }
  });

  it('ends when it is revoked, and a made-up one never begins', async () => {
    const token = await tokenFor('alice', ['read']);
    expect((await ask('GET /hooks', 'alice', token)).status).toBe(200);
    expect(await portal.revoke({ owner: 'alice' })).toBeGreaterThan(0);
    for (const wrong of [token, 'tpt_', `tpt_${'a'.repeat(43)}`, `tpc_${'a'.repeat(43)}`]) {
      expect((await ask('GET /hooks', 'alice', wrong)).status).toBe(401);
    }
    expect(await portal.list({ owner: 'alice' })).toEqual([]);
  });

  it.each([undefined, null, ''])(
    'is neither listed nor revoked for the owner %j, nor for such an id',
    async (nobody) => {
      await portal.link({ owner: 'alice' });
      const before = await portal.list({ owner: 'alice' });
      for (const asked of [
        portal.list({ owner: nobody as never }),
        portal.revoke({ owner: nobody as never }),
        portal.revoke({ id: nobody as never }),
      ]) {
        await expect(asked).rejects.toThrow(ThornConfigurationError);
      }
      expect(await portal.list({ owner: 'alice' })).toEqual(before);
    },
  );

  it('leaves callers of the application to its own guards', async () => {
    expect((await api.send('GET', '/hooks')).status).toBe(200);
    expect((await api.send('GET', '/hooks', { as: 'nobody' })).status).toBe(401);
  });

  it.each([
    ['owner', { owner: '' }],
    ['capabilities', { owner: 'a', capabilities: ['admin'] }],
    ['capabilities', { owner: 'a', capabilities: [] }],
    ["must hold 'read'", { owner: 'a', capabilities: ['write'] }],
    ['events', { owner: 'a', events: ['article.*'] }],
    ['expiresIn', { owner: 'a', expiresIn: '8d' }],
    ['expiresIn', { owner: 'a', expiresIn: 'soon' }],
    ['next', { owner: 'a', next: 'https://elsewhere.example' }],
    ['scope', { owner: 'a', scope: 1 }],
  ])('is not given with a wrong %s', async (name, options) => {
    await expect(portal.link(options as never)).rejects.toThrow(name);
  });
});
