import { Controller, type INestApplication, Post } from '@nestjs/common';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  ThornReceiverModule,
  type ThornReceiverModuleExtras,
  type ThornReceiverModuleOptions,
  type VerifiedWebhook,
  verifyWebhook,
  Webhook,
  WebhookReceiver,
} from '../../lib/receiver/index.js';
import { generateSecret } from '../../lib/signing/index.js';
import { ensureSchema, fromPg } from '../../lib/sql/index.js';
import { signWebhook } from '../../lib/testing/index.js';
import { type FreshDatabase, freshPostgres } from '../services/database.js';
import { type ReceiverApp, startReceiverApp } from '../support/apps/receiver-app.js';
import { type OpenedClient, SQL_CLIENTS } from '../support/sql-clients.js';

const secret = generateSecret();
const receivers = { bank: { scheme: 'standard', secrets: [secret] } } as const;
const signed = (id: string) =>
  signWebhook({ body: { type: 'paid', order: id }, secrets: [secret], id });

type Webhooks = VerifiedWebhook<{ order: string }>;
let receive: (webhook: Webhooks) => Promise<unknown>;

@Controller()
class PaymentsController {
  @Post('payments')
  @WebhookReceiver('bank')
  async pay(@Webhook() webhook: Webhooks): Promise<object> {
    return { paid: (await receive(webhook)) !== undefined };
  }
}

const IS_LONG = process.env['THORN_LONG'] === '1';
// TypeORM is in receiver-once.spec.ts.
const kinds = SQL_CLIENTS.filter(({ name }) =>
  IS_LONG ? name !== 'TypeORM' : ['Prisma 7', 'Drizzle 0.45'].includes(name),
);

