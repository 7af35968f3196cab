import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Deliveries,
  InvalidInputError,
  type Subscriber,
  type ThornModuleOptions,
  WebhookDispatcher,
  WebhookEvents,
} from '../../lib/index.js';
import { SubscriberRepository } from '../../lib/extending/index.js';
import type { AddressLookup } from '../../lib/delivery/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { sqliteAndPostgres } from '../support/databases.js';
import { HOSTILE_ADDRESSES, HOSTILE_URLS } from '../support/fixtures/recipients.js';
import { ConnectProxy } from '../services/connect-proxy.js';
import { freePort } from '../services/free-port.js';
import { TcpSpy } from '../services/tcp-spy.js';

const hostile = HOSTILE_URLS.flatMap(([, urls]) => urls);
const EVENT = 'article.created';
const clean: (() => unknown)[] = [];
let spy: TcpSpy;

beforeEach(() => {
  spy = new TcpSpy();
  clean.push(() => spy.stop());
});

afterEach(async () => {
  for (const one of clean.splice(0).reverse()) await one();
});

async function start(thorn: ThornModuleOptions = {}): Promise<Api> {
  const [sqlite] = sqliteAndPostgres;
  const store = await sqlite!.create();
  const api = await startApi('express', { store, thorn });
  clean.push(() => api.app.close());
  return api;
}

/** A resolver that answers as told from one moment to the next. */
class Resolver {
  readonly asked: string[] = [];
  answers: Readonly<Record<string, readonly string[] | null>> = {};

