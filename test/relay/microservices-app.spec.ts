import type { INestApplication, INestMicroservice } from '@nestjs/common';
import { Logger, Module } from '@nestjs/common';
import { ClientsModule, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { connect } from 'amqplib';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Deliveries,
  Subscribers,
  ThornConfigurationError,
  ThornModule,
  WebhookDispatcher,
} from '../../lib/index.js';
import { microservices, type MicroservicesOptions } from '../../lib/microservices/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { freePort } from '../services/free-port.js';
import {
  RABBITMQ_START_TIMEOUT,
  type RabbitMqServer,
  startRabbitMq,
} from '../services/rabbitmq.js';
import { Article, createBlogDatabase, loopback, startBlog } from '../support/apps/blog.js';
import { sendInTransactions, startPrismaApp } from '../support/apps/prisma-app.js';
import { migrate } from '../support/sql-clients.js';

let rabbit: RabbitMqServer;
let database: { options: DataSourceOptions; drop(): Promise<void> };
let receiver: ScriptedReceiver;
let apps: (INestApplication | INestMicroservice)[];
let queue: string;
let queues = 0;

beforeAll(async () => {
  rabbit = await startRabbitMq();
}, RABBITMQ_START_TIMEOUT);

afterAll(() => rabbit.stop());

beforeEach(async () => {
  apps = [];
  queue = `app-${queues++}`;
  [database, receiver] = [await createBlogDatabase('postgres'), await ScriptedReceiver.start()];
});

afterEach(async () => {
  for (const app of apps) await app.close();
  await receiver.stop();
  await database.drop();
});

const options = (url = rabbit.url) => ({
  urls: [url],
  queue,
  queueOptions: { durable: true },
  persistent: true,
});
const client = (url?: string) => ({ transport: Transport.RMQ, options: options(url) }) as const;
const listening = (noAck = false) =>
  ({ transport: Transport.RMQ, options: { ...options(), noAck, prefetchCount: 100 } }) as const;

function thorn(settings: MicroservicesOptions) {
  return { dispatch: microservices({ pollInterval: 25, ...settings }), maxStaleness: 50 };
}

async function start(settings: MicroservicesOptions, imports: object[] = []) {
  const { app } = await startBlog(database.options, thorn(settings), imports);
  apps.push(app);
  return app;
}

/** A hybrid application, whose connection to the queue stands. */
async function startHybrid(settings: MicroservicesOptions = {}, noAck = false) {
  const app = await start({ client: client(), ...settings });
  app.connectMicroservice(listening(noAck));
  await app.startAllMicroservices();
  return app;
}

const subscribe = (app: INestApplication, secret = 'a-secret-of-more-than-16-characters') =>
  app.get(Subscribers).create({ url: receiver.url, events: ['*'], secret });

const save = (app: INestApplication, title: string) =>
  app.get(WebhookDispatcher).send('article.published', { title });

/** The queue, as the broker sees it. */
async function inQueue(): Promise<string[]> {
  const connection = await connect(rabbit.url);
  const channel = await connection.createChannel();
  await channel.assertQueue(queue, { durable: true });
  const contents: string[] = [];
  for (;;) {
    const message = await channel.get(queue, { noAck: false });
    if (message === false) break;
    contents.push(message.content.toString());
  }
  // Unanswered, they go back.
  await connection.close();
  return contents;
}

