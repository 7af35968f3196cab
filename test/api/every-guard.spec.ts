import {
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thornPage } from '../../lib/page/index.js';
import { type Api, platforms, startApi } from '../support/apps/api-app.js';

interface Route {
  readonly method: string;
  readonly path: string;
}

/** The guards and `owner` that were asked for the request that is under way. */
let asked: string[] = [];
/** The guard that refuses; the others let callers in. */
let refusing = '';

function ask(name: string): boolean {
  asked.push(name);
  if (name === refusing) throw new UnauthorizedException();
  return true;
}

@Injectable()
class FirstGuard implements CanActivate {
  canActivate(): boolean {
    return ask('first');
  }
}
@Injectable()
class SecondGuard implements CanActivate {
  // As a property, which a method of a class around it would not replace.
  canActivate = (_context: ExecutionContext): boolean => ask('second');
}
@Injectable()
class OperatorGuard implements CanActivate {
  canActivate(): boolean {
    return ask('operator');
  }
}
@Injectable()
class SecondOperatorGuard extends OperatorGuard {
  override canActivate(): boolean {
    return ask('second operator');
  }
}

/** The routes for callers without an account: each proves itself otherwise, or shows nothing of anybody. */
const PUBLIC = [
  'GET /hooks/.well-known/jwks.json',
  'GET /hooks/problems/:code',
  'GET /hooks-operator/problems/:code',
  'POST /hooks/unsubscribe/:id/:proof',
  'GET /hooks/self',
  'PATCH /hooks/self',
  'DELETE /hooks/self',
];

const cases = platforms.flatMap((platform) =>
  [true, false].map((page) => ({ platform, page, name: page ? 'with the page' : 'alone' })),
);

describe.each(cases)('every route of the APIs, $name, on $platform', ({ platform, page }) => {
  let api: Api;
  let routes: readonly Route[];

  beforeAll(async () => {
    const found: Route[] = [];
    api = await startApi(platform, {
      api: {
        guards: [FirstGuard, SecondGuard],
        owner: () => (ask('owner') ? undefined : null),
        receivers: true,
      },
      thorn: {
        operatorApi: { guards: [OperatorGuard, SecondOperatorGuard] },
        ...(page && { page: thornPage() }),
      },
      configure: (app) => {
        if (platform === 'fastify') watchFastify(app, found);
      },
    });
    if (platform === 'express') found.push(...expressRoutes(api.app));
    routes = found;
  });
  afterAll(() => api?.app.close());

  it.each(['first', 'second', 'owner'])('of owners asks the guards: %s refuses', async (name) => {
    refusing = name;
    const guards = ['first', 'second', 'owner'];
    const expected = guards.slice(0, guards.indexOf(name) + 1);
    const owned = routes.filter(({ path }) => isBelow(path, '/hooks'));
    const own = owned.filter((route) => !PUBLIC.includes(nameOf(route)));

    expect(own.length).toBeGreaterThan(20);
    for (const route of own) await expectRefusal(api, route, expected);
  });

  it.each(['operator', 'second operator'])(
    'of operators asks the guards: %s refuses',
    async (name) => {
      refusing = name;
      const expected = ['operator', ...(name === 'operator' ? [] : [name])];
      const operated = routes.filter(({ path }) => isBelow(path, '/hooks-operator'));
      const operators = operated.filter((route) => !PUBLIC.includes(nameOf(route)));

      expect(operators.length).toBeGreaterThan(15);
      for (const route of operators) await expectRefusal(api, route, expected);
    },
  );

  it('is one of these, of the page, or meant for callers without an account', () => {
    const others = routes.filter(
      ({ path }) => !['/hooks', '/hooks-operator', '/webhooks'].some((one) => isBelow(path, one)),
    );

    expect(others.map(nameOf)).toEqual([]);
    expect(routes.some(({ path }) => isBelow(path, '/webhooks'))).toBe(page);
    expect(routes.map(nameOf)).toEqual(expect.arrayContaining(PUBLIC));
  });
});

async function expectRefusal(api: Api, route: Route, expected: readonly string[]): Promise<void> {
  asked = [];
  const { status } = await api.send(route.method, route.path.replaceAll(/:\w+/g, 'some'), {
    as: 'nobody',
    ...(route.method !== 'GET' && { body: {} }),
  });
  expect({ route: nameOf(route), status, asked }).toEqual({
    route: nameOf(route),
    status: 401,
    asked: expected,
  });
}

function nameOf({ method, path }: Route): string {
  return `${method} ${path}`;
}

function isBelow(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`);
}

function expressRoutes(app: INestApplication): Route[] {
  const { router } = app.getHttpAdapter().getInstance() as {
    router: {
      stack: readonly {
        route?: { path: string; stack: readonly { method: string }[] };
      }[];
    };
  };
  return router.stack.flatMap(({ route }) =>
    route === undefined
      ? []
      : route.stack.map(({ method }) => ({ method: method.toUpperCase(), path: route.path })),
  );
}

function watchFastify(app: INestApplication, found: Route[]): void {
  const fastify = app.getHttpAdapter().getInstance() as {
    addHook(name: 'onRoute', hook: (route: { method: string; url: string }) => void): void;
  };
  fastify.addHook('onRoute', ({ method, url }) => {
    // Fastify adds HEAD to each GET. A second path with a slash at its end is the same route.
    if (method !== 'HEAD' && !url.endsWith('/')) found.push({ method, path: url });
  });
}
