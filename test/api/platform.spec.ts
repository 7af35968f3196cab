import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  type ArgumentsHost,
  Catch,
  Controller,
  Delete,
  type ExceptionFilter,
  Get,
  HttpException,
  Logger,
  Module,
  Post,
} from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PROBLEMS } from '../../lib/api/problems/problem-codes.js';
import { Subscribers } from '../../lib/index.js';
import { thornPage } from '../../lib/page/index.js';
import { type Api, BearerGuard, owners, platforms, startApi } from '../support/apps/api-app.js';

/** Bodies that the platform refuses before they reach a route; where it lets one through, the API refuses it. */
const REFUSED = [
  { what: 'a body that is cut off', text: '{"url": ', status: 400 },
  { what: 'a body that is not JSON', text: 'url=x', status: 400 },
  {
    what: 'a body beyond the limit of the platform',
    text: JSON.stringify({ url: 'x'.repeat(2_000_000) }),
    status: 413,
  },
  { what: 'a media type that is not JSON', text: '<a/>', type: 'text/xml', status: 415 },
  { what: 'an HTML form', text: 'a=b', type: 'application/x-www-form-urlencoded', status: 415 },
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

/** The application's own routes, some of them below the path of the API. */
@Controller()
class OwnController {
  @Post('articles')
  create(): object {
    return { own: true };
  }

  @Get('hooks/:id/notes')
  notes(): object {
    return { own: true };
  }

  @Delete('hooks/:id/notes')
  forget(): object {
    throw new Error('not yet');
  }
}

@Module({ controllers: [OwnController] })
class OwnModule {}

describe.each(platforms)('problems on %s', (platform) => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi(platform, { thorn: { imports: [OwnModule] } });
  });
  afterAll(() => api.app.close());

  it.each(REFUSED)('refuses $what, and stores nothing', async ({ text, status, ...one }) => {
    const type = 'type' in one ? one.type : 'application/json';
    const answer = await api.send('POST', '/hooks', { body: Buffer.from(text), type });
    expect(answer).toMatchObject({ status, body: expect.any(Object) });
    expect(JSON.stringify(answer.body)).not.toMatch(/\.js|node_modules|alice/);
    expect((await api.subscribers.list({ limit: 10 }, 'any')).items).toEqual([]);
  });

  it('lets no body in that another site could send in the name of a user', async () => {
    const { body } = await api.send('POST', '/hooks', {
      body: { url: 'https://example.com/in', event: 'article.*' },
    });
    // A user who is logged in by a cookie.
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const foreign = await api.send('POST', `${body.self}/disable`, {
        body: Buffer.from(''),
        type,
      });
      expect(foreign).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } });
    }
    expect((await api.send('POST', `${body.self}/disable`)).status).toBe(415);
    expect((await api.send('POST', `${body.self}/disable`, { body: {} })).status).toBe(200);
    expect((await api.send('DELETE', body.self)).status).toBe(204);
  });

  it('refuses a target that is not a URL', async () => {
    for (const method of ['GET', 'POST']) {
      const status = await statusOf(`${method} http://x:99999/hooks`, [
        'Authorization: Bearer alice-token',
        'Content-Type: application/json',
        'Idempotency-Key: one',
        'Content-Length: 0',
      ]);
      // Fastify of Nest 11 finds no route.
      expect([400, 404]).toContain(status);
    }
  });

  /** As no client sends it. */
  const statusOf = async (target: string, headers: readonly string[]): Promise<number> => {
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    const lines = [`${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    return Number((await text(socket)).split(' ')[1]);
  };

  it('answers a bug with a 500 without details, and logs its 1st and 10th time', async () => {
    const failing = vi
      .spyOn(api.app.get(Subscribers), 'list')
      .mockRejectedValue(new Error('SELECT of secrets failed'));
    const logging = vi.spyOn(Logger.prototype, 'error').mockReturnValue();
    let answer = await api.send('GET', '/hooks');
    for (let time = 2; time <= 20; time++) answer = await api.send('GET', '/hooks');
    const lines = logging.mock.calls.map(([line]) => String(line));
    failing.mockRestore();
    logging.mockRestore();
    expect(lines).toEqual([
      'A request failed: SELECT of secrets failed',
      'A request failed: SELECT of secrets failed (10 times by now)',
    ]);
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal-error', status: 500 } });
    expect(answer.body.type).toBe('/hooks/problems/internal-error');
    expect(JSON.stringify(answer.body)).not.toContain('SELECT');
  });

  it('leaves requests to the application’s own routes alone', async () => {
    const cutOff = { body: Buffer.from('{"url": ') };
    expect((await api.send('POST', '/articles', cutOff)).body).toMatchObject({ statusCode: 400 });
    expect((await api.send('PUT', '/articles')).body).toMatchObject({ statusCode: 404 });
    expect((await api.send('GET', '/hooks/sub_1/notes')).body).toEqual({ own: true });
    expect((await api.send('PUT', '/hooks')).body).toMatchObject({ statusCode: 404 });
    expect((await api.send('DELETE', '/hooks/sub_1/notes')).body).toMatchObject({
      statusCode: 500,
    });
    expect((await api.send('GET', '/hooks/sub_1/none')).body).toMatchObject({ statusCode: 404 });
  });

  it('leaves errors to the filters of the application with problems: false', async () => {
    const other = await startApi(platform, {
      api: { ...owners, problems: false },
      configure: (app) => app.useGlobalFilters(new OwnShape()),
    });
    try {
      const cutOff = { body: Buffer.from('{"url": ') };
      expect((await other.send('POST', '/hooks', cutOff)).body).toEqual({ own: 400 });
      expect((await other.send('GET', '/hooks/none')).body).toEqual({ own: 404 });
    } finally {
      await other.app.close();
    }
  });
});

describe.each(platforms)('the type of a problem on %s', (platform) => {
  /** Follows the type of a problem as its receiver would, without an account. */
  const explanation = async (api: Api, path: string, method = 'GET') => {
    const asked = new URL(path, api.url);
    const answer = await api.send(method, path, { as: 'nobody' });
    const response = await fetch(new URL(answer.body.type as string, asked));
    const { status, headers } = response;
    return {
      problem: answer.status,
      type: answer.body.type as string,
      status,
      media: headers.get('content-type'),
      text: await response.text(),
    };
  };
  const unauthenticated = {
    problem: 401,
    status: 200,
    media: 'text/plain; charset=utf-8',
    text: "unauthenticated (401 Unauthorized)\n\nThere is no user, or a receiver's secret is wrong.\n",
  };

  it('leads to its explanation, below the prefixes of the application', async () => {
    const api = await startApi(platform, {
      thorn: { operatorApi: { guards: [BearerGuard] }, page: thornPage() },
      configure: (app) => app.setGlobalPrefix(':tenant/v1'),
    });
    try {
      expect(await explanation(api, '/acme/v1/hooks/none/deliveries?limit=3')).toEqual({
        ...unauthenticated,
        type: '/acme/v1/hooks/problems/unauthenticated',
      });
      expect(await explanation(api, '/acme/v1/hooks-operator/deliveries')).toEqual({
        ...unauthenticated,
        type: '/acme/v1/hooks-operator/problems/unauthenticated',
      });
      expect(await explanation(api, '/acme/v1/webhooks/session', 'POST')).toEqual({
        ...unauthenticated,
        type: '/acme/v1/hooks/problems/unauthenticated',
      });
      expect(await explanation(api, '/hooks/v1/hooks/none')).toEqual({
        ...unauthenticated,
        type: '/hooks/v1/hooks/problems/unauthenticated',
      });
      const unknown = await api.send('GET', '/acme/v1/hooks/problems/%3Cscript%3E', {
        as: 'nobody',
      });
      expect(unknown).toMatchObject({ status: 404, body: { code: 'not-found' } });
      expect(JSON.stringify(unknown.body)).not.toContain('script');
    } finally {
      await api.app.close();
    }
  });

  it('begins with the URL that the application names for the outside', async () => {
    const api = await startApi(platform, {
      api: { ...owners, baseUrl: 'https://api.example.com/behind' },
    });
    const { body } = await api.send('GET', '/hooks', { as: 'nobody' });
    await api.app.close();
    expect(body.type).toBe('https://api.example.com/behind/hooks/problems/unauthenticated');
  });
});

describe('the codes of problems', () => {
  it('are explained in docs/rest/problems.md as the application explains them', () => {
    const guide = readFileSync('docs/rest/problems.md', 'utf8');
    const rows = [...guide.matchAll(/^\| `([\w-]+)` +\| (\d+|any other) +\| (.+?) +\|$/gm)];
    expect(rows.map(([, code, status, meaning]) => [code, status, withoutLinks(meaning!)])).toEqual(
      Object.entries(PROBLEMS).map(([code, [status, meaning]]) => [
        code,
        String(status ?? 'any other'),
        meaning,
      ]),
    );
  });
});

function withoutLinks(markdown: string): string {
  return markdown.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
}
