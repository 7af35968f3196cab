import {
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  Injectable,
  Module,
  type NestInterceptor,
  SetMetadata,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, Reflector } from '@nestjs/core';
import { map, type Observable, tap } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import {
  type Api,
  BearerGuard,
  owners,
  platforms,
  startApi,
  Users,
} from '../support/apps/api-app.js';
import { sqliteAndPostgres } from '../support/databases.js';

const Public = () => SetMetadata('isPublic', true);

/** A guard as applications bind it globally: all callers need a user, except on routes that are marked. */
@Injectable()
class GlobalGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly users: Users,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean>('isPublic', targets)) return true;
    return new BearerGuard(this.users).canActivate(context);
  }
}

@Module({ providers: [Users, { provide: APP_GUARD, useClass: GlobalGuard }] })
class GuardModule {}

/** An envelope as applications put it around every response. */
@Injectable()
class EnvelopeInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const response = context.switchToHttp().getResponse<{ header(...of: string[]): void }>();
    return next.handle().pipe(
      map((data: unknown) => ({ data, success: true })),
      tap(() => response.header('X-Enveloped', 'true')),
    );
  }
}

@Module({ providers: [{ provide: APP_INTERCEPTOR, useClass: EnvelopeInterceptor }] })
class EnvelopeModule {}

describe.each(platforms)('the REST API on %s, in an application', (platform) => {
  let api: Api;
  afterEach(() => api.app.close());

  describe('with a guard that is bound globally', () => {
    const start = async (decorators: object) =>
      (api = await startApi(platform, {
        api: { unprotected: true, owner: owners.owner, receivers: true, decorators },
        thorn: { imports: [GuardModule] },
      }));
    const statuses = async () =>
      Promise.all(
        [
          ['GET', '/hooks'],
          ['GET', '/hooks/.well-known/jwks.json'],
          ['POST', '/hooks/unsubscribe/sub_1/proof'],
        ].map(async ([method, path]) => (await api.send(method!, path!, { as: 'nobody' })).status),
      );

    it('opens the public controllers to callers without an account', async () => {
      await start({ public: [Public()] });
      expect(await statuses()).toEqual([401, 200, 404]);
      const { body } = await api.send('POST', '/hooks', {
        body: { url: 'https://example.com/in', event: 'article.*' },
      });
      const self = await api.send('GET', '/hooks/self', {
        as: 'nobody',
        headers: { 'hook-subscription': body.id, authorization: `Bearer ${body.secret}` },
      });
      expect(self).toMatchObject({ status: 200, body: { id: body.id } });
    });

    it('keeps the public controllers closed without the decorators', async () => {
      await start({});
      expect(await statuses()).toEqual([401, 401, 401]);
    });

    it('puts decorators on all controllers', async () => {
      await start({ all: [Public()] });
      api.app.get(Reflector);
      expect((await api.send('GET', '/hooks/.well-known/jwks.json', { as: 'nobody' })).status).toBe(
        200,
      );
      // The guard lets the caller pass, and there is no user for `owner`.
      expect((await api.send('GET', '/hooks', { as: 'nobody' })).status).toBe(500);
    });
  });

  it('rejects decorators that are not functions', async () => {
    api = await startApi(platform);
    for (const [decorators, message] of [
      [{ all: ['Public'] }, '`api.decorators.all` must be a list of class decorators'],
      [{ every: [] }, 'Unknown option `api.decorators.every`. Valid options: all, public.'],
    ] as const) {
      const starting = startApi(platform, { api: { ...owners, decorators: decorators as object } });
      await expect(starting).rejects.toThrow(message);
    }
  });

  it('answers as it is, whatever envelope the application puts around its responses', async () => {
    const [kind] = sqliteAndPostgres;
    const store = await kind!.create();
    const receiver = await ScriptedReceiver.start();
    api = await startApi(platform, {
      store,
      api: owners,
      thorn: {
        imports: [EnvelopeModule],
        recipients: LOOPBACK_RECIPIENTS,
        operatorApi: { guards: [BearerGuard], imports: [] },
      },
    });
    try {
      const jwks = await api.send('GET', '/hooks/.well-known/jwks.json/', { as: 'nobody' });
      expect(jwks).toMatchObject({ status: 200, body: { keys: [] } });
      expect(jwks.headers.get('content-type')).toMatch(/^application\/json/);
      expect(jwks.headers.get('cache-control')).toBe('public, max-age=300');

      const created = await api.send('POST', '/hooks', {
        body: { url: receiver.url, event: 'article.*' },
      });
      expect(created).toMatchObject({ status: 201, body: { url: receiver.url } });
      // The application's interceptors do their other work.
      expect(created.headers.get('x-enveloped')).toBe('true');
      expect(created.headers.get('location')).toBe(created.body.self);
      await api.app.get(WebhookDispatcher).send('article.created', {}, { owner: 'alice' });

      const { self } = created.body;
      for (const [path, fields] of [
        ...[
          ['', 'items next'],
          ['/deliveries', 'items next'],
          ['/stats', 'by total items'],
        ],
        ...[
          ['/event-types', 'items'],
          ['/openapi.json', 'webhooks'],
          ['/health', 'failing'],
        ],
      ] as const) {
        const { status, body } = await api.send('GET', `/hooks${path}`);
        expect([path, status, Object.keys(body)]).toEqual([
          path,
          200,
          expect.arrayContaining(fields.split(' ')),
        ]);
      }
      expect((await api.send('GET', self)).body.id).toBe(created.body.id);
      expect((await api.send('GET', '/hooks-operator/overview')).body).toHaveProperty('pauses');

      const key = { 'idempotency-key': 'once' };
      const body = { since: '2026-01-01', dryRun: true };
      const path = `${self}/recover`;
      const first = await api.send('POST', path, { body, headers: key });
      expect(first).toMatchObject({ status: 200, body: { scheduled: 0, next: null } });
      const again = await api.send('POST', path, { body, headers: key });
      expect([again.status, again.body]).toEqual([200, first.body]);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      const pruned = await api.send('POST', '/hooks-operator/prune', { body: { dryRun: true } });
      expect(pruned).toMatchObject({ status: 200, body: { deleted: 0, next: null } });
      // Problems keep their shape as well.
      expect((await api.send('POST', path, { body: {} })).body).toMatchObject({ status: 400 });
      expect(await api.send('DELETE', self)).toMatchObject({ status: 204, body: undefined });
    } finally {
      await receiver.stop();
    }
  });
});
