import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../../lib/index.js';
import { IdempotencyStore } from '../../lib/idempotency/index.js';
import { MovableClock } from '../../lib/testing/index.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { type TestDatabase, createDatabase, sqliteAndPostgres } from '../support/databases.js';
import { pairs } from '../support/places.js';

const DAY = 24 * 60 * 60_000;
const body = { url: 'https://example.com/', events: ['article.*'] };
const places: { database: string; create: () => Promise<TestDatabase | undefined> }[] = [
  ...sqliteAndPostgres,
  { database: 'no database', create: async () => undefined },
];

describe.each(pairs(places))(
  'Idempotency-Key on $database and $platform',
  ({ create, platform }) => {
    let api: Api;
    let store: TestDatabase | undefined;
    beforeEach(async () => {
      store = await create();
      const encryption = { keys: [{ id: 'one', key: Buffer.alloc(32, 7).toString('base64') }] };
      api = await startApi(platform, {
        thorn: { clock: MovableClock, encryption },
        ...(store && { store }),
      });
    });
    afterEach(async () => {
      await api.app.close();
      await store?.drop();
    });

    const post = (path: string, given: object, key: string, as: 'alice' | 'bob' = 'alice') =>
      api.send('POST', path, { as, body: given, headers: { 'idempotency-key': key } });
    const count = async () => (await api.subscribers.list({ limit: 100 }, 'any')).items.length;

    it('runs the same request once, and repeats its answer, the secret included', async () => {
      const first = await post('/hooks', body, 'key-1');
      const second = await post('/hooks/', body, 'key-1');

      expect(second.status).toBe(201);
      expect(second.body).toEqual(first.body);
      for (const name of ['location', 'etag', 'cache-control', 'content-type']) {
        expect(second.headers.get(name)).toBe(first.headers.get(name));
      }
      expect(first.headers.get('idempotency-replayed')).toBeNull();
      expect(second.headers.get('idempotency-replayed')).toBe('true');
      expect(await count()).toBe(1);

      const rotate = () => post(`${first.body.self}/rotate-secret`, {}, 'key-1');
      expect((await rotate()).body.secret).toBe((await rotate()).body.secret);
      expect((await api.subscribers.findById(first.body.id, 'any'))!.secrets).toHaveLength(2);
    });

    it('rejects another request with the same key', async () => {
      await post('/hooks', body, 'key-1');
      expect(await post('/hooks', { ...body, enabled: false }, 'key-1')).toMatchObject({
        status: 422,
        body: { status: 422, title: expect.any(String) },
      });
      expect(await count()).toBe(1);
    });

    it('keeps keys apart by owner and route', async () => {
      const { body: created } = await post('/hooks', body, 'key-1');
      const bobs = await post('/hooks', body, 'key-1', 'bob');
      expect(bobs.status).toBe(201);
      expect(bobs.body.id).not.toBe(created.id);
      expect((await post(`${created.self}/disable`, {}, 'key-1')).status).toBe(200);
    });

    it('allows a retry of a rejected request', async () => {
      expect((await post('/hooks', { ...body, url: 'nowhere' }, 'key-1')).status).toBe(400);
      expect((await post('/hooks', body, 'key-1')).status).toBe(201);
    });

    it('runs one of many simultaneous requests', async () => {
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => post('/hooks', body, 'key-1')),
      );
      expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
      expect(answers.some(({ status }) => status === 201)).toBe(true);
      expect(await count()).toBe(1);
    });

    it('forgets a key after a day', async () => {
      await post('/hooks', body, 'key-1');
      api.app.get<MovableClock>(Clock).advance(DAY - 1);
      await post('/hooks', body, 'key-1');
      expect(await count()).toBe(1);
      api.app.get<MovableClock>(Clock).advance(1);
      await post('/hooks', body, 'key-1');
      expect(await count()).toBe(2);
    });

    it('accepts a key again a minute after its process died', async () => {
      const keys = api.app.get(IdempotencyStore);
      expect(await keys.begin('k', 'f')).toEqual({ state: 'fresh' });
      expect(await keys.begin('k', 'f')).toEqual({ state: 'under-way' });
      expect(await keys.begin('k', 'g')).toEqual({ state: 'different' });
      api.app.get<MovableClock>(Clock).advance(60_000);
      const both = await Promise.all([keys.begin('k', 'f'), keys.begin('k', 'f')]);
      expect(both.map(({ state }) => state).sort()).toEqual(['fresh', 'under-way']);
      await keys.abandon('k');
      expect(await keys.begin('k', 'g')).toEqual({ state: 'fresh' });
    });

    it.each(['', ' ', 'a b', 'a'.repeat(256)])('rejects the key %j', async (key) => {
      const answer = await post('/hooks', body, key);
      expect(answer).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'Idempotency-Key' }] },
      });
      expect(await count()).toBe(0);
    });

    it('stores no plain secret in the database', async () => {
      if (store === undefined) return;
      const { body: created } = await post('/hooks', body, 'key-1');
      const rows = await api.app.get(DataSource).query('SELECT * FROM thorn_idempotency_keys');
      expect(rows).toHaveLength(1);
      expect(JSON.stringify(rows)).not.toContain(created.secret);
      expect(JSON.stringify(rows)).not.toContain('key-1');
    });
  },
);

it('answers what was done when the answer cannot be kept', async () => {
  const store = await createDatabase('memory');
  const api = await startApi('express', { store });
  await api.app
    .get(DataSource)
    .query(
      `CREATE TRIGGER full BEFORE UPDATE ON thorn_idempotency_keys BEGIN SELECT RAISE(ABORT, 'full'); END`,
    );
  const post = () => api.send('POST', '/hooks', { body, headers: { 'idempotency-key': 'key-1' } });
  expect((await post()).status).toBe(201);
  expect(await post()).toMatchObject({ status: 409, body: { code: 'request-under-way' } });
  expect((await api.subscribers.list({}, 'any')).items).toHaveLength(1);
  await api.app.close();
  await store.drop();
});
