import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axios from 'axios';
import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  LessThanOrEqual,
  PrimaryGeneratedColumn,
} from 'typeorm';
import { outboxEntities, type OutboxOptions, OutboxStrategy } from '../lib/outbox/index.js';
import { NoOutcomeListener } from '../lib/outbox/index.js';
import { SystemClock } from '../lib/common/index.js';
import {
  Deliverer,
  PublicRecipientPolicy,
  StandardRetryPolicy,
  UndiciHttpClient,
  WebhookEvents,
} from '../lib/delivery/index.js';
import { FanOut, MessagePipeline } from '../lib/dispatch/index.js';
import { Codecs, MessageFactory } from '../lib/message/index.js';
import { StandardWebhookSigner } from '../lib/signing/index.js';
import { InMemorySubscriberRepository, StaticSubscriberSet } from '../lib/subscriber/index.js';
import { type Candidate, median, rates, ratio, reportRatio, reportValue } from './harness.js';
import { startReceiver } from './receiver.js';

const SUBSCRIBERS = 10;
const DATA = { text: 'x'.repeat(900) };
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** What many applications write by hand: a row for each delivery, looked for at intervals. */
@Entity()
class NaiveDelivery {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar' })
  url!: string;

  @Column({ type: 'text' })
  body!: string;

  @Column({ type: 'varchar', default: 'pending' })
  status!: string;

  @Column({ type: 'bigint' })
  dueAt!: number;

  @Column({ type: 'int', default: 0 })
  attempts!: number;
}

interface Contender extends Candidate {
  stop(): Promise<void>;
}

/** One event to ten subscribers of 1 KiB, deliveries a second; and what it costs in statements. */
export async function run(): Promise<void> {
  const receiver = await startReceiver();
  const url = `http://127.0.0.1:${receiver.port}/hooks`;
  const directory = mkdtempSync(join(tmpdir(), 'thorn-bench-outbox-'));
  const file = (name: string): DataSourceOptions => ({
    type: 'better-sqlite3',
    database: join(directory, name),
    enableWAL: true,
  });
  const postgres = process.env['THORN_BENCH_POSTGRES_URL'];
  const contenders = [
    await outboxOn('outbox on SQLite', file('outbox.db'), url),
    emitter(url),
    await naive('rows on SQLite', file('naive.db'), url),
    ...(postgres === undefined
      ? []
      : [
          await outboxOn('outbox on PostgreSQL', { type: 'postgres', url: postgres }, url),
          await naive('rows on PostgreSQL', { type: 'postgres', url: postgres }, url),
        ]),
  ];
  const found = await rates(contenders, { warmUp: 3000, turn: 2000, rounds: 5, inFlight: 100 });
  for (const [name, values] of found) {
    console.error(`${name}: ${Math.round(median(values) * SUBSCRIBERS)} deliveries/s`);
  }
  const of = (name: string) => found.get(name)!;
  reportRatio('outbox.sqlite-vs-emitter', 'E1', ratio(of('outbox on SQLite'), of(EMITTER)), 1);
  reportRatio(
    'outbox.sqlite-vs-naive',
    'N',
    ratio(of('outbox on SQLite'), of('rows on SQLite')),
    12,
  );
  if (postgres !== undefined) {
    const vs = ratio(of('outbox on PostgreSQL'), of('rows on PostgreSQL'));
    reportRatio('outbox.postgres-vs-naive', 'N', vs, 12);
  }
  for (const contender of contenders) await contender.stop();
  await countStatements(file('count.db'), url);
  await receiver.stop();
  rmSync(directory, { recursive: true, force: true });
}

const EMITTER = 'EventEmitter and axios';

async function countStatements(options: DataSourceOptions, url: string): Promise<void> {
  let count = 0;
  const contender = await outboxOn('count', options, url, {}, () => count++);
  await contender.once();
  count = 0;
  const messages = 2000;
  await Promise.all(Array.from({ length: messages }, () => contender.once()));
  await contender.stop();
  reportValue('outbox.sql-per-message', 1, 'statements', 2);
  const perDelivery = (count - messages) / (messages * SUBSCRIBERS);
  reportValue('outbox.sql-per-delivery', perDelivery, 'statements', 0.1);
}