describe('an application with microservices()', () => {
  it('delivers events of entities, and lists them in the delivery log', async () => {
    const app = await startHybrid();
    await subscribe(app);
    const article = Object.assign(new Article(), { title: 'One' });
    await app.get(DataSource).manager.save(article);

    const [arrived] = await receiver.waitFor(1);
    expect(arrived!.json).toMatchObject({ data: { title: 'One' } });
    await expect
      .poll(async () => (await app.get(Deliveries).list({}, 'any')).items)
      .toMatchObject([{ status: 'succeeded', attemptCount: 1 }]);
    await expect.poll(inQueue).toEqual([]);
  });

  it('sends in one process and delivers in a microservice', async () => {
    const api = await start({ client: client(), worker: false });
    await subscribe(api);
    for (let n = 0; n < 25; n++) await save(api, `${n}`);
    await expect.poll(async () => (await inQueue()).join('').match(/msg_/g)?.length).toBe(25);
    expect(receiver.received).toEqual([]);

    @Module({
      imports: [
        TypeOrmModule.forRoot({ ...database.options, autoLoadEntities: true }),
        TypeOrmModule.forFeature([Article]),
        ThornModule.forRoot({
          recipients: loopback,
          ...thorn({ producer: false }),
        }),
      ],
    })
    class Worker {}
    const compiled = await Test.createTestingModule({ imports: [Worker] }).compile();
    const worker = compiled.createNestMicroservice(listening());
    apps.push(worker);
    worker.useLogger(false);
    await worker.listen();

    const arrived = await receiver.waitFor(25);
    expect(new Set(arrived.map(({ id }) => id)).size).toBe(25);
  });

  it('brings what Prisma commits to another process, and nothing of what is rolled back', async () => {
    const { url } = database.options as { readonly url: string };
    await migrate(url);
    // So long that only an event in the queue brings a message in time.
    const settings = { pollInterval: 60_000 };
    const api = await startPrismaApp(
      url,
      microservices({ ...settings, client: client(), worker: false }),
    );
    const worker = await startPrismaApp(url, microservices({ ...settings, producer: false }));
    apps.push(api.app, worker.app);
    worker.app.connectMicroservice(listening());
    await worker.app.startAllMicroservices();

    const sent = await sendInTransactions(api, receiver);
    expect(sent).toEqual({ events: ['kept', 'last'], isSigned: true });
  });

  it('passes no content of a message to the broker, and no secret', async () => {
    const api = await start({ client: client(), worker: false });
    await subscribe(api);
    await save(api, 'private');
    let events: string[] = [];
    await expect.poll(async () => (events = await inQueue())).toHaveLength(1);
    expect(events[0]).not.toMatch(/private|secret|article|hooks|whsec/);
  });

  it('uses a ClientProxy of the application, by its token', async () => {
    const clients = ClientsModule.register({
      isGlobal: true,
      clients: [{ name: 'HOOKS', ...client() }],
    });
    const api = await start({ client: 'HOOKS', pattern: 'hooks', worker: false }, [clients]);
    await subscribe(api);
    await save(api, 'by token');
    await expect.poll(inQueue).toEqual([expect.stringContaining('"pattern":"hooks"')]);

    await startHybrid({ pattern: 'hooks' });
    await receiver.waitFor(1);
  });

  it('delivers with noAck, and warns about it', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn');
    const app = await startHybrid({}, true);
    await subscribe(app);
    for (let n = 0; n < 3; n++) {
      await save(app, `${n}`);
      await receiver.waitFor(n + 1);
    }
    const said = warn.mock.calls.filter(([text]) => String(text).includes('noAck: false'));
    expect(said).toHaveLength(1);
    warn.mockRestore();
  });

  it('starts, answers and delivers without a broker, and warns once', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn');
    const app = await start({ client: client(`amqp://127.0.0.1:${await freePort()}`) });
    await subscribe(app);
    for (let n = 0; n < 3; n++) {
      await save(app, 'without');
      await receiver.waitFor(n + 1);
    }
    const said = warn.mock.calls.filter(([text]) => String(text).includes('cannot be reached'));
    expect(said).toHaveLength(1);
    warn.mockRestore();
  });
});

describe('a queue that RabbitMQ refuses to open', () => {
  it('does not end the process, and messages are delivered from the database', async () => {
    const unhandled: unknown[] = [];
    const collect = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', collect);
    const connection = await connect(rabbit.url);
    const channel = await connection.createChannel();
    await channel.assertQueue(queue, { durable: false, exclusive: false });
    const app = await start({ client: client() });
    await subscribe(app);
    await save(app, 'refused');
    await receiver.waitFor(1);
    await connection.close();
    process.off('unhandledRejection', collect);
    expect(unhandled).toEqual([]);
  });
});

describe('the options of microservices()', () => {
  it('reject the token of a provider that is not a client', async () => {
    await expect(start({ client: DataSource })).rejects.toThrow(
      '`client` of microservices() is the token of a provider that is not a ClientProxy',
    );
  });

  it.each<[MicroservicesOptions, RegExp]>([
    [undefined as never, /The options of microservices\(\) must be an object, not undefined/],
    [{ client: { transport: undefined } as never }, /must name a transport/],
    [{ client: { transport: 99 as Transport.RMQ } }, /must name a transport/],
    [{}, /`client` of microservices\(\) must be/],
    [{ client: {} }, /`client` of microservices\(\) must be/],
    [{ client: { transport: Transport.GRPC } as never }, /gRPC/],
    [{ client: 'HOOKS', pattern: '' }, /`pattern` of microservices\(\)/],
    [{ client: 'HOOKS', worker: 1 as never }, /`worker` of microservices\(\)/],
    [{ client: 'HOOKS', emitTimeout: 1.5 }, /`emitTimeout` of microservices\(\)/],
    [{ producer: false, worker: false }, /nothing to do with the broker/],
  ])('rejects %o', (settings, message) => {
    expect(() => microservices(settings)).toThrow(ThornConfigurationError);
    expect(() => microservices(settings)).toThrow(message);
  });
});