describe.each(kinds)('a receiver with $name', ({ open, define, execute }) => {
  let place: FreshDatabase;
  let elsewhere: FreshDatabase;
  let client: OpenedClient<never>;
  let own: pg.Pool;
  const apps: INestApplication[] = [];

  beforeAll(async () => {
    [place, elsewhere] = await Promise.all([freshPostgres(), freshPostgres()]);
    own = new pg.Pool({ connectionString: place.url, max: 1, application_name: 'the test' });
    await ensureSchema(fromPg(own), { receiver: true });
    await own.query('CREATE TABLE payments ("order" text)');
    client = await open(place.url, 4);
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    await own.query('TRUNCATE payments, thorn_received_messages');
  });
  afterAll(async () => {
    await client.close();
    await own.end();
    await Promise.all([place.drop(), elsewhere.drop()]);
  });

  async function start(
    options: Partial<ThornReceiverModuleOptions & ThornReceiverModuleExtras> = {},
  ): Promise<ReceiverApp> {
    const database = define(client.bare, place.url);
    const module = ThornReceiverModule.forRoot({ receivers, database, ...options });
    const started = await startReceiverApp('express', [module], [PaymentsController]);
    apps.push(started.app);
    return started;
  }

  const pay = (tx: never, { payload }: Webhooks) =>
    execute(tx, `INSERT INTO payments VALUES ('${payload.order}')`);
  const orders = async () =>
    (await own.query<{ order: string }>('SELECT * FROM payments ORDER BY 1')).rows.map(
      ({ order }) => order,
    );
  const count = async (sql: string) =>
    Number((await own.query<{ count: string }>(`SELECT count(*) ${sql}`)).rows[0]!.count);
  const records = () => count('FROM thorn_received_messages');
  const ownConnections = () =>
    count(
      `FROM pg_stat_activity WHERE application_name = 'thorn' AND datname = current_database()`,
    );

  it('does the work of a message once, in the transaction of the work', async () => {
    const { post } = await start({ deduplication: false });
    let fails = 2;
    receive = (webhook) =>
      client.begin(async (tx) => {
        const paid = await webhook.processOnce(tx, async () => {
          await pay(tx, webhook);
          return 'paid';
        });
        if (fails-- > 0) throw new Error('after the work, before the commit');
        return paid;
      });
    for (let attempt = 0; attempt < 2; attempt++) {
      expect((await post('/payments', signed('msg_1'))).status).toBe(500);
      expect([await orders(), await records()]).toEqual([[], 0]);
    }
    for (const paid of [true, false]) {
      expect(await (await post('/payments', signed('msg_1'))).json()).toEqual({ paid });
      expect([await orders(), await records()]).toEqual([['msg_1'], 1]);
    }
  });

  it('does it once in all processes that get it at the same time', async () => {
    const [one, other] = [
      await start({ deduplication: false }),
      await start({ deduplication: false }),
    ];
    receive = (webhook) =>
      client.begin((tx) => webhook.processOnce(tx, async () => (await pay(tx, webhook)) ?? true));
    const answers = await Promise.all(
      Array.from({ length: 24 }, async (_, index) => {
        const { post } = index % 2 === 0 ? one : other;
        const answer = await post('/payments', signed(`msg_${(index % 4) >> 1}`));
        return (await answer.json()) as { paid: boolean };
      }),
    );

    expect(answers.filter(({ paid }) => paid)).toHaveLength(2);
    expect(await orders()).toEqual(['msg_0', 'msg_1']);
  });

  it('refuses what is no open transaction of its database, and does no work', async () => {
    const { post } = await start({ deduplication: false });
    let error: unknown;
    let worked = false;
    receive = async () => undefined;
    const refusal = async (begin: (use: (tx: never) => Promise<void>) => Promise<unknown>) => {
      receive = (webhook) =>
        begin(async (tx) => {
          await webhook
            .processOnce(tx, async () => (worked = true))
            .catch((thrown: unknown) => (error = thrown));
          throw new Error('roll back');
        });
      expect((await post('/payments', signed('msg_1'))).status).toBe(500);
      return error;
    };
    expect(await refusal((use) => use(client.bare as never))).toMatchObject({
      code: 'THORN_TRANSACTION_REQUIRED',
    });
    const other = await open(elsewhere.url, 1);
    expect(await refusal((use) => other.begin(use))).toMatchObject({
      code: 'THORN_DATABASE_OTHER',
    });
    await other.close();
    const failed = (use: (tx: never) => Promise<void>) =>
      client.begin(async (tx) => {
        await execute(tx, 'SELECT 1 / 0').catch(() => undefined);
        await use(tx);
      });
    expect(await refusal(failed)).toMatchObject({ code: 'THORN_TRANSACTION_ENDED' });
    const withoutTable = (use: (tx: never) => Promise<void>) =>
      client.begin(async (tx) => {
        await execute(tx, 'ALTER TABLE thorn_received_messages RENAME TO hidden');
        await use(tx);
      });
    expect(await refusal(withoutTable)).toMatchObject({
      code: 'THORN_TABLES_MISSING',
      message: expect.stringContaining('`npx thorn migrations postgres --receiver`') as string,
    });
    expect([worked, await records()]).toEqual([false, 0]);
  });

  it('shares what it has handled with other processes, and leaves no connection behind', async () => {
    const handled: string[] = [];
    receive = async ({ id }) => handled.push(String(id));
    for (const { post } of [await start(), await start()]) {
      expect((await post('/payments', signed('msg_1'))).status).toBe(201);
    }
    expect(handled).toEqual(['msg_1']);
    expect(await records()).toBe(1);
    for (const app of apps.splice(0)) await app.close();
    await expect.poll(ownConnections, { timeout: 5000 }).toBe(0);
  });

  it('does not start without its table, and leaves no connection behind', async () => {
    await own.query('ALTER TABLE thorn_received_messages RENAME TO hidden');
    try {
      await expect(start()).rejects.toMatchObject({
        code: 'THORN_TABLES_MISSING',
        message: expect.stringContaining('`npx thorn migrations postgres --receiver`') as string,
      });
      // At once: a pool would close those that idle after ten seconds.
      await expect.poll(ownConnections, { timeout: 5000 }).toBe(0);
      const { headers, body } = signed('msg_1');
      const webhook = verifyWebhook({ headers, body, secrets: [secret] });
      await expect(client.begin((tx) => webhook.processOnce(tx, async () => true))).rejects.toThrow(
        'set the option database of ThornReceiverModule.forRoot()',
      );
    } finally {
      await own.query('ALTER TABLE hidden RENAME TO thorn_received_messages');
    }
  });
});

it('refuses a database that is no client', () => {
  for (const database of [null, {}, 'postgres://localhost/shop', new pg.Pool()]) {
    expect(() => ThornReceiverModule.forRoot({ receivers, database: database as never })).toThrow(
      'of ThornReceiverModule.forRoot() must be the result of fromPrisma(), fromDrizzle(), fromPg() or fromTypeOrm()',
    );
  }
});
