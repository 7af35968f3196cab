import { RequestMethod } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apiController } from '../lib/api/index.js';
import { type Api, platforms, startApi } from './api.app.js';

const body = { url: 'https://example.com/of-bob', events: ['article.*'] };

/** Every route that the router is told of, so that one that is added later is tried as well. */
function routes(): { method: string; path: string }[] {
  const { prototype } = apiController({ unprotected: true, owner: () => null });
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler: object = prototype[name];
    const method: RequestMethod | undefined = Reflect.getMetadata('method', handler);
    if (method === undefined) return [];
    const paths: string[] = [Reflect.getMetadata('path', handler)].flat();
    return paths.flatMap((path) => [
      { method: RequestMethod[method], path: `/hooks${path}` },
      { method: RequestMethod[method], path: `/hooks${path}/` },
    ]);
  });
}

const all = routes();
const ofOne = all.filter(({ path }) => path.includes(':id'));
const ofAll = all.filter(({ path }) => !path.includes(':id'));

describe.each(platforms)('two owners on %s', (platform) => {
  let api: Api;
  let foreign: { id: string };
  let own: { id: string };
  beforeEach(async () => {
    api = await startApi(platform);
    foreign = (await api.send('POST', '/hooks', { as: 'bob', body })).body;
    own = (await api.send('POST', '/hooks', { as: 'alice', body })).body;
  });
  afterEach(() => api.app.close());

  const snapshot = () => api.subscribers.list('any', { limit: 100 });
  const wanted = (method: string) =>
    method === 'PATCH' || method === 'POST' ? { body: { description: 'changed' } } : {};

  it('knows the routes', () => {
    expect(all.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(
      [
        ['GET /hooks', 'GET /hooks/', 'POST /hooks', 'POST /hooks/'],
        ['GET /hooks/:id', 'GET /hooks/:id/', 'PATCH /hooks/:id', 'PATCH /hooks/:id/'],
        ['POST /hooks/:id', 'POST /hooks/:id/', 'DELETE /hooks/:id', 'DELETE /hooks/:id/'],
      ]
        .flat()
        .sort(),
    );
  });

  it.each(all)('$method $path lets nobody in without a user', async ({ method, path }) => {
    const before = await snapshot();

    const answer = await api.send(method, path.replace(':id', own.id), {
      as: 'nobody',
      ...wanted(method),
    });

    expect(answer.status).toBe(401);
    expect(await snapshot()).toEqual(before);
  });

  it.each(ofOne)('$method $path works for its owner', async ({ method, path }) => {
    const answer = await api.send(method, path.replace(':id', own.id), wanted(method));
    expect(answer.status).toBe(method === 'DELETE' ? 204 : 200);
  });

  it.each(ofOne)('$method $path answers any other id alike', async ({ method, path }) => {
    const unowned = await api.subscribers.create({ ...body, owner: null });
    const before = await snapshot();
    const ids = [
      own.id.replace(/....$/, 'ffff'),
      foreign.id,
      unowned.id,
      foreign.id.toUpperCase(),
      own.id.slice(4),
      `${own.id}%20`,
      `${own.id},${foreign.id}`,
      `${own.id}%2F${foreign.id}`,
      '%2e%2e%2Fhooks',
      '0',
      '*',
      'null',
      '__proto__',
      'constructor',
      '%00',
      "'%20or%201%3D1--",
      '%F0%9F%98%80',
      'a'.repeat(90),
    ];

    for (const id of ids) {
      const answer = await api.send(method, path.replace(':id', id), wanted(method));
      expect({ id, status: answer.status, body: answer.body }).toEqual({
        id,
        status: 404,
        body: {
          statusCode: 404,
          error: 'Not Found',
          message: 'There is no subscriber with this id',
        },
      });
    }
    expect(await snapshot()).toEqual(before);
  });

  it.each(ofAll)("$method $path touches the caller's own alone", async ({ method, path }) => {
    const answer = await api.send(method, path, method === 'POST' ? { body } : {});

    expect(answer.status).toBeLessThan(300);
    expect(JSON.stringify(answer.body)).not.toContain(foreign.id);
    expect((await api.subscribers.list({ owner: 'bob' }, { limit: 10 })).items).toHaveLength(1);
  });
});
