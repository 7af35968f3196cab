import { Controller, type INestApplicationContext, Logger, Post } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import mysql, { type Pool, type RowDataPacket } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { outbox, Subscribers, ThornModule, WebhookDispatcher } from '../../lib/index.js';
import {
  ThornReceiverModule,
  type VerifiedWebhook,
  Webhook,
  WebhookReceiver,
} from '../../lib/receiver/index.js';
import { generateSecret } from '../../lib/signing/index.js';
import { ensureSchema, fromMysql2 } from '../../lib/sql/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver, signWebhook } from '../../lib/testing/index.js';
import { type FreshDatabase, freshMariadb } from '../services/database.js';
import { startReceiverApp } from '../support/apps/receiver-app.js';
import type { OpenedClient } from '../support/client-kind.js';
import { MARIADB_CLIENTS } from '../support/mariadb-clients.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const KINDS = MARIADB_CLIENTS.filter(
  ({ name }) => IS_LONG || ['Prisma 7 on MariaDB', 'Knex on MariaDB'].includes(name),
);
const secret = generateSecret();
let receive: (webhook: VerifiedWebhook) => Promise<unknown>;

@Controller()
class PaymentsController {
  @Post('payments')
  @WebhookReceiver('bank')
  async pay(@Webhook() webhook: VerifiedWebhook): Promise<object> {
    return { paid: (await receive(webhook)) !== undefined };
  }
}

