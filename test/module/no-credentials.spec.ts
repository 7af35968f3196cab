import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  Deliveries,
  describeThornApi,
  outbox,
  Subscribers,
  WebhookDispatcher,
  WebhookEvents,
} from '../../lib/index.js';
import { ThornMetricsModule } from '../../lib/metrics/index.js';
import { thornPage } from '../../lib/page/index.js';
import {
  LOOPBACK_RECIPIENTS,
  type ReceivedWebhook,
  ScriptedReceiver,
} from '../../lib/testing/index.js';
import { UndiciHttpClient } from '../../lib/extending/index.js';
import { openTelemetry } from '../../lib/tracing/index.js';
import { type Api, BearerGuard, startApi } from '../support/apps/api-app.js';
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

const EVENTS = [
  ...['message-accepted', 'succeeded', 'retry-scheduled', 'failed', 'recipient-refused'],
  ...['subscriber-failing', 'subscriber-recovered', 'subscriber-disabled'],
] as const;

const exporter = new InMemorySpanExporter();

/** Answers with the headers of the request, as echo services do, and with the name and the password of HTTP Basic. */
function echo({ headers }: ReceivedWebhook) {
  const { authorization = '' } = headers;
  const basic = Buffer.from(authorization.split(' ')[1] ?? '', 'base64').toString();
  return {
    headers: { 'X-Request-Id': authorization, Server: headers['x-api-key'] ?? '' },
    body: JSON.stringify({ headers, basic }),
  };
}

/** The paths of all routes that answer a GET, with an id for each of their parameters. */
function readable({ app }: Api, ids: Readonly<Record<string, string>>): string[] {
  const config = new DocumentBuilder().build();
  const { paths } = describeThornApi(app, SwaggerModule.createDocument(app, config));
  return Object.entries(paths).flatMap(([path, item]) =>
    'get' in item ? [path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? name)] : [],
  );
}

