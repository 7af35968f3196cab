import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  defineEvents,
  Deliveries,
  generateSecret,
  outbox,
  ThornModule,
  WebhookDispatcher,
} from '../../lib/index.js';
import { McpEvents, McpEventsError, McpEventsModule } from '../../lib/mcp/index.js';
import { ThornMetricsModule } from '../../lib/metrics/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { openTelemetry } from '../../lib/tracing/index.js';
import { createDatabase } from '../support/databases.js';
import { echo } from '../support/apps/mcp-apps.js';

const exporter = new InMemorySpanExporter();
const registry = new Registry();
const logs: string[] = [];
let app: INestApplication;
let receiver: ScriptedReceiver;

beforeAll(async () => {
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  receiver = await ScriptedReceiver.start();
  const { options } = await createDatabase('memory');
  const module = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({ ...options, autoLoadEntities: true, synchronize: true }),
      ThornModule.forRoot({
        dispatch: outbox({ pollInterval: 25 }),
        events: defineEvents({ 'order.paid': { description: 'An order was paid' } }),
        recipients: 'development',
        retries: { schedule: [] },
        tracing: openTelemetry(),
        api: { unprotected: true, owner: () => 'ada', challenge: true },
      }),
      McpEventsModule.forRoot(),
      ThornMetricsModule.forRoot({ registry, statsFor: 0 }),
    ],
  }).compile();
  const note = (...parts: unknown[]) => void logs.push(parts.map(String).join(' '));
  const logger = { log: note, warn: note, error: note, debug: note, verbose: note };
  app = module.createNestApplication({ logger });
  await app.listen(0, '127.0.0.1');
});
afterAll(async () => {
  trace.disable();
  await app.close();
  await receiver.stop();
});

it('shows no secret, signature, challenge or query string in spans, logs, metrics and errors', async () => {
  const hidden: string[] = [];
  const errors: unknown[] = [];
  const secret = (given = generateSecret()) => {
    hidden.push(given, given.slice('whsec_'.length));
    return given;
  };
  const urlOf = (path: string) => `${receiver.url}/${path}?token=hidden-in-the-query`;
  const subscribe = (path: string, given = secret()) =>
    app
      .get(McpEvents)
      .handle(
        'events/subscribe',
        { name: 'order.paid', delivery: { mode: 'webhook', url: urlOf(path), secret: given } },
        { principal: 'ada' },
      );
  const refused = async (path: string, given?: string) => {
    const error: unknown = await subscribe(path, given).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(McpEventsError);
    errors.push(error);
  };
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${(await app.getUrl()).replace(/\/$/, '')}/hooks${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(answer.ok).toBe(true);
    return (await answer.json()) as { readonly id: string };
  };
  receiver.otherwise(echo);

  const answers = [await subscribe('agent'), await subscribe('agent')];
  receiver.answer(500);
  await refused('unwilling');
  for (const wrong of ['', 'whsec_', 'whsk_']) {
    await refused('agent', secret(`${wrong}${randomBytes(32).toString('hex')}%`));
  }
  const { id } = await post('', { url: urlOf('user'), events: ['*'], secret: secret() });
  receiver.otherwise(({ body }) => ({ body: challengeIn(body)! }));
  await post(`/${id}/challenge`, {});
  receiver.otherwise(204);
  await post(`/${id}/rotate-secret`, { overlap: '1h', secret: secret() });
  await app.get(WebhookDispatcher).send('order.paid', { of: 'both' });
  receiver.otherwise(410);
  const { id: failing } = await app.get(WebhookDispatcher).send('order.paid', { of: 'neither' });
  await vi.waitFor(async () => {
    const { items } = await app.get(Deliveries).list({ status: 'failed' }, 'any');
    expect(items.filter(({ messageId }) => messageId === failing)).toHaveLength(2);
  });
  await receiver.stop();
  await app.get(McpEvents).revoke('ada');

  for (const { headers, path, body } of receiver.received) {
    expect(path).toContain('?token=');
    const challenge = challengeIn(body);
    if (challenge !== undefined) hidden.push(challenge);
    hidden.push(
      ...String(headers['webhook-signature'])
        .split(/[ ,]/)
        .filter((one) => one.length > 9),
    );
  }
  const spans = exporter.getFinishedSpans().map(({ name, attributes, events, status, links }) => ({
    ...{ name, attributes, events, status, links },
  }));
  expect(spans.map(({ name }) => name)).toContain('thorn attempt order.paid');
  const metrics = await registry.metrics();
  expect(metrics).toContain('order.paid');
  expect(logs.length).toBeGreaterThan(0);
  const told = inspect([answers, errors, errors.map((one) => (one as McpEventsError).jsonRpc)], {
    depth: Infinity,
  });
  const seen = [JSON.stringify(spans), metrics, told, ...logs].join('\n');
  expect(hidden.length).toBeGreaterThan(12);
  for (const one of ['hidden-in-the-query', 'token=', ...hidden]) expect(seen).not.toContain(one);
});

/** The challenge of MCP Events, or that of the REST API. */
function challengeIn(body: Buffer): string | undefined {
  const { challenge, data } = JSON.parse(body.toString()) as {
    readonly challenge?: string;
    readonly data?: { readonly token?: string };
  };
  return challenge ?? data?.token;
}