describe.each(KINDS)('an application of $name, without TypeORM', (kind) => {
  const { open, define, nested, execute } = kind;
  let place: FreshDatabase;
  let elsewhere: FreshDatabase;
  let asked: Pool;
  let client: OpenedClient<never>;
  let app: INestApplicationContext;
  let receiver: ScriptedReceiver;
  let dispatcher: WebhookDispatcher;
  const lines: unknown[] = [];

  beforeAll(async () => {
    [place, elsewhere] = await Promise.all([freshMariadb(), freshMariadb()]);
    asked = mysql.createPool({ uri: place.url, connectionLimit: 1 });
    client = await open(place.url, 3);
    for (const receives of [false, true]) {
      await ensureSchema(define(client.bare, place.url), { receiver: receives });
    }
    await asked.query('CREATE TABLE purchase (id varchar(50) PRIMARY KEY)');
    vi.spyOn(Logger.prototype, 'log').mockImplementation((text) => void lines.push(text));
    app = await startApp();
    dispatcher = app.get(WebhookDispatcher);
  });
  afterAll(async () => {
    await app?.close();
    await client?.close();
    await asked?.end();
    await Promise.all([place.drop(), elsewhere.drop()]);
  });
  beforeEach(async () => {
    receiver = await ScriptedReceiver.start();
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
  });
  afterEach(async () => {
    await receiver.stop();
    for (const table of ['purchase', 'thorn_messages', 'thorn_subscribers']) {
      await asked.query(`DELETE FROM ${table}`);
    }
  });

  async function startApp() {
    const thorn = ThornModule.forRoot({
      database: define(client.bare, place.url),
      dispatch: outbox({ pollInterval: 300 }),
      recipients: LOOPBACK_RECIPIENTS,
    });
    const module = await Test.createTestingModule({ imports: [thorn] }).compile();
    return module.init();
  }
  const send = (tx: unknown, name: string, key?: string) =>
    dispatcher.send(name, {}, { tx, ...(key !== undefined && { orderBy: { key } }) });
  const insert = (tx: never, id: string) => execute(tx, `INSERT INTO purchase VALUES ('${id}')`);
  const code = async (work: Promise<unknown>) =>
    work.then(
      () => 'none',
      (error: unknown) => (error as { readonly code?: unknown }).code,
    );
  const ids = async (table: string) => {
    const [rows] = await asked.query<RowDataPacket[]>(`SELECT id FROM ${table} ORDER BY id`);
    return rows.map(({ id }) => id as string);
  };
  /** What arrived when everything that was sent before has. */
  async function arrived() {
    await send(null, 'fence');
    await receiver.waitFor(({ event }) => event === 'fence');
    await expect.poll(() => ids('thorn_pending_messages')).toEqual([]);
    return receiver.received.map(({ event }) => event).sort();
  }

  it('sends what is committed once, and nothing that is rolled back', async () => {
    expect(lines).toContainEqual(
      expect.stringMatching(/ \(mysql by mysql2, .*, commits looked up\);/),
    );
    await client.begin(async (tx) => {
      await insert(tx, 'kept');
      await send(tx, 'kept');
      await send(tx, 'keyed', 'order:1');
    });
    const thrown = client.begin(async (tx) => {
      await insert(tx, 'thrown');
      await send(tx, 'thrown');
      await send(tx, 'thrown', 'order:1');
      throw new Error('thrown');
    });
    await expect(thrown).rejects.toThrow('thrown');
    await client.begin(async (tx) => {
      await send(tx, 'outer');
      const inner = nested(tx, async (within) => {
        await send(within, 'inner');
        throw new Error('inner');
      });
      await expect(inner).rejects.toThrow('inner');
    });
    // MariaDB goes on after a statement that fails.
    await client.begin(async (tx) => {
      await insert(tx, 'swallowed');
      await insert(tx, 'swallowed').catch(() => undefined);
      await send(tx, 'swallowed');
    });

    expect(await arrived()).toEqual(['fence', 'kept', 'keyed', 'outer', 'swallowed']);
    expect(await ids('purchase')).toEqual(['kept', 'swallowed']);
  });

  it('refuses what would not be part of the transaction, and leaves nothing behind', async () => {
    let ended: unknown;
    await client.begin(async (tx) => void (ended = tx));
    for (const bare of [client.bare, {}, 'tx', [], Promise.resolve()]) {
      expect(await code(send(bare, 'refused'))).toBe('THORN_TRANSACTION_REQUIRED');
    }
    expect(await code(send(ended, 'refused'))).toMatch(/^THORN_TRANSACTION_(?:ENDED|REQUIRED)$/);
    const other = await open(elsewhere.url, 1);
    await other.begin(async (tx) => {
      expect(await code(send(tx, 'refused'))).toBe('THORN_DATABASE_OTHER');
      await execute(tx, 'SELECT 1');
    });
    await other.close();
    await asked.query('RENAME TABLE thorn_messages TO elsewhere');
    await client.begin(async (tx) => {
      await insert(tx, 'beside');
      await expect(send(tx, 'refused')).rejects.toMatchObject({
        code: 'THORN_TABLES_MISSING',
        message: expect.stringContaining('`npx thorn migrations mariadb` prints.') as string,
      });
    });
    await asked.query('RENAME TABLE elsewhere TO thorn_messages');

    expect(await arrived()).toEqual(['fence']);
    expect(await ids('purchase')).toEqual(['beside']);
  });

  it('refuses a transaction that a deadlock has ended', async () => {
    for (const id of ['a', 'b']) await asked.query(`INSERT INTO purchase VALUES ('${id}')`);
    const lock = (tx: never, id: string) =>
      execute(tx, `SELECT id FROM purchase WHERE id = '${id}' FOR UPDATE`);
    const refusals: unknown[] = [];
    let locked = 0;
    const cross = (first: string, second: string) =>
      client.begin(async (tx) => {
        await lock(tx, first);
        locked++;
        await expect.poll(() => locked).toBe(2);
        const failed = await lock(tx, second).then(
          () => false,
          () => true,
        );
        if (failed) refusals.push(await code(send(tx, 'victim')));
        else await send(tx, 'winner');
      });
    // The victim's COMMIT commits nothing: its client may tell of that.
    await Promise.allSettled([cross('a', 'b'), cross('b', 'a')]);

    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatch(/^THORN_TRANSACTION_(?:ENDED|REQUIRED)$/);
    expect(await arrived()).toEqual(['fence', 'winner']);
  });

  it('does the work of a received message once, in the transaction of the work', async () => {
    const receivers = { bank: { scheme: 'standard', secrets: [secret] } } as const;
    const database = define(client.bare, place.url);
    const imports = [ThornReceiverModule.forRoot({ receivers, database, deduplication: false })];
    const { app: receiving, post } = await startReceiverApp('express', imports, [
      PaymentsController,
    ]);
    const pay = () =>
      post('/payments', signWebhook({ body: { type: 'paid' }, secrets: [secret], id: 'msg_1' }));
    let fails = true;
    receive = (webhook) =>
      client.begin(async (tx) => {
        const paid = await webhook.processOnce(tx, async () => (await insert(tx, 'paid')) ?? true);
        if (fails) throw new Error('after the work, before the commit');
        return paid;
      });
    expect((await pay()).status).toBe(500);
    expect(await ids('purchase')).toEqual([]);
    fails = false;
    const answers = await Promise.all(Array.from({ length: 4 }, async () => (await pay()).json()));
    await receiving.close();

    expect(answers.filter((answer) => (answer as { paid: boolean }).paid)).toHaveLength(1);
    expect(await ids('purchase')).toEqual(['paid']);
  });

  it('knows a received message that was committed since the transaction began to read', async () => {
    const receivers = { bank: { scheme: 'standard', secrets: [secret] } } as const;
    const database = define(client.bare, place.url);
    const imports = [ThornReceiverModule.forRoot({ receivers, database, deduplication: false })];
    const { app: receiving, post } = await startReceiverApp('express', imports, [
      PaymentsController,
    ]);
    const work = (webhook: VerifiedWebhook, id: string) => (tx: never) =>
      webhook.processOnce(tx, async () => (await insert(tx, id)) ?? true);
    receive = (webhook) =>
      client.begin(async (tx) => {
        // As MySQL has it; MariaDB would refuse the transaction.
        await execute(tx, 'SET innodb_snapshot_isolation = OFF');
        await execute(tx, 'SELECT COUNT(*) FROM thorn_received_messages');
        await client.begin(work(webhook, 'first'));
        const second = await work(webhook, 'second')(tx);
        await execute(tx, 'SET innodb_snapshot_isolation = DEFAULT');
        return second;
      });
    const answer = await post(
      '/payments',
      signWebhook({ body: { type: 'paid' }, secrets: [secret], id: 'msg_2' }),
    );
    await receiving.close();

    expect(await answer.json()).toEqual({ paid: false });
    expect(await ids('purchase')).toEqual(['first']);
  });
});