describe.each(['file', 'postgres'] as const)('a whole run on %s', (kind) => {
  it('writes and prints no credential of an endpoint', async () => {
    const ears = new OutputRecorder();
    const receiver = await ScriptedReceiver.start();
    receiver.otherwise(echo);
    clean.push(() => receiver.stop());
    const authorization = await AuthorizationServer.start();
    clean.push(() => authorization.stop());
    const store = await createDatabase(kind);
    clean.push(() => store.drop());
    const registry = new Registry();
    exporter.reset();
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
    );
    clean.push(() => trace.disable());
    const bearer = (token: string) => ({ type: 'bearer', token }) as const;
    const api = await startApi('express', {
      store,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        retries: { schedule: [20] },
        health: { disableAfter: 1, minMessages: 2 },
        encryption: { keys: [{ id: 'one', key: Buffer.alloc(32, 7) }] },
        subscribers: { 'order.paid': { url: receiver.url, auth: bearer(WORDS.static) } },
        timeout: 500,
        answerHeaders: { of: 'everything' },
        dispatch: outbox({ pollInterval: 25, history: true }),
        tracing: openTelemetry(),
        notify: (notice) => ears.record('notify', notice),
        operatorApi: { guards: [BearerGuard], bodies: true },
        page: thornPage(),
      },
      imports: [ThornMetricsModule.forRoot({ registry, statsFor: 0 })],
      configure: (app) => app.useLogger(ears.logger),
    });
    clean.push(() => api.app.close());
    clean.push(ears.recordStreams());
    for (const name of EVENTS) {
      clean.push(api.app.get(WebhookEvents).on(name, (facts) => ears.record(name, facts)));
    }
    const call = async (method: string, path: string, body?: object) => {
      const answer = await api.send(method, path, body && { body });
      ears.record(`${method} ${path}`, { ...answer, headers: [...answer.headers] });
      return answer;
    };

    const selves: string[] = [];
    const subscribers = api.app.get(Subscribers);
    for (const auth of [
      bearer(WORDS.token),
      { type: 'basic', username: WORDS.username, password: WORDS.password },
      { ...CLIENT, tokenUrl: `${authorization.tokenUrl}?key=${WORDS.query}` },
      { ...CLIENT, clientId: 'nobody', tokenUrl: authorization.tokenUrl },
      { ...CLIENT, tokenUrl: `http://127.0.0.1:2/?key=${WORDS.query}` },
    ]) {
      const fields = { url: receiver.url, events: ['article.*'], auth };
      const { body } = await call('POST', '/hooks', {
        ...fields,
        headers: { 'X-Api-Key': WORDS.header },
      });
      selves.push(body.self as string);
      await call('PATCH', body.self, { headers: { 'X-Other': WORDS.changed } });
      await call('PATCH', body.self, { auth: { ...auth, type: 'bearer' } });
      await call('POST', `${body.self}/test`, {});
      for (const wrong of [
        { headers: { 'X-A': `${WORDS.header}\n` } },
        { headers: { Authorization: WORDS.header } },
        { auth: { ...auth, more: WORDS.token } },
        { timeout: WORDS.token },
      ]) {
        const refused = subscribers.create({ ...fields, ...wrong } as never);
        await expect(refused).rejects.toThrow();
        ears.record('create', await refused.catch((error: unknown) => error));
      }
    }
    receiver.answer(500, 401, 'reset', 'hang');
    const dispatcher = api.app.get(WebhookDispatcher);
    await dispatcher.send('article.created', {});
    await dispatcher.send('order.paid', {});
    const named = { url: receiver.url, auth: bearer(WORDS.named) };
    const { id: message } = await dispatcher.send('article.changed', {}, { subscribers: named });
    const settled = () =>
      vi.waitFor(
        async () => {
          const stats = await api.app.get(Deliveries).stats();
          expect(stats).toMatchObject({ pending: 0, pendingMessages: 0 });
        },
        { timeout: 30_000, interval: 100 },
      );
    await settled();

    const since = new Date(Date.now() - 600_000).toISOString();
    for (const self of selves) {
      const [, , id] = self.split('/') as [string, string, string];
      const { items } = (await call('GET', `${self}/deliveries`)).body;
      for (const { self: path } of items) {
        await call('POST', `${path}/retry`, {});
        await call('GET', `${path}/request`);
      }
      const [, , , delivery] = items[0].self.split('/') as [string, string, string, string];
      const ids = { id, delivery, message, name: 'article.created', host: '*' };
      for (const path of readable(api, ids)) await call('GET', path);
      await call('POST', `${self}/recover`, { since });
      await call('POST', `${self}/backfill`, { since });
      await call('DELETE', `${self}/nothing`);
    }
    await settled();
    for (const work of ['reseal', 'prune']) {
      await call('POST', `/hooks-operator/maintenance/${work}`, { days: 1, dryRun: true });
    }
    for (const path of ['/webhooks', '/webhooks/element.js']) {
      const page = await fetch(api.url + path);
      expect(page.status).toBe(200);
      ears.record(path, await page.text());
    }
    expect((await subscribers.list({}, 'any')).items).toHaveLength(selves.length);
    const database = api.app.get(DataSource);
    for (const { tableName } of database.entityMetadatas) {
      for (const row of await database.query(`SELECT * FROM ${tableName}`)) {
        ears.record(tableName, JSON.stringify(row));
      }
    }
    ears.record('metrics', await registry.metrics());
    const spans = exporter.getFinishedSpans();
    for (const { name, attributes, events, status, links } of spans) {
      ears.record('span', { name, attributes, events, status, links });
    }

    const sent = receiver.received.map(({ headers }) => headers['authorization'] ?? '');
    const tokens = sent.flatMap((value) => value.split(' ')[1] ?? []);
    for (const word of [WORDS.token, WORDS.basic, WORDS.static, WORDS.named]) {
      expect(tokens).toContain(word);
    }
    // Those of the authorization server too.
    expect(new Set(tokens).size).toBeGreaterThan(4);
    expect(ears.find([...Object.values(WORDS), ...tokens])).toEqual([]);
    const places = new Set(ears.records.map(({ where }) => where.split('?')[0]));
    expect([...places]).toEqual(
      expect.arrayContaining([
        ...['log', 'notify', 'span', 'metrics', 'create', 'retry-scheduled', 'subscriber-disabled'],
        '/webhooks',
        ...['GET /hooks-operator/subscribers', 'GET /hooks/stats', 'thorn_attempts'],
      ]),
    );
  });
});

describe('an application that adds headers by an interceptor of axios', () => {
  it('keeps their values out of what it stores of an answer', async () => {
    const receiver = await ScriptedReceiver.start();
    clean.push(() => receiver.stop());
    receiver.otherwise(({ headers }) => ({
      status: 500,
      headers: { 'X-Request-Id': headers['x-gateway-key'] ?? '' },
      body: JSON.stringify(headers),
    }));
    const store = await createDatabase('file');
    clean.push(() => store.drop());
    const api = await startApi('express', {
      store,
      thorn: { recipients: LOOPBACK_RECIPIENTS, dispatch: outbox({ pollInterval: 25 }) },
    });
    clean.push(() => api.app.close());
    api.app.get(UndiciHttpClient).axios.interceptors.request.use((config) => {
      config.headers.set('X-Gateway-Key', 'a-key-of-the-gateway');
      config.headers.set('Authorization', 'Bearer a-token-of-the-gateway');
      return config;
    });
    const owner = 'shop';
    const { id } = await api.app
      .get(Subscribers)
      .create({ url: receiver.url, events: ['*'], owner });
    await api.app.get(WebhookDispatcher).send('article.created', {}, { owner });

    const deliveries = api.app.get(Deliveries);
    const attempt = await vi.waitFor(async () => {
      const { items } = await deliveries.list({ subscriberId: id }, 'any');
      const [first] = (await deliveries.findById(items[0]!.id, 'any'))!.attempts;
      return first!;
    });
    expect(receiver.received[0]!.headers).toMatchObject({
      'x-gateway-key': 'a-key-of-the-gateway',
      authorization: 'Bearer a-token-of-the-gateway',
    });
    expect(attempt.response).toContain('"x-gateway-key":"***"');
    expect(JSON.stringify(attempt)).not.toContain('of-the-gateway');
  });
});