  readonly lookup: AddressLookup = (name, _options, done) => {
    this.asked.push(name);
    const found = this.answers[name] ?? null;
    if (found === null) done(Object.assign(new Error(), { code: 'ENOTFOUND' }), []);
    else
      done(
        null,
        found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
  };
}

describe('an application with the default recipient policy', () => {
  it('rejects hostile URLs of subscribers, new and changed, and dials no address', async () => {
    const api = await start();
    const { id } = await api.subscribers.create({ url: 'https://a.example.com/', events: ['*'] });

    for (const url of hostile) {
      await expect(api.subscribers.create({ url, events: ['*'] }), url).rejects.toMatchObject({
        field: 'url',
      });
      await expect(api.subscribers.update(id, { url }, 'any'), url).rejects.toBeInstanceOf(
        InvalidInputError,
      );
    }

    expect((await api.subscribers.list({ limit: 10 }, 'any')).items).toMatchObject([
      { url: 'https://a.example.com/' },
    ]);
    expect(spy.dialled).toEqual([]);
  });

  it('answers 400 to hostile URLs over HTTP, with the rule that the URL alone breaks', async () => {
    const api = await start();

    for (const [reason, url] of [
      ['private', 'http://10.0.0.1/'],
      ['loopback', 'http://0x7f.1/'],
      ['credentials', 'http://u:p@example.com/'],
      ['port 22', 'http://example.com:22/'],
    ]) {
      expect(await api.send('POST', '/hooks', { body: { url, events: [EVENT] } })).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'url', reason: expect.stringContaining(reason!) }] },
      });
    }
  });

  it('makes no attempt at a hostile URL in the database, and dials no address', async () => {
    const api = await start();
    const refused: string[] = [];
    api.app
      .get(WebhookEvents)
      .on('recipient-refused', ({ subscriberId }) => refused.push(subscriberId));
    const repository = api.app.get(SubscriberRepository);
    const template = await api.subscribers.create({
      url: 'https://a.example.com/',
      events: [EVENT],
    });
    const storable = hostile.filter((url) => !/\0|\p{Surrogate}/u.test(url) && url.length <= 2048);
    for (const [at, url] of storable.entries()) {
      await repository.create({ ...template, id: `sub_hostile-${at}`, url } satisfies Subscriber);
    }
    await api.subscribers.delete(template.id, 'any');

    await api.app.get(WebhookDispatcher).send(EVENT, {});

    await expect.poll(() => refused.length).toBe(storable.length);
    const deliveries = api.app.get(Deliveries);
    const all = async () => (await deliveries.list({ limit: 1000 }, 'any')).items;
    await expect.poll(async () => (await all()).length).toBe(storable.length);
    const items = await all();
    expect(new Set(items.map(({ status, reason }) => `${status} ${reason}`))).toEqual(
      new Set(['failed refused']),
    );
    expect(spy.dialled).toEqual([]);
  });

  it('rejects a subscriber whose host resolves to a forbidden address, without details', async () => {
    const resolver = new Resolver();
    const api = await start({ http: { lookup: resolver.lookup } });
    resolver.answers = { 'good.example.com': ['9.9.9.9'] };
    const { body: saved } = await api.send('POST', '/hooks', {
      body: { url: 'https://good.example.com/', events: [EVENT] },
    });
    const texts = new Set<string>();

    for (const address of HOSTILE_ADDRESSES) {
      for (const addresses of [[address], ['9.9.9.9', address]]) {
        resolver.answers = { 'hooks.example.com': addresses };
        const body = { url: 'https://hooks.example.com/', events: [EVENT] };
        for (const answer of [
          await api.send('POST', '/hooks', { body }),
          await api.send('PATCH', saved.self, { body: { url: body.url } }),
        ]) {
          expect(answer.status).toBe(400);
          texts.add(JSON.stringify(answer.body.errors));
        }
      }
    }

    expect([...texts]).toEqual([
      JSON.stringify([
        {
          code: 'unreachable',
          field: 'url',
          reason: 'is refused: webhooks cannot be sent to its host',
        },
      ]),
    ]);
    expect((await api.subscribers.list({ limit: 10 }, 'any')).items).toHaveLength(1);
    expect(new Set(spy.dialled)).toEqual(new Set(['127.0.0.1']));
  });

  it('rejects addresses that a host has changed to since the subscriber was saved', async () => {
    const resolver = new Resolver();
    const api = await start({ http: { lookup: resolver.lookup } });
    resolver.answers = { 'turns.example.com': ['9.9.9.9'] };
    const created = await api.send('POST', '/hooks', {
      body: { url: 'http://turns.example.com/', events: [EVENT] },
    });
    expect(created.status).toBe(201);
    spy.dialled.length = 0;

    for (const address of [
      '10.0.0.1',
      '169.254.169.254',
      '::1',
      '64:ff9b::7f00:1',
      'fd00:ec2::254',
    ]) {
      resolver.answers = { 'turns.example.com': ['9.9.9.9', address] };
      const test = await api.send('POST', `${created.body.self}/test`, { body: {} });
      expect(test).toMatchObject({
        status: 200,
        body: { outcome: 'failed', status: null, error: { code: 'unreachable' } },
      });
    }
    await api.app.get(WebhookDispatcher).send(EVENT, {}, { owner: 'alice' });

    const deliveries = api.app.get(Deliveries);
    const first = async () => (await deliveries.list({ limit: 1 }, 'any')).items[0];
    await expect.poll(async () => (await first())?.reason).toBe('refused');
    expect(new Set(spy.dialled)).toEqual(new Set(['127.0.0.1']));
  });
});

