import { inspect } from 'node:util';
import { type LoggerService } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  Deliveries,
  InvalidInputError,
  Subscribers,
  WebhookDispatcher,
  WebhookEvents,
  type WebhookEventName,
} from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, platforms, startApi } from '../api.app.js';
import { stores } from '../api.stores.js';

const SECRETS = {
  given: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  changed: 'a secret that was changed to',
  rotated: 'a secret that was rotated to',
  refused: 'refused!',
  query: 'token=in-the-query-string',
  password: 'pass-in-the-url',
  key: Buffer.alloc(32, 7).toString('base64'),
  links: 'a secret that signs links to unsubscribe',
};
const NAMES: readonly WebhookEventName[] = [
  'message-accepted',
  'delivered',
  'retry-scheduled',
  'failed',
  'subscriber-failing',
  'subscriber-disabled',
  'recipient-refused',
];

const clean: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of clean.splice(0).reverse()) await one();
});

/** Everything that somebody could read who should not. */
class Ears {
  readonly heard: { where: string; text: string }[] = [];

  hear(where: string, what: unknown): void {
    const text =
      typeof what === 'string' ? what : inspect(what, { depth: 20, maxStringLength: 1e6 });
    this.heard.push({ where, text });
    if (what instanceof Error) this.hear(`${where}, as JSON`, JSON.stringify(what));
  }

  get logger(): LoggerService {
    const line = (...parts: unknown[]) => parts.forEach((part) => this.hear('log', part));
    return { log: line, error: line, warn: line, debug: line, verbose: line, fatal: line };
  }

  /** What was written to the streams since. */
  onStreams(): void {
    for (const name of ['stdout', 'stderr'] as const) {
      const spy = vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
        this.hear(name, String(chunk));
        return true;
      });
      clean.push(() => spy.mockRestore());
    }
  }

  hits(words: readonly string[]): string[] {
    return words.flatMap((word) => {
      const found = this.heard.filter(({ text }) => text.includes(word));
      return found.map(({ where, text }) => `${word} in ${where}: ${around(text, word)}`);
    });
  }
}

function around(text: string, word: string): string {
  const at = text.indexOf(word);
  return text.slice(Math.max(0, at - 80), at + word.length + 20);
}

describe.each(stores.flatMap((store) => platforms.map((platform) => ({ ...store, platform }))))(
  'a whole run on $database and $platform',
  ({ fresh, platform }) => {
    it('tells nobody a secret, a signature, an authorization header or a query string', async () => {
      const ears = new Ears();
      const receiver = await ScriptedReceiver.start();
      clean.push(() => receiver.stop());
      const store = await fresh();
      clean.push(() => store.drop());
      const api = await startApi(platform, {
        store,
        thorn: {
          recipients: LOOPBACK_RECIPIENTS,
          retries: { schedule: [20] },
          encryption: { keys: [{ id: 'one', key: SECRETS.key }] },
          unsubscribe: { url: 'https://api.example.com/hooks', secret: SECRETS.links },
          timeout: 500,
        },
        configure: (app) => app.useLogger(ears.logger),
      });
      clean.push(() => api.app.close());
      ears.onStreams();
      for (const name of NAMES) {
        clean.push(api.app.get(WebhookEvents).on(name, (facts) => ears.hear(name, facts)));
      }
      const known: string[] = Object.values(SECRETS);

      known.push(...(await everything(api, receiver, ears)));
      await aDayLater(api, receiver);

      for (const { headers } of receiver.received) {
        for (const name of ['webhook-signature', 'hook-hmac']) {
          const value = headers[name];
          known.push(...(typeof value === 'string' ? value.split(' ') : []));
        }
        const link = headers['hook-unsubscribe'];
        // The subscriber's id is no secret, the signature behind it is.
        if (typeof link === 'string') known.push(link.slice(link.lastIndexOf('/') + 1));
      }
      expect(known.some((word) => /^[\w-]{55}$/.test(word))).toBe(true);
      known.push('alice-token', 'bob-token');
      expect(known.length).toBeGreaterThan(20);
      expect(ears.heard.length).toBeGreaterThan(30);
      for (const table of [
        'thorn_subscribers',
        'thorn_messages',
        'thorn_deliveries',
        'thorn_attempts',
      ]) {
        for (const { url: _, ...row } of await api.app
          .get(DataSource)
          .query(`SELECT * FROM ${table}`)) {
          ears.hear(table, JSON.stringify(row));
        }
      }
      expect(ears.hits(known)).toEqual([]);
    });

    it('would have noticed one', () => {
      const ears = new Ears();
      ears.logger.error('x', new InvalidInputError('url', `is ${SECRETS.given}`));
      ears.hear('body', { deep: [{ a: { b: SECRETS.query } }] });
      expect(ears.hits(Object.values(SECRETS))).not.toHaveLength(0);
    });
  },
);

