import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bullmq } from '../../lib/bullmq/index.js';
import { disabled, inline, WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { type TestDatabase, sqliteAndPostgres } from '../support/databases.js';
import { type RedisServer, startRedis } from '../services/redis.js';

const since = '2020-01-01T00:00:00Z';

describe('the log of the API', () => {
  let redis: RedisServer;
  let receiver: ScriptedReceiver;
  let store: TestDatabase;
  beforeAll(async () => {
    [redis, receiver] = [await startRedis(), await ScriptedReceiver.start()];
    store = await sqliteAndPostgres[1]!.create();
  });
  afterAll(async () => {
    await redis.stop();
    await receiver.stop();
    await store.drop();
  });

  it('works on every route with bullmq()', async () => {
    const api = await startApi('express', {
      store,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        retries: { schedule: [] },
        dispatch: bullmq({ connection: { host: '127.0.0.1', port: redis.port }, pollInterval: 25 }),
      },
    });
    try {
      const { self } = await subscribe(api);
      receiver.answer(500);
      await api.app.get(WebhookDispatcher).send('order.paid', {}, { owner: 'alice' });
      const list = () => api.send('GET', `${self}/deliveries`);
      await expect
        .poll(async () => (await list()).body.items)
        .toMatchObject([{ status: 'failed' }]);
      const [delivery] = (await list()).body.items;
      const shown = await api.send('GET', delivery.self);
      expect(shown).toMatchObject({ status: 200, body: { attempts: [{ status: 500 }] } });

      expect((await api.send('POST', `${delivery.self}/retry`, { body: {} })).status).toBe(202);
      await receiver.waitFor(2);
      await expect
        .poll(async () => (await list()).body.items)
        .toMatchObject([{ status: 'succeeded', attemptCount: 2 }]);
      // Two days, for midnight may come in between.
      const stats = await api.send('GET', `${self}/stats?days=2`);
      expect(stats).toMatchObject({ status: 200, body: { total: { succeeded: 1, failed: 0 } } });
      for (const verb of ['recover', 'backfill']) {
        const answer = await api.send('POST', `${self}/${verb}`, { body: { since } });
        expect(answer).toMatchObject({ status: 200, body: { scheduled: 0 } });
      }
    } finally {
      await api.app.close();
    }
  });

  it.each([
    ['inline()', inline],
    ['disabled()', disabled],
  ])('does not exist with %s, and its routes say so', async (_, strategy) => {
    const api = await startApi('fastify', {
      thorn: { recipients: LOOPBACK_RECIPIENTS, dispatch: strategy() },
    });
    try {
      const { self } = await subscribe(api);
      for (const [method, path, body] of [
        ['GET', `${self}/deliveries`],
        ['GET', `${self}/stats`],
        ['GET', '/hooks/deliveries'],
        ['GET', '/hooks/deliveries/dlv_1'],
        ['POST', '/hooks/deliveries/dlv_1/cancel', {}],
        ['GET', '/hooks/deliveries/dlv_1/request'],
        ['GET', '/hooks/stats'],
        ['POST', '/hooks/filter-preview', {}],
        ['POST', '/hooks/deliveries/dlv_1/retry', {}],
        ['POST', `${self}/recover`, { since }],
        ['POST', `${self}/backfill`, { since }],
      ] as const) {
        const { status } = await api.send(method, path, body === undefined ? {} : { body });
        expect({ path, status }).toEqual({ path, status: 501 });
      }
    } finally {
      await api.app.close();
    }
  });

  async function subscribe(api: Api): Promise<{ self: string }> {
    const body = { url: receiver.url, events: ['*'] };
    return (await api.send('POST', '/hooks', { body })).body;
  }
});