describe('the owner of an endpoint', () => {
  it('cannot tell blocked from refused, unreachable and unknown hosts; the operator can', async () => {
    const resolver = new Resolver();
    const port = await freePort();
    const api = await start({
      http: { lookup: resolver.lookup },
      recipients: { allowedPorts: 'any', allowCidrs: ['127.0.0.1/32'] },
      retries: { schedule: [] },
    });
    const names = ['blocked', 'refused', 'unknown'].map((name) => `${name}.example.com`);
    const created = [];
    for (const name of names) {
      resolver.answers = { [name]: ['127.0.0.1'] };
      const body = { url: `http://${name}:${port}/`, events: [EVENT] };
      created.push((await api.send('POST', '/hooks', { body })).body);
    }
    resolver.answers = {
      'blocked.example.com': ['10.1.2.3'],
      'refused.example.com': ['127.0.0.1'],
      'unknown.example.com': null,
    };

    const tests = [];
    for (const { self } of created) {
      tests.push((await api.send('POST', `${self}/test`, { body: {} })).body);
    }
    await api.app.get(WebhookDispatcher).send(EVENT, {}, { owner: 'alice' });
    const deliveries = api.app.get(Deliveries);
    const all = async () => (await deliveries.list({ limit: 10 }, 'any')).items;
    await expect
      .poll(async () => (await all()).map(({ status }) => status))
      .toEqual(['failed', 'failed', 'failed']);
    const shown = [];
    for (const { self, id, url: own } of created) {
      const { items } = (await api.send('GET', `${self}/deliveries`)).body;
      expect(items).toHaveLength(1);
      expect(items[0].subscriberId).toBe(id);
      const { url, ...view } = (await api.send('GET', items[0].self)).body;
      expect(url).toBe(own);
      shown.push(view);
    }

    const alike = (views: unknown[]) => new Set(views.map(withoutIdentity));
    expect(alike(tests).size).toBe(1);
    expect(alike(shown).size).toBe(1);
    expect(JSON.stringify([tests, shown])).not.toMatch(
      /10\.1\.2\.3|127\.0\.0\.1|ECONNREFUSED|private/,
    );

    const kept = new Map<string, unknown>();
    for (const { id, subscriberId: subscriber } of await all()) {
      const details = await deliveries.findById(id, 'any');
      const at = created.findIndex((one) => one.id === subscriber);
      kept.set(names[at]!, [
        details!.attempts[0]!.error!.code,
        details!.attempts[0]!.address,
        details!.reason,
      ]);
    }
    expect(kept.get('blocked.example.com')).toEqual(['recipient-refused', '10.1.2.3', 'refused']);
    expect(kept.get('refused.example.com')).toEqual([
      'connection-refused',
      '127.0.0.1',
      'exhausted',
    ]);
    expect(kept.get('unknown.example.com')).toEqual(['name-not-resolved', null, 'exhausted']);
  });
});

describe('an application with an egress proxy', () => {
  it('leaves look-ups of hosts to the proxy, at save and at every attempt, and keeps the rules for URLs', async () => {
    const receiver = await ScriptedReceiver.start();
    clean.push(() => receiver.stop());
    const to = { host: '127.0.0.1', port: Number(new URL(receiver.url).port) };
    const proxy = await ConnectProxy.start({
      route: (target) => (target.startsWith('inside.') ? null : to),
    });
    clean.push(() => proxy.stop());
    const [sqlite] = sqliteAndPostgres;
    const api = await startApi('express', {
      store: await sqlite!.create(),
      thorn: { egressProxy: proxy.url, http: {}, timeout: 10_000 },
    });
    clean.push(() => api.app.close());
    const create = (url: string) => api.send('POST', '/hooks', { body: { url, events: [EVENT] } });

    const outside = await create('http://outside.example.com/');
    const inside = await create('http://inside.example.com/');
    expect([outside.status, inside.status]).toEqual([201, 201]);
    expect((await create('http://10.0.0.1/')).status).toBe(400);
    expect((await create('http://metadata.google.internal/')).status).toBe(400);
    expect(proxy.connections).toBe(0);

    expect(await api.send('POST', `${outside.body.self}/test`, { body: {} })).toMatchObject({
      body: { outcome: 'succeeded', status: 204 },
    });
    expect(await api.send('POST', `${inside.body.self}/test`, { body: {} })).toMatchObject({
      body: { outcome: 'failed', error: { code: 'unreachable' } },
    });
    await api.app.get(WebhookDispatcher).send(EVENT, {}, { owner: 'alice' });
    await receiver.waitFor(2);

    expect(new Set(proxy.asked.map(({ target }) => target))).toEqual(
      new Set(['outside.example.com:80', 'inside.example.com:80']),
    );
  });
});

/** What is left of a view when ids, URLs and times are taken away. */
function withoutIdentity(view: unknown): string {
  const told = /^(?:(?:msg|dlv|sub)_|\/hooks\/|\d{4}-\d\d-\d\dT)/;
  return JSON.stringify(view, (_, value: unknown) =>
    typeof value === 'string' && told.test(value) ? null : value,
  );
}
