import type { CanActivate } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clock, Deliveries, WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { type TestDatabase, sqliteAndPostgres } from '../support/databases.js';
import { PAIRS } from '../support/places.js';

class Anybody implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

describe.each(PAIRS)(
  'the request of a delivery on $database and $platform',
  ({ create, platform }) => {
    let api: Api;
    let store: TestDatabase;
    let receiver: ScriptedReceiver;
    let clock: MovableClock;
    let self: string;

    beforeAll(async () => {
      store = await create();
      api = await startApi(platform, {
        store,
        thorn: {
          recipients: LOOPBACK_RECIPIENTS,
          clock: MovableClock,
          retries: { schedule: [60_000], jitter: 0 },
          operatorApi: { guards: [Anybody], bodies: true },
        },
      });
      clock = api.app.get<MovableClock>(Clock);
    });
    afterAll(async () => {
      await api.app.close();
      await store.drop();
    });
    beforeEach(async () => {
      receiver = await ScriptedReceiver.start();
      ({ self } = await subscribe({}));
      return async () => {
        await api.send('DELETE', self);
        await receiver.stop();
      };
    });

    async function subscribe(fields: object): Promise<{ self: string }> {
      const url = `${receiver.url}?token=${'x'.repeat(8)}`;
      const body = { url, events: ['*'], ...fields };
      const created = await api.send('POST', '/hooks', { body });
      expect(created.status).toBe(201);
      return created.body;
    }
    const settled = () =>
      vi.waitFor(async () => {
        const { pendingMessages, leased } = await api.app.get(Deliveries).stats();
        expect([pendingMessages, leased]).toEqual([0, 0]);
      });
    /** Sends an event, and returns its delivery once its first attempt has ended. */
    async function deliver(): Promise<string> {
      const data = { name: 'Zoë 🎉', list: [1, 2] };
      await api.app.get(WebhookDispatcher).send('order.paid', data, { owner: 'alice' });
      await settled();
      const { items } = (await api.send('GET', `${self}/deliveries`)).body;
      return items[0].self;
    }
    const request = async (delivery: string, status = 200) => {
      const answer = await api.send('GET', `${delivery}/request`);
      expect(answer.status).toBe(status);
      return answer.body;
    };
    it('is what the endpoint has received', async () => {
      const delivery = await deliver();
      const [received] = receiver.received;
      const shown = await api.send('GET', `${delivery}/request`);
      expect(shown.headers.get('cache-control')).toBe('private, no-store');
      expect(shown.body).toEqual({
        deliveryId: received!.deliveryId,
        messageId: received!.id,
        event: 'order.paid',
        method: 'POST',
        url: `${receiver.url}?token=xxxxxxxx`,
        contentType: 'application/json',
        body: received!.body.toString(),
        bodyEncoding: 'utf8',
        missing: [],
      });
      const { id } = (await api.send('GET', delivery)).body;
      const operators = await api.send('GET', `/hooks-operator/deliveries/${id}/request`);
      expect(operators).toMatchObject({ status: 200, body: shown.body });
      await api.send('DELETE', self);
      const removed = await api.send('GET', `/hooks-operator/deliveries/${id}/request`);
      expect(removed.body).toMatchObject({ url: null, body: null });
      expect(removed.body.missing.map(({ code }: { code: string }) => code)).toEqual([
        ...['subscriber-removed', 'subscriber-removed', 'subscriber-removed'],
      ]);
      await request(delivery, 404);
    });

    it('has the body in the content type of the subscriber', async () => {
      const form = await subscribe({ contentType: 'application/x-www-form-urlencoded' });
      const delivery = await deliver();
      const { items } = (await api.send('GET', `${form.self}/deliveries`)).body;
      expect(items[0].messageId).toBe((await request(delivery)).messageId);
      const shown = await request(items[0].self);
      expect(shown).toMatchObject({
        contentType: 'application/x-www-form-urlencoded',
        missing: [],
      });
      const received = receiver.received.find((one) => one.deliveryId === items[0].id)!;
      expect(shown.body).toBe(received.body.toString());
      await api.send('DELETE', form.self);
    });

    it.each([
      ['a change', () => api.send('PATCH', self, { body: { url: `${receiver.url}/other` } })],
      ['a rotation', () => api.send('POST', `${self}/rotate-secret`, { body: { overlap: 0 } })],
    ])('says that %s of the subscriber came after it', async (_, change) => {
      const delivery = await deliver();
      clock.advance(1);
      expect((await change()).status).toBe(200);
      const lack = (field: string) => ({
        ...{ field, code: 'subscriber-changed' },
        reason: expect.stringContaining('changed since'),
      });
      expect(await request(delivery)).toMatchObject({
        ...{ method: 'POST', url: null, contentType: null, body: null },
        missing: [lack('url'), lack('contentType'), lack('body')],
      });
      // Until every process must know of the change, one may have sent as before.
      clock.advance(4000);
      expect(await request(await deliver())).toMatchObject({ url: null });
      clock.advance(2000);
      const later = await request(await deliver());
      expect(later).toMatchObject({ url: expect.any(String), missing: [] });
      expect(later.body).toBe(receiver.received.at(-1)!.body.toString());
    });

    it('says that the body was dropped', async () => {
      const delivery = await deliver();
      const { messageId } = await request(delivery);
      const expunged = async () => (await api.send('GET', delivery)).body.expunged;
      expect(await expunged()).toBe(false);
      await api.app
        .get(DataSource)
        .getRepository('ThornMessage')
        .update({ id: messageId.slice('msg_'.length) }, { body: null });
      expect(await request(delivery)).toMatchObject({
        ...{ body: null, url: expect.stringContaining(receiver.url) },
        missing: [{ field: 'body', code: 'expunged', reason: expect.any(String) }],
      });
      expect(await expunged()).toBe(true);
      const path = `${delivery}/retry`;
      const retried = await api.send('POST', path, { body: {} });
      expect(retried).toMatchObject({ status: 409, body: { code: 'message-expunged' } });
    });
  },
);

describe('what is not to be shown of a request', () => {
  it('is the bodies to operators by default', async () => {
    const store = await sqliteAndPostgres[0]!.create();
    const receiver = await ScriptedReceiver.start();
    const api = await startApi('express', {
      store,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        operatorApi: { guards: [Anybody] },
      },
    });
    try {
      const body = { url: receiver.url, events: ['*'] };
      const { self } = (await api.send('POST', '/hooks', { body })).body;
      await api.app.get(WebhookDispatcher).send('order.paid', {}, { owner: 'alice' });
      const [delivery] = await vi.waitFor(async () => {
        const { items } = (await api.send('GET', `${self}/deliveries`)).body;
        expect(items).toHaveLength(1);
        return items;
      });
      const refused = await api.send('GET', `/hooks-operator/deliveries/${delivery.id}/request`);
      expect(refused).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      expect(refused.body.detail).toContain('operatorApi.bodies');
      const shown = (await api.send('GET', `${delivery.self}/request`)).body;
      expect(shown.body).toBe(receiver.received[0]!.body.toString());
    } finally {
      await api.app.close();
      await receiver.stop();
      await store.drop();
    }
  });
});