async function outboxOn(
  name: string,
  options: DataSourceOptions,
  url: string,
  settings: OutboxOptions = {},
  onStatement?: () => void,
): Promise<Contender> {
  const dataSource = await new DataSource({
    ...options,
    entities: outboxEntities,
    synchronize: true,
    ...(onStatement && { logging: ['query'], logger: silent(onStatement) }),
  }).initialize();
  const clock = new SystemClock();
  const codecs = new Codecs();
  const policy = new PublicRecipientPolicy({ allowedPorts: 'any', allowCidrs: ['127.0.0.1/32'] });
  const client = new UndiciHttpClient(policy);
  const subscribers = new InMemorySubscriberRepository();
  const rules = {
    checkUrl: (one: string) => policy.checkUrl(one),
    checkSecret: () => undefined,
    contentTypes: codecs.contentTypes,
  };
  for (let n = 0; n < SUBSCRIBERS; n++) {
    await subscribers.create({
      id: `sub_${n}`,
      owner: null,
      url: `${url}/${n}`,
      events: ['order.*'],
      contentType: 'application/json',
      digest: 'sha256',
      secrets: [{ value: SECRET, expiresAt: null }],
      enabled: true,
      description: null,
      metadata: {},
      createdAt: new Date(),
      updatedAt: new Date(),
    });
  }
  const events = new WebhookEvents();
  const strategy = new OutboxStrategy(
    {
      dataSources: [dataSource],
      fanOut: new FanOut(subscribers, new StaticSubscriberSet(rules)),
      deliverer: new Deliverer(client, new StandardWebhookSigner(), clock),
      subscribers,
      codecs,
      policy: new StandardRetryPolicy(),
      events,
      listener: new NoOutcomeListener(),
      clock,
    },
    settings,
  );
  await strategy.onApplicationBootstrap();
  const factory = new MessageFactory(clock, codecs);
  const pipeline = new MessagePipeline(strategy, clock);
  const waiting = new Map<string, { left: number; done: () => void }>();
  const arrived = ({ message }: { readonly message: string }) => {
    const one = waiting.get(message)!;
    if (--one.left > 0) return;
    waiting.delete(message);
    one.done();
  };
  events.on('delivered', arrived);
  events.on('retry-scheduled', arrived);
  return {
    name,
    once: () =>
      new Promise<void>((done) => {
        const message = factory.create({ event: 'order.placed', data: DATA });
        waiting.set(message.id, { left: SUBSCRIBERS, done });
        void pipeline.send([message]);
      }),
    stop: async () => {
      await strategy.onApplicationShutdown();
      await client.close();
      await dataSource.destroy();
    },
  };
}

/** E1: nothing is kept, nothing is tried again. */
function emitter(url: string): Contender {
  const bus = new EventEmitter();
  const urls = Array.from({ length: SUBSCRIBERS }, (_, n) => `${url}/${n}`);
  bus.on('order.placed', async (data: unknown, arrived: () => void) => {
    await Promise.all(urls.map((one) => axios.post(one, data)));
    arrived();
  });
  return {
    name: EMITTER,
    once: () => new Promise<void>((done) => bus.emit('order.placed', DATA, done)),
    stop: async () => undefined,
  };
}

/** N: a row for each delivery, polled and posted. */
async function naive(name: string, options: DataSourceOptions, url: string): Promise<Contender> {
  const dataSource = await new DataSource({
    ...options,
    entities: [NaiveDelivery],
    synchronize: true,
  }).initialize();
  const table = dataSource.getRepository(NaiveDelivery);
  const waiting = new Map<number, () => void>();
  const stopping = new AbortController();
  const worker = (async () => {
    while (!stopping.signal.aborted) {
      const due = await table.find({
        where: { status: 'pending', dueAt: LessThanOrEqual(Date.now()) },
        take: 100,
      });
      await Promise.all(
        due.map(async (row) => {
          await axios.post(row.url, row.body, { headers: { 'Content-Type': 'application/json' } });
          row.status = 'succeeded';
          row.attempts++;
          await table.save(row);
          waiting.get(row.id)?.();
          waiting.delete(row.id);
        }),
      );
      if (due.length < 100) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  return {
    name,
    once: async () => {
      const body = JSON.stringify(DATA);
      const rows = await table.save(
        Array.from({ length: SUBSCRIBERS }, (_, n) =>
          table.create({ url: `${url}/${n}`, body, dueAt: Date.now() }),
        ),
      );
      await Promise.all(rows.map(({ id }) => new Promise<void>((done) => waiting.set(id, done))));
    },
    stop: async () => {
      stopping.abort();
      await worker;
      await dataSource.destroy();
    },
  };
}

function silent(onStatement: () => void) {
  const nothing = () => undefined;
  return {
    logQuery: onStatement,
    logQueryError: nothing,
    logQuerySlow: nothing,
    logSchemaBuild: nothing,
    logMigration: nothing,
    log: nothing,
  };
}
