import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import { Webhook } from 'svix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateSecret } from '../../lib/index.js';
import { UndiciHttpClient } from '../../lib/extending/index.js';
import {
  Deliverer,
  type DispatchStrategy,
  FanOut,
  InMemorySubscriberRepository,
  type MessageRelay,
  PublicRecipientPolicy,
  StandardWebhookSigner,
  type SubscriberRepository,
  SystemClock,
  type WebhookFormat,
  type WebhookSigner,
} from '../../lib/extending/index.js';
import { Codecs, MessageFactory, WebhookFormats } from '../../lib/message/index.js';
import { StaticSubscriberSet } from '../../lib/subscriber/index.js';
import {
  dispatchStrategyConformance,
  LOOPBACK_RECIPIENTS,
  ScriptedReceiver,
  subscriberRepositoryConformance,
  webhookFormatConformance,
  webhookSignerConformance,
} from '../../lib/testing/index.js';
import { messageRelayConformance } from '../conformance/message-relay.js';
import { subscriber } from '../support/apps/outbox-app.js';
import { type FreshDatabase, freshPostgres } from '../services/database.js';
import { blocksOf, partsOf } from './blocks.js';

interface Guide {
  readonly PgSubscriberRepository: new (pool: pg.Pool) => SubscriberRepository;
  readonly InOrderStrategy: new (fanOut: FanOut, deliverer: Deliverer) => DispatchStrategy;
  readonly SvixHeaderSigner: new () => WebhookSigner;
  readonly SlackFormat: new () => WebhookFormat;
  readonly NotifyRelay: new (url: string) => MessageRelay;
}

// What a suite does not wait for finds its client closed, and says so.
Logger.overrideLogger(false);
const runner = { describe, it, expect };
const clock = new SystemClock();
const { InOrderStrategy, NotifyRelay, PgSubscriberRepository, SlackFormat, SvixHeaderSigner } =
  await guide();

dispatchStrategyConformance(
  {
    name: 'the strategy of the guide',
    makeFixture: async () => {
      const receiver = await ScriptedReceiver.start();
      const client = new UndiciHttpClient(new PublicRecipientPolicy(LOOPBACK_RECIPIENTS));
      const repository = new InMemorySubscriberRepository();
      await repository.create(subscriber(receiver.url));
      const statics = new StaticSubscriberSet({
        checkUrl: () => undefined,
        contentTypes: ['application/json'],
        formats: new WebhookFormats(),
        checkSecret: () => undefined,
      });
      const messages = new MessageFactory(clock, new Codecs());
      return {
        strategy: new InOrderStrategy(
          new FanOut(repository, statics, new SystemClock()),
          new Deliverer(client, new StandardWebhookSigner(), clock),
        ),
        arrived: () => receiver.received.map(({ id }) => id),
        makeMessage: () => messages.create({ event: 'order.paid', data: { id: 7 } }),
        close: async () => {
          await receiver.stop();
          await client.close();
        },
      };
    },
  },
  runner,
);

messageRelayConformance(
  {
    name: 'the relay of the guide',
    makeFixture: async () => {
      const { url, drop } = await freshPostgres();
      const messages = new MessageFactory(clock, new Codecs());
      return {
        producer: new NotifyRelay(url),
        consumer: new NotifyRelay(url),
        makeMessage: () => messages.create({ event: 'order.paid', data: { id: 7 } }),
        close: drop,
      };
    },
  },
  runner,
);

webhookSignerConformance(
  {
    name: 'the signer of the guide, as Svix verifies',
    makeSigner: () => new SvixHeaderSigner(),
    secrets: [generateSecret(), generateSecret()],
    verify: (headers, { id, body }, secret) => {
      const { 'svix-timestamp': timestamp, 'svix-signature': signature } = headers;
      const time = new Date(Number(timestamp) * 1000);
      const expected = new Webhook(secret).sign(id, time, body.toString());
      return headers['svix-id'] === id && signature?.split(' ').includes(expected) === true;
    },
  },
  runner,
);

webhookFormatConformance(
  { name: 'the format of the guide', makeFormat: () => new SlackFormat() },
  runner,
);

it('the format of the guide writes what Slack takes, with its own characters escaped', () => {
  const { body } = new SlackFormat().request({
    ...{ id: 'msg_1', event: 'order.paid', timestamp: '2026-11-30T08:00:00.000Z' },
    ...{ data: { note: '<!channel> & <@U1>' }, ref: 'https://example.com/?a>1&b', owner: null },
    subscriber: { id: 'sub_1', metadata: {} },
  });
  expect(JSON.parse(body)).toEqual({
    text:
      '*<https://example.com/?a&gt;1&amp;b|order.paid>*\n' +
      '{"note":"&lt;!channel&gt; &amp; &lt;@U1&gt;"}',
  });
});

let postgres: FreshDatabase;
beforeAll(async () => {
  postgres = await freshPostgres();
});
afterAll(() => postgres.drop());

subscriberRepositoryConformance(
  {
    name: 'the repository of the guide',
    shared: true,
    makeStorage: async () => {
      const pools: pg.Pool[] = [];
      const open = () => {
        const pool = new pg.Pool({ connectionString: postgres.url });
        // Its end does not wait for that of its connections, which the removal of the database may cut off.
        pool.on('connect', (client) => client.on('error', () => undefined));
        pools.push(pool);
        return pool;
      };
      const tables = partsOf('docs/extending.md')
        .flatMap(blocksOf)
        .find(({ language }) => language === 'sql');
      await open().query(`DROP TABLE IF EXISTS hooks; ${tables!.code}`);
      return {
        open: () => new PgSubscriberRepository(open()),
        letStalenessPass: () => {},
        close: async () => {
          for (const pool of pools) await pool.end();
        },
      };
    },
  },
  runner,
);

/** The classes of the page, with the package's name leading to its sources. */
async function guide(): Promise<Guide> {
  const directory = resolve('.cache/guides');
  mkdirSync(directory, { recursive: true });
  const code = partsOf('docs/extending.md')
    .flatMap(blocksOf)
    .filter((block) => block.language === 'ts' && block.code.includes('export '))
    .map((block) => block.code);
  const modules = code.map(async (text, index) => {
    const file = resolve(directory, `extending-${index}.ts`);
    writeFileSync(
      file,
      text.replaceAll(
        /'nestjs-thorn(\/extending)?'/g,
        (_, entry = '') => `'${resolve(`lib${entry}/index.ts`)}'`,
      ),
    );
    return (await import(/* @vite-ignore */ file)) as object;
  });
  return Object.assign({}, ...(await Promise.all(modules))) as Guide;
}
