import { type CanActivate, Injectable } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { sqliteAndPostgres, type TestDatabase } from '../support/databases.js';

/** The route itself says who asks. */
@Injectable()
class OperatorGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

describe.each([
  { route: '/hooks', answer: { status: 'failed', reason: 'cancelled', holding: false } },
  { route: '/hooks-operator', answer: { state: 'cancelled' } },
])('deliveries of a key that is held, at $route', ({ route, answer }) => {
  describe.each(sqliteAndPostgres)('on $database', ({ create }) => {
    let api: Api;
    let store: TestDatabase;
    let receiver: ScriptedReceiver;

    beforeAll(async () => {
      store = await create();
      receiver = await ScriptedReceiver.start();
      const thorn = {
        ...{ recipients: LOOPBACK_RECIPIENTS, retries: { schedule: [] } },
        operatorApi: { guards: [OperatorGuard] },
      };
      api = await startApi('express', { store, thorn });
      await api.subscribers.create({
        ...{ url: receiver.url, events: ['*'], owner: 'alice' },
        ...{ ordered: true, onExhausted: 'hold' },
      });
    });
    afterAll(async () => {
      await api.app.close();
      await receiver.stop();
      await store.drop();
    });
    beforeEach(() => receiver.clear());

    const call = async (method: 'GET' | 'POST', path: string, status: number) => {
      const body = method === 'POST' ? { body: {} } : {};
      const found = await api.send(method, `${route}/deliveries${path}`, { as: 'alice', ...body });
      expect(found).toMatchObject({ status });
      return found.body;
    };
    const held = async (key: string) => {
      receiver.answer(500);
      const options = { owner: 'alice', orderBy: key };
      for (let count = 0; count < 2; count++) {
        await api.app.get(WebhookDispatcher).send('order.paid', {}, options);
      }
      return vi.waitFor(async () => {
        const { items } = await call('GET', '?limit=2', 200);
        // In any order: both may be of the same millisecond.
        const [blocked, holding] = ['blocked', 'holding'].map((flag) =>
          items.find((item: Record<string, unknown>) => item[flag] === true),
        );
        expect([blocked, holding]).toMatchObject([{ holding: false }, { blocked: false }]);
        return [blocked, holding] as readonly [{ id: string }, { id: string }];
      });
    };
    const succeeded = (id: string) =>
      vi.waitFor(async () =>
        expect(await call('GET', `/${id}`, 200)).toMatchObject({
          ...{ status: 'succeeded', blocked: false, blockedBy: null },
        }),
      );

    it('names what a delivery waits for, also after a retry by hand', async () => {
      const [blocked, holding] = await held('a');
      const waiting = { status: 'pending', nextAt: null, blocked: true, blockedBy: holding.id };
      expect(await call('GET', `/${blocked.id}`, 200)).toMatchObject(waiting);
      await call('POST', `/${blocked.id}/retry`, 202);
      expect(await call('GET', `/${blocked.id}`, 200)).toMatchObject(waiting);
      expect(receiver.received).toHaveLength(1);
      await call('POST', `/${holding.id}/retry`, 202);
      await succeeded(holding.id);
      await succeeded(blocked.id);
    });

    it('ends the hold of a delivery that is cancelled', async () => {
      const [blocked, holding] = await held('b');
      expect(await call('POST', `/${holding.id}/cancel`, 200)).toMatchObject(answer);
      await succeeded(blocked.id);
      await call('POST', `/${holding.id}/cancel`, 409);
    });
  });
});
