import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../lib/common/index.js';
import {
  Deliverer,
  PublicRecipientPolicy,
  UndiciHttpClient,
  WebhookEvents,
} from '../../lib/delivery/index.js';
import {
  DisabledStrategy,
  type DispatchStrategy,
  FanOut,
  InlineStrategy,
} from '../../lib/dispatch/index.js';
import { Codecs, MessageFactory, WebhookFormats } from '../../lib/message/index.js';
import { generateSecret, StandardWebhookSigner } from '../../lib/signing/index.js';
import { InMemorySubscriberRepository, StaticSubscriberSet } from '../../lib/subscriber/index.js';
import {
  dispatchStrategyConformance,
  type DispatchStrategyFixture,
  LOOPBACK_RECIPIENTS,
  RecordingStrategy,
  ScriptedReceiver,
} from '../../lib/testing/index.js';
import { type DatabaseKind, createDatabase } from '../support/databases.js';
import { joined, openOutboxApp, subscriber } from '../support/apps/outbox-app.js';

const runner = { describe, it, expect };
const clock = new SystemClock();
const messages = new MessageFactory(clock, new Codecs());

dispatchStrategyConformance({ name: 'inline', makeFixture: () => inlineBench() }, runner);
dispatchStrategyConformance(
  { name: 'inline with a window of two', makeFixture: () => inlineBench(2) },
  runner,
);
dispatchStrategyConformance(
  { name: 'disabled', makeFixture: async () => fixture(new DisabledStrategy(), null) },
  runner,
);
dispatchStrategyConformance(
  {
    name: 'RecordingStrategy',
    makeFixture: async () => {
      const strategy = new RecordingStrategy();
      return fixture(strategy, () => strategy.sent.map(({ id }) => id));
    },
  },
  runner,
);

for (const kind of ['file', 'memory', 'postgres', 'mariadb'] as const) {
  dispatchStrategyConformance(
    { name: `outbox, ${kind}`, makeFixture: () => outboxBench(kind) },
    runner,
  );
}

async function outboxBench(kind: DatabaseKind): Promise<DispatchStrategyFixture> {
  const receiver = await ScriptedReceiver.start();
  const place = await createDatabase(kind);
  const rig = await openOutboxApp(place);
  await rig.subscribers.create(subscriber(receiver.url));
  let last: Promise<unknown> = Promise.resolve();
  return {
    strategy: rig.strategy,
    arrived: () => receiver.received.map(({ id }) => id),
    makeMessage: () => rig.message(),
    transaction: (work) => {
      const run = () => rig.dataSource.transaction((manager) => work(joined(manager)));
      if (kind === 'postgres' || kind === 'mariadb') return run();
      // TypeORM cannot begin a second transaction on SQLite's one connection.
      const result = last.then(run);
      last = result.catch(() => undefined);
      return result;
    },
    close: async () => {
      await rig.close();
      await receiver.stop();
      await place.drop();
    },
  };
}

async function inlineBench(window = 1000): Promise<DispatchStrategyFixture> {
  const receiver = await ScriptedReceiver.start();
  const client = new UndiciHttpClient(new PublicRecipientPolicy(LOOPBACK_RECIPIENTS));
  const repository = new InMemorySubscriberRepository();
  await repository.create({
    id: 'sub_1',
    owner: null,
    url: receiver.url,
    events: ['*'],
    contentType: 'application/json',
    digest: 'sha256',
    secrets: [{ value: generateSecret(), expiresAt: null }],
    enabled: true,
    description: null,
    exclude: [],
    filter: null,
    changed: null,
    fields: null,
    thin: false,
    template: null,
    rateLimit: null,
    ordered: false,
    onExhausted: 'skip',
    holdFor: null,
    expiresAt: null,
    key: null,
    format: null,
    verification: 'none',
    headers: {},
    auth: null,
    timeout: null,
    metadata: {},
    createdAt: new Date(),
    updatedAt: new Date(),
  });
  const statics = new StaticSubscriberSet({
    checkUrl: () => undefined,
    contentTypes: ['application/json'],
    formats: new WebhookFormats(),
    checkSecret: () => undefined,
  });
  const strategy = new InlineStrategy(
    new FanOut(repository, statics, clock),
    new Deliverer(client, new StandardWebhookSigner(), clock),
    new WebhookEvents(),
    clock,
    { window },
  );
  return {
    ...fixture(strategy, () => receiver.received.map(({ id }) => id)),
    close: async () => {
      await receiver.stop();
      await client.close();
    },
  };
}

function fixture(
  strategy: DispatchStrategy,
  arrived: DispatchStrategyFixture['arrived'],
): DispatchStrategyFixture {
  return {
    strategy,
    arrived,
    makeMessage: () => messages.create({ event: 'order.paid', data: { id: 7 } }),
    close: async () => {},
  };
}
