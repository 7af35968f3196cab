import { inspect } from 'node:util';
import type { LoggerService } from '@nestjs/common';
import { expect, vi } from 'vitest';
import { Deliveries, Subscribers, WebhookDispatcher } from '../../lib/index.js';
import type { ScriptedReceiver } from '../../lib/testing/index.js';
import type { Api } from './apps/api-app.js';

/** Texts that no output may contain. */
export const SECRETS = {
  given: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  changed: 'a secret that was changed to',
  rotated: 'a secret that was rotated to',
  refused: 'refused!',
  query: 'token=in-the-query-string',
  password: 'pass-in-the-url',
  key: Buffer.alloc(32, 7).toString('base64'),
  links: 'a secret that signs links to unsubscribe',
};

/** Records everything that an outsider could read: logs, streams, errors, answers. */
export class OutputRecorder {
  readonly records: { where: string; text: string }[] = [];

  record(where: string, what: unknown): void {
    const text =
      typeof what === 'string' ? what : inspect(what, { depth: 20, maxStringLength: 1e6 });
    this.records.push({ where, text });
    if (what instanceof Error) this.record(`${where}, as JSON`, JSON.stringify(what));
  }

  get logger(): LoggerService {
    const line = (...parts: unknown[]) => parts.forEach((part) => this.record('log', part));
    return { log: line, error: line, warn: line, debug: line, verbose: line, fatal: line };
  }

  /** Records what is written to the streams from now on. @returns a function that stops the recording */
  recordStreams(): () => void {
    const ends: (() => void)[] = [];
    for (const name of ['stdout', 'stderr'] as const) {
      const spy = vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
        this.record(name, String(chunk));
        return true;
      });
      ends.push(() => spy.mockRestore());
    }
    return () => {
      for (const end of ends) end();
    };
  }

  find(words: readonly string[]): string[] {
    return words.flatMap((word) => {
      const found = this.records.filter(({ text }) => text.includes(word));
      return found.map(({ where, text }) => `${word} in ${where}: ${around(text, word)}`);
    });
  }
}

function around(text: string, word: string): string {
  const at = text.indexOf(word);
  return text.slice(Math.max(0, at - 80), at + word.length + 20);
}

/** Returns the signatures of the webhooks that have arrived, and of the links in them. */
export function signaturesIn({ received }: ScriptedReceiver): string[] {
  return received.flatMap(({ headers }) => {
    const link = headers['hook-unsubscribe'];
    return [
      ...['webhook-signature', 'hook-hmac'].flatMap((name) => {
        const value = headers[name];
        return typeof value === 'string' ? value.split(' ') : [];
      }),
      // The subscriber's id is no secret, the signature behind it is.
      ...(typeof link === 'string' ? [link.slice(link.lastIndexOf('/') + 1)] : []),
    ];
  });
}

/** Calls every route, in every way to fail. @returns the secrets that the answers have shown on purpose */
export async function callEveryRoute(
  api: Api,
  receiver: ScriptedReceiver,
  ears: OutputRecorder,
): Promise<string[]> {
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
    ears.record(`${method} ${path}`, text.replaceAll(/"url":"[^"]*"/g, ''));
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
    if (SECRETS.query in different || 'events' in different) ears.records.pop();
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
  await dispatcher.send('article.created', {}, { owner: 'alice' });
  await dispatcher.send('article.changed', {}, { owner: '' });
  await dispatcher.send('order.paid');
  const subscribers = api.app.get(Subscribers);
  for (const wrong of [
    { url: `http://10.0.0.1/?${SECRETS.query}` },
    { secret: SECRETS.refused },
    { url: `http://user:${SECRETS.password}@example.com/` },
  ]) {
    await subscribers
      .create({ url, events: ['*'], ...wrong })
      .catch((error: unknown) => ears.record('create', error));
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
  await dispatcher.send('order.paid', {}, { owner: 'alice' });
  await vi.waitFor(async () => {
    const deliveries = api.app.get(Deliveries);
    expect((await deliveries.list({ subscriberId: id }, 'any')).items).not.toEqual([]);
    expect(await deliveries.stats()).toMatchObject({ pending: 0, pendingMessages: 0 });
  });
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