/** Every route and every way to fail; @returns the secrets that the answers have shown on purpose */
async function everything(api: Api, receiver: ScriptedReceiver, ears: Ears): Promise<string[]> {
  const shown: string[] = [];
  const url = `${receiver.url}?${SECRETS.query}`;
  const call = async (method: string, path: string, body?: unknown, as?: 'bob' | 'nobody') => {
    const answer = await api.send(method, path, {
      ...(body === undefined ? {} : { body }),
      ...(as && { as }),
    });
    // A subscriber's own URL is its owner's to see, and a new secret is shown once.
    const { secret, ...rest } = answer.body ?? {};
    if (secret !== undefined) shown.push(secret);
    const text = JSON.stringify({ ...rest, headers: [...answer.headers] });
    ears.hear(`${method} ${path}`, text.replaceAll(/"url":"[^"]*"/g, ''));
    return answer;
  };
  const create = (different: object = {}) =>
    call('POST', '/hooks', { url, events: ['*'], ...different });

  const { id, self } = (await create({ secret: SECRETS.given })).body;
  await create();
  for (const different of [
    { secret: SECRETS.refused },
    { url: `ftp://example.com/?${SECRETS.query}` },
    { url: `http://10.0.0.1/?${SECRETS.query}` },
    { url: `http://user:${SECRETS.password}@example.com/` },
    { filter: { title: { in: SECRETS.given } } },
    { events: [SECRETS.query] },
    { [SECRETS.query]: 1, secret: 5 },
  ]) {
    const { body, status } = await create(different);
    expect(status).toBe(400);
    // A name that the caller made up is repeated: it is what was refused.
    if (SECRETS.query in different || 'events' in different) ears.heard.pop();
    else expect(body.errors).toHaveLength(1);
  }
  await call('PATCH', self, { secret: SECRETS.changed });
  await call('POST', `${self}/rotate-secret`, { secret: SECRETS.rotated });
  await call('POST', `${self}/rotate-secret`, {});
  await call('POST', `${self}/rotate-secret`, { secret: SECRETS.refused });
  for (const path of ['/hooks', self, '/hooks/event-types', '/hooks/.well-known/jwks.json']) {
    await call('GET', path);
    await call('GET', path, undefined, 'nobody');
    await call('GET', path, undefined, 'bob');
  }

  const dispatcher = api.app.get(WebhookDispatcher);
  receiver.answer(500, 204, 410);
  for (const event of ['test', 'enable', 'challenge', 'disable', 'enable']) {
    await call('POST', `${self}/${event}`, {});
  }
  await dispatcher.send('article.created', {}, { sender: 'alice' });
  await dispatcher.send('article.changed', {}, { sender: '' });
  await dispatcher.send('order.paid');
  const subscribers = api.app.get(Subscribers);
  for (const wrong of [
    { url: `http://10.0.0.1/?${SECRETS.query}` },
    { secret: SECRETS.refused },
    { url: `http://user:${SECRETS.password}@example.com/` },
  ]) {
    await subscribers
      .create({ url, events: ['*'], ...wrong })
      .catch((error: unknown) => ears.hear('create', error));
  }
  // Goes nowhere, in several ways.
  for (const dead of [
    'http://127.0.0.1:2',
    receiver.url.replace('http:', 'https:'),
    'http://nowhere.example.com',
  ]) {
    await subscribers.create({
      url: `${dead}/?${SECRETS.query}`,
      events: ['order.*'],
      owner: 'alice',
    });
  }
  await dispatcher.send('order.paid', {}, { sender: 'alice' });
  await vi.waitFor(
    async () =>
      expect(await api.app.get(Deliveries).stats()).toMatchObject({
        pending: 0,
        pendingMessages: 0,
      }),
    { timeout: 10_000 },
  );
  const { items } = (await call('GET', `/hooks/${id}/deliveries?limit=100`)).body;
  for (const item of items) await call('GET', item.self);
  for (const subscriber of (await call('GET', '/hooks')).body.items) {
    const log = await call('GET', `${subscriber.self}/deliveries`);
    for (const item of log.body.items) await call('GET', item.self);
    await call('POST', `${subscriber.self}/recover`, { since: '2020-01-01' });
    await call('POST', `${subscriber.self}/backfill`, { since: '2020-01-01', dryRun: true });
    await call('POST', `${subscriber.self}/test`, {});
  }
  await call('POST', `${items[0].self}/retry`, {});
  return shown;
}

/** The database is gone: what is said of that. */
async function aDayLater(api: Api, receiver: ScriptedReceiver): Promise<void> {
  await api.send('GET', '/hooks');
  receiver.otherwise(500);
  await api.app.get(WebhookDispatcher).send('article.created', {}, { sender: 'alice' });
  await receiver.waitFor(receiver.received.length + 1);
}
