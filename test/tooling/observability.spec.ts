import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TerminusModule } from '@nestjs/terminus';
import { type INestApplication, Injectable, Module } from '@nestjs/common';
import { Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Clock,
  defineEvents,
  Deliveries,
  inline,
  outbox,
  type OutboxOptions,
  type Subscriber,
  Subscribers,
  ThornModule,
  type ThornModuleExtras,
  type ThornModuleOptions,
  WebhookDispatcher,
  WebhookEvents,
} from '../../lib/index.js';
import { DispatchStrategy, SystemClock } from '../../lib/extending/index.js';
import { ThornMetricsModule, type ThornMetricsOptions } from '../../lib/metrics/index.js';
import { ThornHealthIndicator } from '../../lib/terminus/index.js';
import { LOOPBACK_RECIPIENTS } from '../../lib/testing/index.js';
import { Receiver } from '../support/receiver.js';

@Injectable()
class LateClock extends SystemClock {
  late = 0;

  override now(): number {
    return super.now() + this.late;
  }
}

let receiver: Receiver;
let app: INestApplication | undefined;
let registry: Registry;
beforeEach(async () => {
  receiver = await Receiver.start();
  registry = new Registry();
});
afterEach(async () => {
  await app?.close();
  app = undefined;
  await receiver.stop();
});

async function start(
  metrics: ThornMetricsOptions = {},
  thorn: ThornModuleOptions & ThornModuleExtras = {},
  options: OutboxOptions = {},
): Promise<INestApplication> {
  @Module({
    imports: [
      TypeOrmModule.forRoot({
        type: 'better-sqlite3',
        database: ':memory:',
        synchronize: true,
        autoLoadEntities: true,
      }),
      ThornModule.forRoot({
        recipients: LOOPBACK_RECIPIENTS,
        dispatch: outbox({ pollInterval: 25, ...options }),
        retries: { schedule: [0, 60_000], jitter: 0 },
        clock: LateClock,
        ...thorn,
      }),
      ThornMetricsModule.forRoot({ registry, statsFor: 0, ...metrics }),
      TerminusModule,
    ],
    providers: [ThornHealthIndicator],
  })
  class AppModule {}

  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  app = module.createNestApplication();
  app.useLogger(false);
  return app.init();
}

const told = (name: 'succeeded' | 'retry-scheduled' | 'failed') =>
  new Promise<void>((resolve) => app!.get(WebhookEvents).once(name, () => resolve()));

async function line(start: string): Promise<string | undefined> {
  const text = await registry.metrics();
  return text.split('\n').find((one) => one.startsWith(start));
}

