import { type INestApplication, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  type Context,
  context,
  type ContextManager,
  createTraceState,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BullMQOtel } from 'bullmq-otel';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { bullmq } from '../../lib/bullmq/index.js';
import {
  inline,
  outbox,
  type OutboxOptions,
  Subscribers,
  ThornModule,
  type ThornModuleExtras,
  WebhookDispatcher,
  WebhookEvent,
  WebhookEvents,
} from '../../lib/index.js';
import { WebhookHttpClient, type WebhookResponse } from '../../lib/extending/index.js';
import { LOOPBACK_RECIPIENTS } from '../../lib/testing/index.js';
import { openTelemetry } from '../../lib/tracing/index.js';
import { Receiver } from '../support/receiver.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { freePort } from '../services/free-port.js';
import { type RedisServer, startRedis } from '../services/redis.js';

@Entity()
@WebhookEvent('parcel.packed', { on: 'create' })
class Parcel {
  @PrimaryColumn()
  id!: string;

  @Column()
  note!: string;
}

/** What the packages for Node bring, in a few lines. */
class LocalContexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<Arguments extends unknown[], Result>(
    active: Context,
    work: (...given: Arguments) => Result,
    self?: ThisParameterType<typeof work>,
    ...given: Arguments
  ): Result {
    return this.#storage.run(active, () => work.apply(self, given));
  }

  bind<Target>(_active: Context, target: Target): Target {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}

const exporter = new InMemorySpanExporter();
beforeAll(() => {
  context.setGlobalContextManager(new LocalContexts());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
});
afterAll(() => {
  trace.disable();
  context.disable();
});

let receiver: Receiver;
const apps: INestApplication[] = [];
beforeEach(async () => {
  receiver = await Receiver.start();
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  await receiver.stop();
  exporter.reset();
});

async function start(
  place: TestDatabase,
  options: OutboxOptions = {},
  thorn: ThornModuleExtras = {},
): Promise<INestApplication> {
  @Module({
    imports: [
      TypeOrmModule.forRoot({
        ...place.options,
        synchronize: true,
        autoLoadEntities: true,
        entities: [Parcel],
      }),
      ThornModule.forRoot({
        recipients: LOOPBACK_RECIPIENTS,
        dispatch: outbox({ pollInterval: 25, ...options }),
        retries: { schedule: [0, 10], jitter: 0 },
        tracing: openTelemetry(),
        ...thorn,
      }),
    ],
  })
  class AppModule {}

  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  const app = module.createNestApplication();
  app.useLogger(false);
  await app.init();
  apps.push(app);
  return app;
}

const told = (app: INestApplication, name: 'succeeded' | 'failed') =>
  new Promise<void>((resolve) => app.get(WebhookEvents).once(name, () => resolve()));

/** Runs `work` as a request of the application would run. */
/** @param caller where in a trace whoever asks is; default: nowhere */
async function inRequest<Value>(work: () => Promise<Value>, caller?: Context): Promise<Value> {
  const span = trace.getTracer('app').startSpan('POST /orders', {}, caller);
  try {
    return await context.with(trace.setSpan(context.active(), span), work);
  } finally {
    span.end();
  }
}

/** Those whose names begin so, in the order of their ends. */
const spans = (name: string): readonly ReadableSpan[] =>
  exporter.getFinishedSpans().filter((span) => span.name.startsWith(name));
const idOf = (span: ReadableSpan) => span.spanContext().spanId;

