import type { IncomingMessage } from 'node:http';
import type { CanActivate } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { ThornConfigurationError } from '../../errors/index.js';
import { ThornModule } from '../../thorn.module.js';
import { type ApiRequest, ApiSettings, type ThornApiOptions } from './api-options.js';

class Guard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}
const owner: ThornApiOptions['owner'] = (request) => request.user.id;

/** As applications declare it, with the request of Express and the payload of a JSON Web Token. */
interface RequestWithUser<User> extends IncomingMessage {
  readonly body: unknown;
  readonly user: User;
  get(header: string): string | undefined;
}
interface JwtPayload {
  readonly sub: number;
  readonly email: string;
}

describe('the options of the REST API', () => {
  it.each<[option: string, options: object]>([
    ['api.guards', { owner }],
    ['api.guards', { owner, guards: [] }],
    ['api.guards', { owner, guards: Guard }],
    ['api.guards', { owner, guards: [undefined] }],
    ['api.unprotected', { owner, unprotected: false }],
    ['api.unprotected', { owner, guards: [Guard], unprotected: 'yes' }],
    ['api.unprotected', { owner, guards: [Guard], unprotected: true }],
    ['api.owner', { guards: [Guard] }],
    ['api.guard', { owner, guard: [Guard], unprotected: true }],
    ['api.imports', { owner, guards: [Guard], imports: Guard }],
    ['api.owner', { guards: [Guard], owner: 'alice' }],
    ['api.challenge', { owner, guards: [Guard], challenge: 'yes' }],
    ['api.problems', { owner, guards: [Guard], problems: 1 }],
    ...['api_key', [''], [5]].map((queryParameters): [string, object] => [
      'api.queryParameters',
      { owner, guards: [Guard], queryParameters },
    ]),
    ['api.limits', { owner, guards: [Guard], limits: 5 }],
    ['api.limits.perOwner', { owner, guards: [Guard], limits: { perOwner: 5 } }],
    ['api.limits.bodyBytes', { owner, guards: [Guard], limits: { bodyBytes: Infinity } }],
    ['api.limits.testsPerMinute', { owner, guards: [Guard], limits: { testsPerMinute: 0 } }],
    [
      'api.limits.subscribersPerOwner',
      { owner, guards: [Guard], limits: { subscribersPerOwner: '9' } },
    ],
    ...['', '/', 'hooks/', 'a//b', ':tenant/hooks', 'hooks*', 'hooks?', 'ho oks', '../x y', 5].map(
      (path): [string, object] => ['api.path', { owner, guards: [Guard], path }],
    ),
    ...['', 'example.com', 'ftp://example.com', 'https://example.com?a=1'].map(
      (baseUrl): [string, object] => ['api.baseUrl', { owner, guards: [Guard], baseUrl }],
    ),
  ])('refuses to start and names %s: %o', (option, options) => {
    const start = () => new ApiSettings(options as ThornApiOptions);

    expect(start).toThrow(ThornConfigurationError);
    expect(start).toThrow(option);
  });

  it('takes a slash before the path, and has defaults', () => {
    expect(new ApiSettings({ owner, guards: [Guard], path: '/account/hooks' }).path).toBe(
      'account/hooks',
    );
    const settings = new ApiSettings({ owner, unprotected: true });
    expect(settings).toMatchObject({ path: 'hooks', guards: [], challenge: false, problems: true });
    expect(settings.limits).toEqual({
      subscribersPerOwner: 100,
      subscribersPerHost: 10,
      testsPerMinute: 10,
      bodyBytes: 65_536,
      deliveriesPerMinute: Number.POSITIVE_INFINITY,
    });
    expect(settings.self('/hooks', 'sub_1')).toBe('/hooks/sub_1');
  });

  it('lets owner read what guards leave on the request', () => {
    const api = <Request extends object = ApiRequest>(owner: ThornApiOptions<Request>['owner']) =>
      ThornModule.forRoot({ api: { unprotected: true, owner } });
    const options = [
      ThornModule.forRoot({ api: { unprotected: true, owner: (request) => request.user.id } }),
      api(async (request) => String(request.user.id)),
      api((request: ApiRequest & { tenant: string }) => request.tenant),
      api((request: RequestWithUser<JwtPayload>) => request.user.sub),
      api((request: { user: { _id: Buffer } }) => request.user._id.toString('hex')),
      api((request: { user?: { id: bigint } }) => request.user?.id),
      // @ts-expect-error the type of the parameter says what a user has
      api((request) => request.user.sub as string),
    ];
    // @ts-expect-error an object is not an owner
    const wrong: ThornApiOptions = { unprotected: true, owner: () => ({ id: 'ada' }) };
    expect([...options, wrong]).toHaveLength(8);
  });
});