describe('a pool of mysql2 with settings of its own', () => {
  let place: FreshDatabase;
  let pool: Pool;
  beforeAll(async () => {
    place = await freshMariadb();
    pool = mysql.createPool({ uri: place.url, connectionLimit: 1 });
    await ensureSchema(fromMysql2(pool));
    await pool.end();
  });
  afterEach(() => pool.end());
  afterAll(() => place.drop());

  const start = async () => {
    const database = fromMysql2(pool);
    const imports = [ThornModule.forRoot({ database, recipients: LOOPBACK_RECIPIENTS })];
    const module = await Test.createTestingModule({ imports }).compile();
    module.useLogger(false);
    return module.init();
  };

  it('reads rows as they are, whatever form the application has them in', async () => {
    pool = mysql.createPool({
      ...{ uri: place.url, connectionLimit: 5 },
      ...{ rowsAsArray: true, nestTables: '_', typeCast: false, namedPlaceholders: true },
    });
    const receiver = await ScriptedReceiver.start();
    const app = await start();
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    const connection = await pool.getConnection();
    await connection.beginTransaction();
    await app.get(WebhookDispatcher).send('order.placed', { id: 1 }, { tx: connection });
    await connection.commit();
    connection.release();
    const sent = app.get(WebhookDispatcher).send('order.sent', { id: 1 }, { tx: null });
    expect(await sent).toMatchObject({
      state: 'accepted',
    });
    await receiver.waitFor(2);
    await app.close();
    await receiver.stop();
  });

  it('sends with the transactions that begin by themselves where autocommit is off', async () => {
    pool = mysql.createPool({ uri: place.url, connectionLimit: 5 });
    const receiver = await ScriptedReceiver.start();
    const app = await start();
    const dispatcher = app.get(WebhookDispatcher);
    await app.get(Subscribers).create({ url: receiver.url, events: ['order.*'] });
    const connection = await pool.getConnection();
    await connection.query('SET autocommit = 0');
    for (const name of ['one', 'two']) {
      // No table was used before.
      await dispatcher.send(`order.undone.${name}`, {}, { tx: connection });
      await connection.rollback();
      await dispatcher.send(`order.${name}`, {}, { tx: connection });
      await connection.commit();
    }
    await receiver.waitFor(2);
    await dispatcher.send('order.fence', {}, { tx: null });
    await receiver.waitFor(({ event }) => event === 'order.fence');
    connection.destroy();
    await app.close();
    await receiver.stop();
    expect(receiver.received.map(({ event }) => event).sort()).toEqual([
      ...['order.fence', 'order.one', 'order.two'],
    ]);
  });

  it('is refused under a mode in which mysql2 does not escape texts', async () => {
    pool = mysql.createPool({ uri: place.url, connectionLimit: 5 });
    pool.on('connection', (connection) => {
      void connection.query("SET sql_mode = 'NO_BACKSLASH_ESCAPES'");
    });
    await expect(start()).rejects.toMatchObject({ code: 'THORN_DATABASE_UNSUPPORTED' });
  });
});