describe.each(['file', 'postgres'] as const)('openTelemetry() and outbox() on %s', (kind) => {
  let place: TestDatabase;
  beforeEach(async () => {
    place = await createDatabase(kind);
    return () => place.drop();
  });
  afterEach(async () => {
    // Before the database goes.
    for (const app of apps.splice(0)) await app.close();
  });

  it('follows a message from the request that sends it to every attempt', async () => {
    const app = await start(place);
    const url = `${receiver.url}?key=s3cret`;
    const { id: subscriber } = await app.get(Subscribers).create({ url, events: ['*'] });
    receiver.status = 500;
    const failed = told(app, 'failed');
    const { id } = await inRequest(() => app.get(WebhookDispatcher).send('order.placed', { a: 1 }));
    await failed;

    const [request] = spans('POST /orders');
    const [send, ...more] = spans('thorn send');
    expect(more).toEqual([]);
    expect(send).toMatchObject({
      name: 'thorn send order.placed',
      kind: SpanKind.PRODUCER,
      parentSpanContext: { spanId: idOf(request!) },
      attributes: { 'messaging.message.id': id, 'thorn.event': 'order.placed' },
    });
    expect(spans('thorn stage')).toMatchObject([{ parentSpanContext: { spanId: idOf(send!) } }]);

    const attempts = spans('thorn attempt order.placed');
    expect(attempts.map(({ attributes }) => attributes['thorn.attempt'])).toEqual([1, 2, 3]);
    for (const attempt of attempts) {
      expect(attempt).toMatchObject({
        kind: SpanKind.CLIENT,
        // Siblings, and not one under the other.
        parentSpanContext: { spanId: idOf(send!) },
        status: { code: SpanStatusCode.ERROR },
        attributes: {
          'messaging.message.id': id,
          'thorn.event': 'order.placed',
          'thorn.subscriber.id': subscriber,
          'http.response.status_code': 500,
          'error.type': '500',
          'server.address': '127.0.0.1',
          'server.port': Number(new URL(url).port),
        },
      });
      expect(attempt.spanContext().traceId).toBe(request!.spanContext().traceId);
    }
    expect(JSON.stringify(exporter.getFinishedSpans().map(({ attributes }) => attributes)))
      .not //
      .toMatch(/s3cret|whsec|\/hooks/);
    expect(receiver.requests[0]!.headers).not.toHaveProperty('traceparent');
  });

  it('delivers without the baggage of any request', async () => {
    const baggage: unknown[] = [];
    class NotingClient extends WebhookHttpClient {
      override async post(): Promise<WebhookResponse> {
        baggage.push(propagation.getActiveBaggage()?.getAllEntries());
        await setImmediate();
        return { status: 204, headers: {}, body: Buffer.of(), truncated: false, address: null };
      }

      override async close(): Promise<void> {}
    }
    const app = await start(place, { window: 1 }, { httpClient: NotingClient });
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    const send = (value: string) => {
      const user = propagation.createBaggage({ user: { value } });
      return context.with(propagation.setBaggage(ROOT_CONTEXT, user), () =>
        app.get(WebhookDispatcher).send('order.placed', {}),
      );
    };
    await Promise.all(['alice', 'bob', 'carol'].map(send));

    await expect.poll(() => baggage).toEqual([undefined, undefined, undefined]);
  });

  it('continues the trace where another application delivers after the first is gone', async () => {
    const sender = await start(place, { worker: false });
    await sender.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    await inRequest(() => sender.get(WebhookDispatcher).send('order.placed'));
    apps.splice(0);
    await sender.close();
    expect(receiver.requests).toEqual([]);

    await start(place, {}, { tracing: openTelemetry({ sendTraceparent: true }) });
    await receiver.waitFor(1);
    await vi.waitFor(() => expect(spans('thorn attempt')).toHaveLength(1));
    const [send] = spans('thorn send');
    const [attempt] = spans('thorn attempt');
    expect(attempt!.parentSpanContext).toMatchObject({ spanId: idOf(send!), isRemote: true });
    const { traceId } = spans('POST /orders')[0]!.spanContext();
    expect(attempt!.spanContext().traceId).toBe(traceId);
    expect(attempt!.status.code).toBe(SpanStatusCode.UNSET);
    expect(receiver.requests[0]!.headers['traceparent']).toBe(`00-${traceId}-${idOf(attempt!)}-01`);
  });

  it('carries the tracestate, within its limits', async () => {
    const caller = (tracestate: string) =>
      trace.setSpanContext(ROOT_CONTEXT, {
        ...{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote: true },
        traceState: createTraceState(tracestate),
      });
    const sender = await start(place, { worker: false });
    await sender.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    const send = () => sender.get(WebhookDispatcher).send('order.placed');
    await inRequest(send, caller('vendor=one,other=two'));
    // What the API itself would not have parsed.
    const long = `long=${'x'.repeat(200)}`;
    const added = createTraceState(long).set('big', 'y'.repeat(250)).set('new', 'z'.repeat(120));
    const tooLong = trace.setSpanContext(ROOT_CONTEXT, {
      ...trace.getSpanContext(caller(''))!,
      traceState: added,
    });
    await inRequest(send, tooLong);
    apps.splice(0);
    await sender.close();

    await start(place, {}, { tracing: openTelemetry({ sendTraceparent: true }) });
    const requests = await receiver.waitFor(2);
    const states = requests.map(({ headers }) => headers['tracestate']);
    expect(new Set(states)).toEqual(
      new Set(['vendor=one,other=two', `new=${'z'.repeat(120)},big=${'y'.repeat(250)}`]),
    );
    for (const { headers } of requests) expect(headers['traceparent']).toContain('a'.repeat(32));
  });

  it('follows the messages of a transaction, which fails with those that could not be stored', async () => {
    const app = await start(place);
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    const parcels = app.get(DataSource).getRepository(Parcel);
    const delivered = told(app, 'succeeded');
    await inRequest(() => parcels.save({ id: '1', note: 'a' }));
    await delivered;
    const [request, send] = [spans('POST /orders')[0]!, spans('thorn send parcel.packed')[0]!];
    expect(send.parentSpanContext).toMatchObject({ spanId: idOf(request) });
    expect(spans('thorn attempt parcel.packed')).toMatchObject([
      { parentSpanContext: { spanId: idOf(send) } },
    ]);

    exporter.reset();
    const [breaks, mends] = [
      'ALTER TABLE thorn_messages RENAME TO elsewhere',
      'ALTER TABLE elsewhere RENAME TO thorn_messages',
    ];
    await app.get(DataSource).query(breaks);
    await expect(inRequest(() => parcels.save({ id: '2', note: 'b' }))).rejects.toThrow(
      'thorn_messages',
    );
    expect(spans('thorn stage')).toMatchObject([
      { status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': 'QueryFailedError' } },
    ]);
    expect(spans('thorn attempt')).toEqual([]);
    await app.get(DataSource).query(mends);
  });
});

describe('openTelemetry() and bullmq()', () => {
  let redis: RedisServer;
  let place: TestDatabase;
  beforeAll(async () => {
    redis = await startRedis({ appendOnly: true });
    place = await createDatabase('postgres');
    return async () => {
      await place.drop();
      await redis.stop();
    };
  });

  it('continues the trace in the worker that takes the job', async () => {
    const connection = { host: '127.0.0.1', port: redis.port };
    // Not by looking into the database.
    const options = { connection, pollInterval: 60_000 };
    const api = await start(place, {}, { dispatch: bullmq({ ...options, worker: false }) });
    await api.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    const worker = await start(place, {}, { dispatch: bullmq(options) });
    const delivered = told(worker, 'succeeded');
    await inRequest(() => api.get(WebhookDispatcher).send('order.placed'));
    await delivered;

    const [send, attempt] = [spans('thorn send')[0]!, spans('thorn attempt')[0]!];
    expect(send.parentSpanContext).toMatchObject({ spanId: idOf(spans('POST /orders')[0]!) });
    expect(attempt.parentSpanContext).toMatchObject({ spanId: idOf(send), isRemote: true });
  });

  it("joins the spans of BullMQ's own telemetry, each message in its trace", async () => {
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    const options = {
      connection: { host: '127.0.0.1', port: redis.port },
      pollInterval: 60_000,
      telemetry: new BullMQOtel(),
    };
    const api = await start(place, {}, { dispatch: bullmq({ ...options, worker: false }) });
    await api.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    await start(place, {}, { dispatch: bullmq(options) });
    const send = (event: string) => api.get(WebhookDispatcher).send(event);
    await inRequest(() => send('a'));
    await receiver.waitFor(1);
    // What no request has asked for has a trace as well.
    await send('b');
    const traceOf = (span: ReadableSpan) => span.spanContext().traceId;
    const traces = spans('thorn send').map(traceOf);
    expect(new Set(traces).size).toBe(2);
    expect(traces[0]).toBe(traceOf(spans('POST /orders')[0]!));
    await vi.waitFor(() => {
      for (const name of ['addBulk thorn', 'process thorn', 'complete thorn']) {
        // Whichever ends first.
        expect(spans(name).map(traceOf).toSorted()).toEqual(traces.toSorted());
      }
      expect(new Set(spans('thorn attempt').map(traceOf))).toEqual(new Set(traces));
    });
    propagation.disable();
  });
});

describe('openTelemetry()', () => {
  let place: TestDatabase;
  beforeEach(async () => {
    place = await createDatabase('memory');
  });

  it("keeps a message's own traceparent", async () => {
    const tracing = openTelemetry({ sendTraceparent: true });
    const app = await start(place, {}, { dispatch: inline(), tracing });
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    const own = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await app.get(WebhookDispatcher).send('a', {}, { headers: { Traceparent: own } });
    await app.get(WebhookDispatcher).send('b');
    await app.get(WebhookDispatcher).send('c', {}, { headers: { Tracestate: 'own=1' } });
    expect(receiver.requests[2]!.headers).toMatchObject({ tracestate: 'own=1' });
    expect(receiver.requests[2]!.headers).not.toHaveProperty('traceparent');
    expect(receiver.requests[0]!.headers['traceparent']).toBe(own);
    expect(receiver.requests[1]!.headers['traceparent']).toContain(
      idOf(spans('thorn attempt b')[0]!),
    );
  });

  it('reports the error when there was no answer', async () => {
    const app = await start(place, {}, { dispatch: inline() });
    const port = await freePort();
    await app.get(Subscribers).create({ url: `http://127.0.0.1:${port}/`, events: ['*'] });
    await app.get(WebhookDispatcher).send('a');
    expect(spans('thorn attempt a')).toMatchObject([
      {
        status: { code: SpanStatusCode.ERROR },
        attributes: { 'error.type': 'connection-refused' },
      },
    ]);
  });

  it('stores no trace where messages are not traced', async () => {
    const app = await start(place, { worker: false }, { tracing: undefined as never });
    await app.get(WebhookDispatcher).send('a');
    expect(
      await app.get(DataSource).query('SELECT traceparent, tracestate FROM thorn_messages'),
    ).toEqual([{ traceparent: null, tracestate: null }]);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('rejects invalid options', () => {
    expect(() => openTelemetry({ sendTraceParent: true } as never)).toThrow(/sendTraceParent/);
    expect(() => openTelemetry({ sendTraceparent: 'yes' as never })).toThrow(/true or false/);
  });
});