describe('ThornMetricsModule', () => {
  it('counts messages, attempts and deliveries by event and outcome, with their durations', async () => {
    // So that nothing is tried again meanwhile.
    await start({}, { retries: { schedule: [60_000], jitter: 0 } });
    await app!.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    const delivered = told('succeeded');
    await app!.get(WebhookDispatcher).send('order.placed', { id: 1 });
    await delivered;
    receiver.status = 500;
    const retried = told('retry-scheduled');
    await app!.get(WebhookDispatcher).send('order.placed', { id: 2 });
    await retried;

    expect(await line('thorn_messages_total{')).toBe(
      'thorn_messages_total{event="order.placed"} 2',
    );
    const text = await registry.metrics();
    expect(text).toContain('thorn_attempts_total{event="order.placed",outcome="succeeded"} 1\n');
    expect(text).toContain('thorn_attempts_total{event="order.placed",outcome="retry"} 1\n');
    expect(text).toContain('thorn_deliveries_total{event="order.placed",outcome="succeeded"} 1\n');
    expect(text).toContain('thorn_attempt_duration_seconds_count{outcome="succeeded"} 1\n');
    expect(text).toContain('thorn_attempt_duration_seconds_count{outcome="retry"} 1\n');
    expect(text).toContain('thorn_endpoints{state="broken"} 0\n');
    await vi.waitFor(async () =>
      expect(await line('thorn_pending')).toBe('thorn_pending_deliveries 1'),
    );
  });

  it('counts the same with inline(), where a delivery has one attempt', async () => {
    await start({}, { dispatch: inline() });
    const failing = await Receiver.start();
    failing.status = 410;
    const urls = [receiver.url, `${failing.url}?key=s3cret`, 'http://127.0.0.9/hooks'];
    const ids: string[] = [];
    for (const url of urls) {
      const { id } = await app!.get(Subscribers).create({ url: receiver.url, events: ['*'] });
      // The last one would be refused at once.
      const parameters = [url, id];
      await app!
        .get(DataSource)
        .query('UPDATE thorn_subscribers SET url = ?, revision = 1 WHERE id = ?', parameters);
      ids.push(id);
    }
    const heard: [string, object][] = [];
    const events = app!.get(WebhookEvents);
    for (const name of ['message-accepted', 'succeeded', 'failed', 'recipient-refused'] as const) {
      events.on(name, (payload) => heard.push([name, payload]));
    }
    const sent = await app!.get(WebhookDispatcher).send('order.placed', { id: 1 });

    const of = (at: number) => {
      const { deliveryId } = sent.attempts.find(({ subscriberId }) => subscriberId === ids[at])!;
      const { host } = new URL(urls[at]!);
      return { deliveryId, messageId: sent.id, event: 'order.placed', subscriberId: ids[at], host };
    };
    const duration = expect.any(Number);
    const accepted = { messageId: sent.id, event: 'order.placed', owner: null };
    const answered = { attempt: 1, error: null, duration };
    expect(heard).toHaveLength(5);
    expect(heard[0]).toEqual(['message-accepted', { ...accepted, time: expect.any(Number) }]);
    const refusal = { attempt: 1, status: null, error: 'recipient-refused', duration };
    expect(heard).toEqual(
      expect.arrayContaining([
        ['succeeded', { ...of(0), ...answered, status: 204 }],
        ['failed', { ...of(1), ...answered, status: 410, reason: 'exhausted' }],
        ['failed', { ...of(2), ...refusal, reason: 'refused' }],
        ['recipient-refused', { ...of(2), explanation: expect.stringContaining('127.0.0.9') }],
      ]),
    );
    const text = await registry.metrics();
    expect(text).toContain('thorn_messages_total{event="order.placed"} 1\n');
    expect(text).toContain('thorn_attempts_total{event="order.placed",outcome="succeeded"} 1\n');
    expect(text).toContain('thorn_attempts_total{event="order.placed",outcome="failed"} 2\n');
    expect(text).toContain('thorn_deliveries_total{event="order.placed",outcome="failed"} 2\n');
    expect(text).toContain('thorn_attempt_duration_seconds_count{outcome="succeeded"} 1\n');
    expect(text).not.toContain('thorn_in_flight');
    await failing.stop();
  });

  it('reports endpoints that asked for a pause, requests in flight, and subscribers that are gone', async () => {
    // The receiver answers once its request was seen in flight.
    await start({}, { timeout: 30_000 });
    await app!.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    let answer: () => void = () => undefined;
    receiver.hold = new Promise((resolve) => (answer = resolve));
    receiver.status = 503;
    const retried = told('retry-scheduled');
    await app!.get(WebhookDispatcher).send('order.placed');
    await vi.waitFor(async () => expect(await line('thorn_in_flight')).toBe('thorn_in_flight 1'));
    answer();
    await retried;
    await vi.waitFor(async () => {
      expect(await line('thorn_endpoints{state="paused"}')).toBe(
        'thorn_endpoints{state="paused"} 1',
      );
      expect(await line('thorn_in_flight')).toBe('thorn_in_flight 0');
    });

    const other = await Receiver.start();
    other.status = 410;
    await app!.get(Subscribers).create({ url: other.url, events: ['gone'] });
    const failed = told('failed');
    await app!.get(WebhookDispatcher).send('gone');
    await failed;
    await vi.waitFor(async () => {
      expect(await line('thorn_subscribers_disabled_total{')).toBe(
        'thorn_subscribers_disabled_total{reason="gone"} 1',
      );
    });
    expect(await line('thorn_disabled_subscribers')).toBe('thorn_disabled_subscribers 1');
    const [{ id }] = (await app!.get(Subscribers).list({ limit: 1 }, 'any')).items as [Subscriber];
    await app!.get(Subscribers).update(id, { enabled: false }, 'any');
    expect(await line('thorn_disabled_subscribers')).toBe('thorn_disabled_subscribers 2');
    await other.stop();
  });

  it('limits the number of labels, and has no URL, host or id among them', async () => {
    const events = defineEvents({ 'user.{name}.renamed': { description: 'A new name' } });
    await start({ maxEvents: 3 }, { events });
    await app!.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    const dispatcher = app!.get(WebhookDispatcher);
    const last = new Promise<void>((resolve) => {
      app!.get(WebhookEvents).on('succeeded', ({ event }) => event === 'a.9' && resolve());
    });
    for (const name of ['ada', 'bob']) await dispatcher.send(`user.${name}.renamed`);
    for (let n = 0; n < 10; n++) await dispatcher.send(`a.${n}`);
    await last;
    const text = await registry.metrics();
    const labels = [...text.matchAll(/thorn_messages_total\{event="([^"]*)"\} (\d+)/g)];
    expect(labels.map(([, label, count]) => [label, count])).toEqual([
      ['user.{name}.renamed', '2'],
      ['a.0', '1'],
      ['a.1', '1'],
      ['other', '8'],
    ]);
    expect(text).not.toMatch(/127\.0\.0\.1|hooks|sub_|msg_|dlv_/);
  });

  it('leaves out figures of the database when it does not answer', async () => {
    await start();
    vi.spyOn(app!.get(Deliveries), 'stats').mockRejectedValue(new Error('no connection'));
    const text = await registry.metrics();
    expect(text).not.toMatch(/^thorn_lag_seconds /m);
    expect(text).toMatch(/^thorn_in_flight 0$/m);
  });

  it('leaves the registry when its application closes, and rejects invalid options', async () => {
    await start();
    await app!.close();
    expect(await registry.metrics()).not.toContain('thorn_');
    await start();
    const wrongOnes: unknown[] = [
      ...[{ maxEvents: 0 }, { prefix: '1-' }, { prefix: null }, { max: 1 }, { registry: {} }],
      ...[{ buckets: [2, 1] }, { buckets: 'x' }, { buckets: [1, Infinity] }],
    ];
    for (const wrong of wrongOnes) {
      expect(() => ThornMetricsModule.forRoot(wrong as ThornMetricsOptions)).toThrow(
        /`.*` (?:of|in) ThornMetricsModule\.forRoot\(\)/,
      );
    }
    expect(() => ThornMetricsModule.forRoot(null as never)).toThrow('must be an object, not null');
  });

  it('leaves alone the metrics of an application that has the same registry', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(
      /`registry` of ThornMetricsModule\.forRoot\(\) has a metric thorn_messages_total already/,
    );
    await app!.close();
    expect(await registry.metrics()).toContain('thorn_messages_total');
    await first.close();
  });

  it('leaves no metrics behind when its application does not start', async () => {
    const broken = {
      type: 'better-sqlite3',
      database: ':memory:',
      autoLoadEntities: true,
    } as const;
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot(broken),
        ThornModule.forRoot(),
        ThornMetricsModule.forRoot({ registry }),
      ],
    }).compile();
    const failing = module.createNestApplication({ logger: false });
    await expect(failing.init()).rejects.toThrow('has no table');
    await start();
    expect(await registry.metrics()).toContain('thorn_messages_total');
    await failing.close();
    expect(await registry.metrics()).toContain('thorn_messages_total');
  });
});

