import { Controller, type INestApplication, Post } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  PrimaryGeneratedColumn,
} from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  CreateThornReceivedMessages1767312060000,
  ReceivedMessages,
  ThornReceiverModule,
  TransactionRequiredError,
  type VerifiedWebhook,
  verifyWebhook,
  Webhook,
  WebhookReceiver,
} from '../../lib/receiver/index.js';
import { InvalidInputError } from '../../lib/errors/index.js';
import { fromTypeOrm } from '../../lib/sql/index.js';
import { generateSecret } from '../../lib/signing/index.js';
import { signWebhook } from '../../lib/testing/index.js';
import { blogDatabases, createBlogDatabase } from '../support/apps/blog.js';
import { type ReceiverApp, startReceiverApp } from '../support/apps/receiver-app.js';

const HOUR = 3_600_000;
const secret = generateSecret();

@Entity()
class Payment {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  order!: string;
}

let fails = 0;

@Controller()
class PaymentsController {
  constructor(private readonly dataSource: DataSource) {}

  @Post('payments')
  @WebhookReceiver('bank')
  async pay(@Webhook() webhook: VerifiedWebhook<{ order: string }>): Promise<object> {
    const done = await this.dataSource.transaction(async (manager) => {
      const paid = await webhook.processOnce(manager, () =>
        manager.save(Payment, { order: webhook.payload.order }),
      );
      if (fails-- > 0) throw new Error('after the work, before the commit');
      return paid;
    });
    return { paid: done !== undefined };
  }
}

const receivers = { bank: { scheme: 'standard', secrets: [secret] } } as const;
const signed = (id = 'msg_1') =>
  signWebhook({ body: { type: 'paid', order: id }, secrets: [secret], id });

type Started = ReceiverApp & { readonly dataSource: DataSource };

