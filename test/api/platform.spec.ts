import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, platforms, startApi } from '../support/apps/api-app.js';

/** What never reaches a route, and is the platform's to refuse; where it lets one through, the API does. */
const REFUSED = [
  { what: 'a body that is cut off', text: '{"url": ', express: 400, fastify: 400 },
  { what: 'a body that is no JSON', text: 'url=x', express: 400, fastify: 400 },
  {
    what: 'a body beyond the limit of the platform',
    text: JSON.stringify({ url: 'x'.repeat(2_000_000) }),
    express: 413,
    fastify: 413,
  },
  {
    what: 'a charset that nobody knows',
    text: '{}',
    type: 'application/json; charset=x-none',
    express: 415,
    fastify: null,
  },
  { what: 'another media type', text: '<a/>', type: 'text/xml', express: null, fastify: 415 },
] as const;

/** As applications write it that want every error in a shape of their own. */
@Catch(HttpException)
class OwnShape implements ExceptionFilter<HttpException> {
  catch(exception: HttpException, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<{
      status(code: number): { send(body: object): void };
    }>();
    response.status(exception.getStatus()).send({ own: exception.getStatus() });
  }
}

describe.each(platforms)('what %s refuses under the paths of the API', (platform) => {
  let api: Api;
  beforeAll(async () => void (api = await startApi(platform)));
  afterAll(() => api.app.close());

  it.each(REFUSED)('$what: a 4xx, in the shape of Nest', async ({ text, ...one }) => {
    const type = 'type' in one ? one.type : 'application/json';
    const answer = await api.send('POST', '/hooks', { body: Buffer.from(text), type });
    const status = one[platform];
    if (status === null) {
      expect(answer).toMatchObject({ status: 400, body: { status: 400, title: 'Bad Request' } });
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    } else {
      expect(answer).toMatchObject({ status, body: { statusCode: status } });
      expect(JSON.stringify(answer.body)).not.toMatch(/\.js|node_modules/);
    }
    expect((await api.subscribers.list('any', { limit: 10 })).items).toEqual([]);
  });

  it('is seen by the global filters of the application', async () => {
    const other = await startApi(platform, {
      configure: (app) => app.useGlobalFilters(new OwnShape()),
    });
    try {
      const cutOff = { body: Buffer.from('{"url": ') };
      expect((await other.send('POST', '/hooks', cutOff)).body).toEqual({ own: 400 });
    } finally {
      await other.app.close();
    }
  });
});