describe('ThornHealthIndicator', () => {
  it('is up while no delivery is late, and down when one has been due for too long', async () => {
    await start({}, {}, { worker: false });
    const health = app!.get(ThornHealthIndicator);
    expect(await health.isHealthy('webhooks')).toEqual({
      webhooks: { status: 'up', lag: 0, oldestDue: null, due: 0 },
    });
    const clock = app!.get<LateClock>(Clock);
    await app!.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    const before = clock.now();
    await app!.get(WebhookDispatcher).send('order.placed');
    clock.late = 90_000;
    const { webhooks } = await health.isHealthy('webhooks');
    expect(webhooks).toMatchObject({ status: 'down', due: 1 });
    expect(webhooks['message']).toMatch(/^due for 9\d{4} ms, 60000 ms at most$/);
    expect(Date.parse(webhooks['oldestDue'] as string)).toBeGreaterThanOrEqual(before);
    const patient = await health.isHealthy('webhooks', { maxLag: 600_000 });
    expect(patient.webhooks.status).toBe('up');
  });

  it('is up however many deliveries wait for a rate limit, which metrics count apart', async () => {
    await start();
    // No turn comes while they are sent.
    const rateLimit = { max: 1, per: 13_000 };
    await app!.get(Subscribers).create({ url: receiver.url, events: ['*'], rateLimit });
    for (let n = 0; n < 6; n++) await app!.get(WebhookDispatcher).send('order.placed');
    await vi.waitFor(async () => {
      expect(await line('thorn_rate_limited_deliveries ')).toBe('thorn_rate_limited_deliveries 5');
    });
    expect(await line('thorn_pending_deliveries ')).toBe('thorn_pending_deliveries 5');
    const clock = app!.get<LateClock>(Clock);
    const health = app!.get(ThornHealthIndicator);
    // As if seconds passed: each is taken when its turn comes, and until then it is not late.
    while ((await app!.get(Deliveries).stats()).pending > 0) {
      clock.late += 5000;
      await vi.waitFor(async () => {
        expect(await health.isHealthy('webhooks', { maxLag: 0 })).toMatchObject({
          webhooks: { status: 'up', lag: 0, due: 0 },
        });
      });
    }
    expect(clock.late).toBeGreaterThan(20_000);
  });

  it('is down when the database or the queue is not reachable, without its address', async () => {
    await start();
    const health = app!.get(ThornHealthIndicator);
    const strategy = app!.get<{ checkRelay(): Promise<void> }>(DispatchStrategy);
    const relay = vi
      .spyOn(strategy, 'checkRelay')
      .mockRejectedValueOnce(new Error('connect redis://user:secret@queue'));
    expect(await health.isHealthy('webhooks')).toEqual({
      webhooks: { status: 'down', message: 'connect redis://queue' },
    });
    relay.mockRestore();
    vi.spyOn(app!.get(Deliveries), 'stats').mockRejectedValueOnce(new Error('no connection'));
    expect((await health.isHealthy('webhooks')).webhooks.status).toBe('down');
  });
});
