import {
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  mixin,
  Module,
  type NestInterceptor,
  Optional,
  Scope,
  type Type,
  UnauthorizedException,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { ModuleRef, Reflector, REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { inline, ThornModule, type ThornModuleExtras, WebhookDispatcher } from '../../lib/index.js';
import { thornPage } from '../../lib/page/index.js';
import { startApi } from '../support/apps/api-app.js';

@Injectable()
class FirstGuard implements CanActivate {
  canActivate(): boolean {
    throw new UnauthorizedException();
  }
}

/** What a function returns that makes guards without `mixin()`. */
function unnamed(): Type<CanActivate> {
  return class extends FirstGuard {};
}
function interceptor(): Type<NestInterceptor> {
  return class implements NestInterceptor {
    intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
      return next.handle();
    }
  };
}

describe('a class without a name, which some versions of NestJS leave out', () => {
  const owners = { guards: [FirstGuard], owner: () => null };

  it.each<[string, ThornModuleExtras]>([
    [
      '`api` of ThornModule.forRoot() has a guard',
      { api: { ...owners, guards: [FirstGuard, unnamed()] } },
    ],
    [
      '`api` of ThornModule.forRoot() has a guard',
      { api: { ...owners, guards: [unnamed()] }, page: thornPage() },
    ],
    [
      '`api` of ThornModule.forRoot() has a guard',
      { api: { ...owners, decorators: { all: [UseGuards(unnamed())] } } },
    ],
    [
      '`api` of ThornModule.forRoot() has an interceptor',
      { api: { ...owners, decorators: { public: [UseInterceptors(interceptor())] } } },
    ],
    [
      '`operatorApi` of ThornModule.forRoot() has a guard',
      { operatorApi: { guards: [unnamed()] } },
    ],
  ])('is refused: %s', (text, extras) => {
    expect(() => ThornModule.forRoot({ dataSources: [], ...extras })).toThrow(text);
    expect(() => ThornModule.forRoot({ dataSources: [], ...extras })).toThrow('mixin()');
  });

  it.each([true, false])('is asked where mixin() has named it, with a page: %s', async (page) => {
    const api = await startApi('express', {
      api: { ...owners, guards: [mixin(unnamed())] },
      ...(page && { thorn: { page: thornPage() } }),
    });
    expect((await api.send('GET', '/hooks')).status).toBe(401);
    await api.app.close();
  });
});

@Injectable()
class Sessions {}

@Module({ providers: [Sessions], exports: [Sessions] })
class OwnSessionsModule {}

/** As many do: it exports a module that exports the service. */
@Module({ imports: [OwnSessionsModule], exports: [OwnSessionsModule] })
class SessionsModule {}

/** It keeps the service to itself. */
@Module({ imports: [OwnSessionsModule], providers: [Sessions] })
class ClosedModule {}

/** Injects by its type, by a token, by a property, and what may be missing. */
@Injectable()
class SessionGuard extends FirstGuard {
  @Inject(Sessions) readonly sessions!: Sessions;

  constructor(
    readonly same: Sessions,
    @Optional() @Inject('none') readonly none: unknown,
    readonly reflector: Reflector,
    readonly moduleRef: ModuleRef,
    readonly dispatcher: WebhookDispatcher,
  ) {
    super();
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestGuard extends FirstGuard {
  constructor(
    readonly sessions: Sessions,
    @Inject(REQUEST) readonly request: unknown,
  ) {
    super();
  }
}

describe('a guard whose dependencies', () => {
  const api = (imports: Type<object>[] = []) => ({
    api: { guards: [SessionGuard, RequestGuard], owner: () => null, imports },
  });
  const operatorApi = (imports: Type<object>[] = []) => ({
    operatorApi: { guards: [RequestGuard], imports },
  });
  const start = (extras: ThornModuleExtras) =>
    Test.createTestingModule({
      imports: [ThornModule.forRoot({ dataSources: [], dispatch: inline(), ...extras })],
    });

  it.each<[string, string, ThornModuleExtras]>([
    ['api', 'SessionGuard', api()],
    ['api', 'SessionGuard', { ...api(), page: thornPage() }],
    ['api', 'SessionGuard', api([ClosedModule])],
    ['operatorApi', 'RequestGuard', operatorApi()],
  ])('are not imported is refused with the fix: %s', async (option, guard, extras) => {
    const starting = start(extras).compile();

    await expect(starting).rejects.toThrow(
      `\`${option}.imports\` of ThornModule.forRoot() lacks the module that exports Sessions, which the guard ${guard} injects.`,
    );
    await expect(starting).rejects.toMatchObject({ code: 'THORN_OPTION_INVALID' });
  });

  it.each<[string, ThornModuleExtras]>([
    ['api', api([SessionsModule])],
    ['api with a page', { ...api([SessionsModule]), page: thornPage() }],
    ['operatorApi', operatorApi([SessionsModule])],
    ['both, of which one imports for both', { ...api([SessionsModule]), ...operatorApi() }],
    ['the module', { ...operatorApi(), imports: [SessionsModule] }],
  ])('are imported starts: %s', async (_, extras) => {
    const module = await start(extras).compile();
    expect(module.get(WebhookDispatcher)).toBeInstanceOf(WebhookDispatcher);
    await module.close();
  });

  it('are not imported starts where a test has replaced the guard', async () => {
    const module = await start(operatorApi())
      .overrideGuard(RequestGuard)
      .useValue({ canActivate: () => true })
      .compile();
    expect(module.get(WebhookDispatcher)).toBeInstanceOf(WebhookDispatcher);
    await module.close();
  });
});