const apps: INestApplication[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

/** @param isFirst whether it makes the tables anew */
async function start(options: DataSourceOptions, isFirst: boolean): Promise<Started> {
  const started = await startReceiverApp(
    'express',
    [
      TypeOrmModule.forRoot({
        ...options,
        dropSchema: isFirst,
        synchronize: isFirst,
        migrations: [CreateThornReceivedMessages1767312060000],
        migrationsRun: isFirst,
        entities: [Payment],
      }),
      // Off, so that every request reaches the handler: the record alone is what counts.
      ThornReceiverModule.forRoot({
        receivers,
        deduplication: false,
        database: fromTypeOrm(DataSource),
      }),
    ],
    [PaymentsController],
  );
  apps.push(started.app);
  return { ...started, dataSource: started.app.get(DataSource) };
}

const payments = (dataSource: DataSource) =>
  dataSource.manager.find(Payment, { order: { id: 'ASC' } });

describe.each(blogDatabases)('processOnce on %s', (type) => {
  let options: DataSourceOptions;
  let drop: () => Promise<void>;
  beforeAll(async () => {
    ({ options, drop } = await createBlogDatabase(type));
  });
  afterAll(() => drop());

  let first: Started;
  beforeEach(async () => {
    fails = 0;
    first = await start(options, true);
  });

  it('does the work of the first try, and reports a repetition to the others', async () => {
    const answers = [];
    for (const id of ['msg_1', 'msg_1', 'msg_2']) {
      answers.push(await (await first.post('/payments', signed(id))).json());
    }

    expect(answers).toEqual([{ paid: true }, { paid: false }, { paid: true }]);
    expect(await payments(first.dataSource)).toMatchObject([
      { order: 'msg_1' },
      { order: 'msg_2' },
    ]);
  });

  it('forgets a try whose transaction rolled back, with its work', async () => {
    fails = 2;
    const statuses = [];
    for (let attempt = 0; attempt < 4; attempt++) {
      statuses.push((await first.post('/payments', signed())).status);
    }

    expect(statuses).toEqual([500, 500, 201, 201]);
    expect(await payments(first.dataSource)).toHaveLength(1);
  });

  it('rejects a manager without a transaction, whose record would outlive failed work', async () => {
    const webhook = verifyWebhook({ ...signed(), secrets: [secret] });
    let worked = false;

    await expect(
      webhook.processOnce(first.dataSource.manager, async () => (worked = true)),
    ).rejects.toThrow(TransactionRequiredError);
    expect(worked).toBe(false);
  });

  it('says what to run where its table is missing', async () => {
    await first.dataSource.query('DROP TABLE thorn_received_messages');
    const webhook = verifyWebhook({ ...signed(), secrets: [secret] });
    const once = first.dataSource.transaction((manager) =>
      webhook.processOnce(manager, async () => undefined),
    );
    await expect(once).rejects.toMatchObject({
      code: 'THORN_TABLES_MISSING',
      message: expect.stringMatching(
        /no table (?:public\.)?thorn_received_messages\. .*`npx thorn migrations \w+ --receiver`/,
      ) as string,
    });
  });

  it('rejects a message without an id', async () => {
    const stripe = signWebhook({ body: { type: 'paid' }, secrets: ['s'], scheme: 'stripe' });
    const webhook = verifyWebhook({ ...stripe, secrets: ['s'], scheme: 'stripe' });

    await expect(
      first.dataSource.transaction((manager) => webhook.processOnce(manager, async () => true)),
    ).rejects.toThrow(InvalidInputError);
  });

  it('remembers ids until the retention is over, and deletes them an hour later', async () => {
    const now = Date.now();
    const once = (id: string, retention: number, later = 0) => {
      const { headers, body } = signed(id);
      const verified = { headers, body, secrets: [secret], retention, tolerance: Infinity };
      const webhook = verifyWebhook({ ...verified, now: now + later });
      return first.dataSource.transaction((manager) =>
        webhook.processOnce(manager, async () => 'done'),
      );
    };
    const rows = () => first.dataSource.query<unknown[]>('SELECT * FROM thorn_received_messages');
    await once('short', 1000);
    await once('long', 2 * HOUR);
    expect(await once('short', 1000, HOUR - 1)).toBeUndefined();
    expect(await rows()).toHaveLength(2);

    expect(await once('long', 2 * HOUR, HOUR + 1000)).toBeUndefined();
    await expect.poll(rows).toHaveLength(1);
    expect(await once('short', 1000, HOUR + 1000)).toBe('done');
    expect(await once('long', 2 * HOUR, HOUR + 1000)).toBeUndefined();
  });

  it('does not mistake the claims of the store for its own records', async () => {
    const store = first.app.get<ReceivedMessages>(ReceivedMessages);
    expect(store.constructor.name).toBe('DatabaseReceivedMessages');
    const now = Date.now();
    const claim = {
      ...{ kind: 'message' as const, receiver: 'bank', key: 'msg_1', sequence: 1, token: 't' },
    };
    const times = { now, leasedUntil: now + 60_000, keptUntil: now + 60_000 };
    await store.claim(claim, times);

    expect(await (await first.post('/payments', signed())).json()).toEqual({ paid: true });
    await store.complete(claim, times);
    expect(await (await first.post('/payments', signed())).json()).toEqual({ paid: false });
  });
});

// On PostgreSQL alone: SQLite has one connection, and what it is asked at the same time is one transaction.
it('processes a message once when two processes get it many times at once, and tries fail', async () => {
  const { options, drop } = await createBlogDatabase('postgres');
  try {
    const first = await start(options, true);
    const second = await start(options, false);
    fails = 3;
    const requests = Array.from({ length: 40 }, (_, index) =>
      (index % 2 === 0 ? first : second).post('/payments', signed(`msg_${(index % 4) >> 1}`)),
    );
    const answers = await Promise.all(requests);
    const paid = await Promise.all(
      answers
        .filter(({ ok }) => ok)
        .map(async (answer) => (await answer.json()) as { paid: boolean }),
    );

    expect(answers.filter(({ status }) => status === 500)).toHaveLength(3);
    expect(paid.filter((answer) => answer.paid)).toHaveLength(2);
    const orders = (await payments(first.dataSource)).map(({ order }) => order);
    expect(orders.sort()).toEqual(['msg_0', 'msg_1']);
  } finally {
    for (const app of apps.splice(0)) await app.close();
    await drop();
  }
});

it('reverts the migration', async () => {
  const dataSource = new DataSource({
    type: 'better-sqlite3',
    database: ':memory:',
    migrations: [CreateThornReceivedMessages1767312060000],
  });
  await dataSource.initialize();
  await dataSource.runMigrations();
  await dataSource.undoLastMigration();
  await dataSource.runMigrations();

  expect(await dataSource.query('SELECT * FROM thorn_received_messages')).toEqual([]);
  await dataSource.destroy();
});
