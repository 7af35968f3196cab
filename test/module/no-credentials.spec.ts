import { DataSource } from 'typeorm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Deliveries, Subscribers, WebhookDispatcher, WebhookEvents } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { startApi } from '../support/apps/api-app.js';
import { AuthorizationServer, CLIENT } from '../support/authorization-server.js';
import { createDatabase } from '../support/databases.js';
import { OutputRecorder } from '../support/output-recorder.js';

const WORDS = {
  header: 'a-header-of-the-owner',
  changed: 'a-header-that-was-changed-to',
  token: 'a-token-of-the-owner',
  username: 'a-username-of-the-owner',
  password: 'a password of the owner',
  basic: Buffer.from('a-username-of-the-owner:a password of the owner').toString('base64'),
  client: CLIENT.clientSecret,
  clientEncoded: new URLSearchParams([['', CLIENT.clientSecret]]).toString().slice(1),
  query: 'a-key-in-the-token-url',
  static: 'a-token-of-the-application',
  named: 'a-token-of-one-message',
};

const clean: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of clean.splice(0).reverse()) await one();
});

describe.each(['file', 'postgres'] as const)('a whole run on %s', (kind) => {
  it('writes and prints no credential of an endpoint', async () => {
    const ears = new OutputRecorder();
    const receiver = await ScriptedReceiver.start();
    clean.push(() => receiver.stop());
    const authorization = await AuthorizationServer.start();
    clean.push(() => authorization.stop());
    const store = await createDatabase(kind);
    clean.push(() => store.drop());
    const bearer = (token: string) => ({ type: 'bearer', token }) as const;
    const api = await startApi('express', {
      store,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        retries: { schedule: [20] },
        encryption: { keys: [{ id: 'one', key: Buffer.alloc(32, 7) }] },
        subscribers: { 'order.paid': { url: receiver.url, auth: bearer(WORDS.static) } },
        timeout: 500,
      },
      configure: (app) => app.useLogger(ears.logger),
    });
    clean.push(() => api.app.close());
    clean.push(ears.recordStreams());
    for (const name of ['succeeded', 'retry-scheduled', 'failed', 'subscriber-failing'] as const) {
      clean.push(api.app.get(WebhookEvents).on(name, (facts) => ears.record(name, facts)));
    }
    const call = async (method: string, path: string, body?: object) => {
      const answer = await api.send(method, path, body && { body });
      ears.record(`${method} ${path}`, { ...answer, headers: [...answer.headers] });
      return answer;
    };

    const selves: string[] = [];
    for (const auth of [
      bearer(WORDS.token),
      { type: 'basic', username: WORDS.username, password: WORDS.password },
      { ...CLIENT, tokenUrl: `${authorization.tokenUrl}?key=${WORDS.query}` },
      { ...CLIENT, clientId: 'nobody', tokenUrl: authorization.tokenUrl },
      { ...CLIENT, tokenUrl: `http://127.0.0.1:2/?key=${WORDS.query}` },
    ]) {
      const { body } = await call('POST', '/hooks', {
        ...{ url: receiver.url, events: ['article.*'], auth },
        headers: { 'X-Api-Key': WORDS.header },
      });
      selves.push(body.self as string);
      await call('PATCH', body.self, { headers: { 'X-Other': WORDS.changed } });
      await call('PATCH', body.self, { auth: { ...auth, type: 'bearer' } });
      await call('POST', `${body.self}/test`, {});
    }
    receiver.answer(500, 401, 'reset', 'hang');
    const dispatcher = api.app.get(WebhookDispatcher);
    await dispatcher.send('article.created', {});
    await dispatcher.send('order.paid', {});
    const named = { url: receiver.url, auth: bearer(WORDS.named) };
    await dispatcher.send('article.changed', {}, { subscribers: named });
    await vi.waitFor(
      async () => {
        const stats = await api.app.get(Deliveries).stats();
        expect(stats).toMatchObject({ pending: 0, pendingMessages: 0 });
      },
      { timeout: 30_000, interval: 100 },
    );
    for (const self of [...selves, '/hooks']) await call('GET', self);
    for (const self of selves) {
      for (const { self: path } of (await call('GET', `${self}/deliveries`)).body.items) {
        await call('GET', path);
        await call('GET', `${path}/request`);
        await call('POST', `${path}/retry`, {});
      }
      await call('DELETE', `${self}/nothing`);
    }
    const { items } = await api.app.get(Subscribers).list({}, 'any');
    expect(items).toHaveLength(selves.length);
    const database = api.app.get(DataSource);
    for (const { tableName } of database.entityMetadatas) {
      for (const row of await database.query(`SELECT * FROM ${tableName}`)) {
        ears.record(tableName, JSON.stringify(row));
      }
    }

    const sent = receiver.received.map(({ headers }) => headers['authorization'] ?? '');
    const tokens = sent.flatMap((value) => value.split(' ')[1] ?? []);
    for (const word of [WORDS.token, WORDS.basic, WORDS.static, WORDS.named]) {
      expect(tokens).toContain(word);
    }
    // Those of the authorization server too.
    expect(new Set(tokens).size).toBeGreaterThan(4);
    expect(ears.find([...Object.values(WORDS), ...tokens])).toEqual([]);
    expect(ears.records.length).toBeGreaterThan(60);
  });
});
