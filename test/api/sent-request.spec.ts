import type { CanActivate } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clock, Deliveries, generateSigningKeyPair, WebhookDispatcher } from '../../lib/index.js';
import { WebhookSigner } from '../../lib/extending/index.js';
import {
  LOOPBACK_RECIPIENTS,
  MovableClock,
  type ReceivedWebhook,
  ScriptedReceiver,
} from '../../lib/testing/index.js';
import { type Api, platforms, startApi } from '../support/apps/api-app.js';
import { type TestDatabase, sqliteAndPostgres } from '../support/databases.js';

class Anybody implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

/** Signs with what it does not say again. */
class OwnSigner extends WebhookSigner {
  override sign(): Record<string, string> {
    return { 'X-Signed-By': String(Math.random()) };
  }
}

describe.each(
  sqliteAndPostgres.flatMap((store) => platforms.map((platform) => ({ ...store, platform }))),
)('the request of a delivery on $database and $platform', ({ create, platform }) => {
  let api: Api;
  let store: TestDatabase;
  let receiver: ScriptedReceiver;
  let clock: MovableClock;
  let self: string;
  let secret: string;

  beforeAll(async () => {
    store = await create();
    api = await startApi(platform, {
      store,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        clock: MovableClock,
        retries: { schedule: [60_000], jitter: 0 },
        signing: { ed25519: generateSigningKeyPair().privateKey, hookHmac: true },
        unsubscribe: { url: 'https://api.example.com/hooks', secret: 'x'.repeat(40) },
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
    ({ self, secret } = await subscribe({}));
    return async () => {
      await api.send('DELETE', self);
      await receiver.stop();
    };
  });

  async function subscribe(fields: object): Promise<{ self: string; secret: string }> {
    const url = `${receiver.url}?token=${'x'.repeat(8)}`;
    const body = { url, events: ['*'], digest: 'sha512', ...fields };
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
  async function deliver(headers: Record<string, string> = {}): Promise<string> {
    const data = { name: 'Zoë 🎉', list: [1, 2] };
    await api.app.get(WebhookDispatcher).send('order.paid', data, { owner: 'alice', headers });
    await settled();
    const { items } = (await api.send('GET', `${self}/deliveries`)).body;
    return items[0].self;
  }
  const request = async (delivery: string, status = 200) => {
    const answer = await api.send('GET', `${delivery}/request`);
    expect(answer.status).toBe(status);
    return answer.body;
  };
  const sentHeaders = ({ headers }: ReceivedWebhook) =>
    Object.fromEntries(
      Object.entries(headers).filter(
        ([name]) => !/^(?:host|connection|content-length)$/.test(name),
      ),
    );

  it('is what the endpoint has received, of each attempt', async () => {
    receiver.answer(500);
    const delivery = await deliver({ 'X-Tenant': 'blue' });
    clock.advance(61_000);
    await receiver.waitFor(2);
    await settled();
    const [first, second] = receiver.received;
    const shown = await api.send('GET', `${delivery}/request`);
    expect(shown.headers.get('cache-control')).toBe('private, no-store');
    expect(shown.body).toMatchObject({
      deliveryId: first!.deliveryId,
      messageId: first!.id,
      event: 'order.paid',
      method: 'POST',
      url: `${receiver.url}?token=xxxxxxxx`,
      contentType: 'application/json',
      bodyEncoding: 'utf8',
      missing: [],
    });
    expect(shown.body.body).toBe(first!.body.toString());
    const hidden = [{ field: 'Hook-Unsubscribe', code: 'hidden', reason: expect.any(String) }];
    for (const [at, received] of [first!, second!].entries()) {
      const { number, startedAt, headers, missing } = shown.body.attempts[at];
      expect({ number, missing }).toEqual({ number: at + 1, missing: hidden });
      const lower = Object.fromEntries(
        Object.entries(headers as Record<string, string | null>).map(([name, value]) => [
          name.toLowerCase(),
          value,
        ]),
      );
      expect(lower).toEqual({ ...sentHeaders(received), 'hook-unsubscribe': null });
      const seconds = Math.floor(Date.parse(startedAt) / 1000);
      expect(lower['webhook-timestamp']).toBe(String(seconds));
      expect(lower['webhook-signature']).toMatch(/^v1,\S+ v1a,\S+$/);
    }
    const signatures = shown.body.attempts.map(
      (attempt: { headers: Record<string, string> }) => attempt.headers['webhook-signature'],
    );
    expect(new Set(signatures).size).toBe(2);
    expect(JSON.stringify(shown.body)).not.toContain(secret.slice(6));

    const { id } = (await api.send('GET', delivery)).body;
    const operators = await api.send('GET', `/hooks-operator/deliveries/${id}/request`);
    expect(operators.status).toBe(200);
    expect(operators.body).toEqual({
      ...shown.body,
      attempts: shown.body.attempts.map((attempt: { startedAt: string }) => ({
        ...attempt,
        startedAt: Date.parse(attempt.startedAt),
      })),
    });
    await api.send('DELETE', self);
    const removed = await api.send('GET', `/hooks-operator/deliveries/${id}/request`);
    expect(removed.body).toMatchObject({
      url: null,
      body: null,
      attempts: [{ headers: null }, {}],
    });
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
    expect(shown).toMatchObject({ contentType: 'application/x-www-form-urlencoded', missing: [] });
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
      attempts: [{ number: 1, headers: null, missing: [lack('headers')] }],
    });
    // Until every process must know of the change, one may have sent as before.
    clock.advance(4000);
    expect(await request(await deliver())).toMatchObject({
      url: null,
      attempts: [{ headers: null }],
    });
    clock.advance(2000);
    const later = await request(await deliver());
    expect(later).toMatchObject({ url: expect.any(String), missing: [] });
    const received = receiver.received.at(-1)!;
    expect(later.attempts[0].headers['webhook-signature']).toBe(
      received.headers['webhook-signature'],
    );
  });

  it('says that the body was dropped', async () => {
    const delivery = await deliver();
    const { messageId } = await request(delivery);
    await api.app
      .get(DataSource)
      .getRepository('ThornMessage')
      .update({ id: messageId.slice('msg_'.length) }, { body: null });
    expect(await request(delivery)).toMatchObject({
      ...{ body: null, url: expect.stringContaining(receiver.url) },
      missing: [{ field: 'body', code: 'expunged', reason: expect.any(String) }],
      attempts: [{ headers: null, missing: [{ field: 'headers', code: 'expunged' }] }],
    });
  });

  it('hides headers that may let somebody in', async () => {
    const delivery = await deliver({ 'X-Api-Key': 'very secret', 'X-Tenant': 'blue' });
    const { attempts } = await request(delivery);
    expect(attempts[0].headers).toMatchObject({ 'X-Api-Key': null, 'X-Tenant': 'blue' });
    expect(attempts[0].missing).toContainEqual(
      expect.objectContaining({ field: 'X-Api-Key', code: 'hidden' }),
    );
    expect(JSON.stringify(attempts)).not.toContain('very secret');
  });
});

describe('what is not to be shown of a request', () => {
  it('is the bodies to operators by default, and a signature that cannot be repeated', async () => {
    const store = await sqliteAndPostgres[0]!.create();
    const receiver = await ScriptedReceiver.start();
    const api = await startApi('express', {
      store,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        signer: OwnSigner,
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
      expect(shown.attempts[0].headers).not.toHaveProperty('X-Signed-By');
      expect(shown.attempts[0].missing).toMatchObject([{ field: 'signature', code: 'own-signer' }]);
    } finally {
      await api.app.close();
      await receiver.stop();
      await store.drop();
    }
  });
});
