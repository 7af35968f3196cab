import { setImmediate } from 'node:timers/promises';
import { Controller, type INestApplicationContext, Logger, Post } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import Database from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  outbox,
  Subscribers,
  ThornModule,
  type ThornModuleExtras,
  WebhookDispatcher,
} from '../../lib/index.js';
import { ensureSchema } from '../../lib/sql/index.js';
import { DispatchStrategy } from '../../lib/extending/index.js';
import {
  ThornReceiverModule,
  type VerifiedWebhook,
  Webhook,
  WebhookReceiver,
} from '../../lib/receiver/index.js';
import { generateSecret } from '../../lib/signing/index.js';
import {
  LOOPBACK_RECIPIENTS,
  RecordingStrategy,
  ScriptedReceiver,
  signWebhook,
} from '../../lib/testing/index.js';
import type { FreshDatabase } from '../services/database.js';
import { startReceiverApp } from '../support/apps/receiver-app.js';
import type { OpenedClient } from '../support/sql-clients.js';
import { fileOf, freshSqlite, SQLITE_CLIENTS } from '../support/sqlite-clients.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
/** Bare writes in one run. */
const WRITES = IS_LONG ? 2_000 : 150;
/** The sends of a long run wait for each other: the last ones for longer than the default of ten seconds, in milliseconds. */
const PATIENT = IS_LONG ? { queryTimeout: 60_000 } : {};

interface SentArticle {
  readonly data: { readonly mode?: string };
}

describe.each(SQLITE_CLIENTS)('an application of $name on SQLite', (kind) => {
  let place: FreshDatabase;
  let client: OpenedClient<never>;
  let own: Database.Database;
  let receiver: ScriptedReceiver;
  let app: INestApplicationContext | undefined;
  const lines: unknown[] = [];

  beforeAll(async () => {
    place = await freshSqlite();
    own = new Database(fileOf(place.url));
    own.exec('CREATE TABLE article (id integer PRIMARY KEY AUTOINCREMENT, title text NOT NULL)');
    client = await kind.open(place.url, 1);
    const log = (text: unknown) => void lines.push(text);
    vi.spyOn(Logger.prototype, 'log').mockImplementation(log);
    receiver = await ScriptedReceiver.start();
  });
  afterEach(() => app?.close());
  afterAll(async () => {
    vi.restoreAllMocks();
    await receiver.stop();
    await client.close();
    own.close();
    await place.drop();
  });

  async function start(
    dispatch: ThornModuleExtras['dispatch'] = outbox({ pollInterval: 100, ...PATIENT }),
  ) {
    const module = await Test.createTestingModule({
      imports: [
        ThornModule.forRoot({
          ...{ database: kind.define(client.bare, place.url), recipients: LOOPBACK_RECIPIENTS },
          dispatch,
        }),
      ],
    }).compile();
    app = await module.init();
    return app.get(WebhookDispatcher);
  }
  /** As the guide repeats it. */
  const begin = async (work: (tx: never) => Promise<void>) => {
    for (;;) {
      try {
        return await client.begin(work);
      } catch (error) {
        if (!kind.isRepeatable?.(error)) throw error;
      }
    }
  };
  const journal = () => {
    // A connection learns of another mode when it reads.
    own.prepare('SELECT 1 FROM sqlite_master').all();
    return own.pragma('journal_mode', { simple: true });
  };
  const count = (sql: string) => (own.prepare(sql).get() as { count: number }).count;

  it('says which tables are missing, makes them, and delivers what has committed', async () => {
    const before = journal();
    await expect(start()).rejects.toThrow('npx thorn migrations sqlite');
    app = undefined;
    await ensureSchema(kind.define(client.bare, place.url));
    const dispatcher = await start();
    const line = `strategy outbox() with a worker; ${kind.title} (sqlite by better-sqlite3, 1 connection of its own, commits looked up); `;
    expect(lines).toContainEqual(expect.stringContaining(line));
    // Prisma shows no connection: its file stays as it is.
    expect(journal()).toBe(kind.title === 'Prisma' ? before : 'wal');

    await app!.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    const undone = client.begin(async (tx) => {
      await dispatcher.send('order.undone', {}, { tx });
      throw new Error('rolled back');
    });
    await expect(undone).rejects.toThrow('rolled back');
    await client.begin(async (tx) => {
      await dispatcher.send('order.placed', {}, { tx, orderBy: 'ann' });
      await dispatcher.send('order.paid', {}, { tx, orderBy: 'ann' });
    });
    await receiver.waitFor(2);
    await dispatcher.send('order.last', {}, { tx: null });
    await receiver.waitFor(({ event }) => event === 'order.last');
    expect(receiver.received.map(({ event }) => event).sort()).toEqual([
      ...['order.last', 'order.paid', 'order.placed'],
    ]);
  });

  // A connection that is known is set to WAL.
  const others = IS_LONG ? ['wal'] : [];
  const modes = kind.name === 'Prisma 7 on SQLite' ? ['delete', 'wal'] : others;
  it.each(modes)('loses no bare write beside its own work, in %s', async (mode) => {
    own.pragma(`journal_mode = ${mode}`);
    const dispatcher = await start();
    receiver.clear();
    const articles = count('SELECT COUNT(*) AS count FROM article');
    const sent: Promise<unknown>[] = [];
    for (let at = 0; at < WRITES; at++) {
      sent.push(dispatcher.send('article.sent', { at, mode }, { tx: null }));
      await Promise.all([
        kind.writeBare(client.bare, `a${at}`),
        kind.writeBare(client.bare, `b${at}`),
      ]);
      if (at % 5 === 0) {
        await begin(async (tx) => {
          // It has read before it writes.
          await kind.execute(tx, 'SELECT COUNT(*) AS count FROM article');
          await dispatcher.send('article.joined', { at, mode }, { tx });
          await kind.execute(tx, `INSERT INTO article (title) VALUES ('t${at}')`);
          // It has the lock until its end.
          sent.push(dispatcher.send('article.beside', { at, mode }, { tx: null }));
          for (let turn = 0; turn < 5; turn++) await setImmediate();
        });
      }
    }
    await Promise.all(sent);

    const joined = Math.ceil(WRITES / 5);
    // One that is late is sent again, and so may be one of the other mode, by the application that is started after it.
    const ofMode = () =>
      receiver.received.filter(({ json }) => (json as SentArticle).data.mode === mode);
    const messages = () => new Set(ofMode().map(({ id }) => id)).size;
    await expect.poll(messages).toBe(WRITES + 2 * joined);
    expect(count('SELECT COUNT(*) AS count FROM article')).toBe(articles + 2 * WRITES + joined);
    expect(journal()).toBe(mode);
  });

  it('records what has committed, for tests, and leaves nothing', async () => {
    const dispatcher = await start(RecordingStrategy);
    const webhooks = app!.get<RecordingStrategy>(DispatchStrategy);
    const undone = client.begin(async (tx) => {
      await dispatcher.send('test.undone', {}, { tx });
      throw new Error('rolled back');
    });
    await expect(undone).rejects.toThrow('rolled back');
    await client.begin(async (tx) => {
      await dispatcher.send('test.kept', {}, { tx });
      await kind.execute(tx, 'SELECT COUNT(*) AS count FROM article');
      expect(webhooks.sent).toEqual([]);
    });
    await webhooks.waitFor('test.kept');
    expect(webhooks.sent.map(({ event }) => event)).toEqual(['test.kept']);
    await expect.poll(() => count('SELECT COUNT(*) AS count FROM thorn_pending_messages')).toBe(0);
  });

  it('does the work of a webhook that is received once', async () => {
    await ensureSchema(kind.define(client.bare, place.url), { receiver: true });
    const secret = generateSecret();
    const receivers = { bank: { scheme: 'standard', secrets: [secret] } } as const;
    const database = kind.define(client.bare, place.url);
    const articles = () => count("SELECT COUNT(*) AS count FROM article WHERE title = 'paid'");

    @Controller()
    class PaymentsController {
      @Post('payments')
      @WebhookReceiver('bank')
      async pay(@Webhook() webhook: VerifiedWebhook): Promise<void> {
        await client.begin(async (tx) => {
          const work = () => kind.execute(tx, "INSERT INTO article (title) VALUES ('paid')");
          await webhook.processOnce(tx, work);
        });
      }
    }
    const module = ThornReceiverModule.forRoot({ receivers, database, deduplication: false });
    const started = await startReceiverApp('express', [module], [PaymentsController]);
    try {
      const signed = signWebhook({ body: { type: 'paid' }, secrets: [secret], id: 'msg_1' });
      for (let attempt = 0; attempt < 2; attempt++) {
        expect((await started.post('/payments', signed)).status).toBeLessThan(300);
        expect(articles()).toBe(1);
      }
    } finally {
      await started.app.close();
    }
  });

  it('lets a transaction that has read before others wrote fail as the client does', async () => {
    own.pragma('journal_mode = wal');
    const dispatcher = await start();
    receiver.clear();
    let tries = 0;
    await begin(async (tx) => {
      tries += 1;
      await kind.execute(tx, 'SELECT COUNT(*) AS count FROM article');
      if (tries === 1) void dispatcher.send('article.between', {}, { tx: null });
      if (tries === 1 && kind.isRepeatable) {
        await receiver.waitFor(({ event }) => event === 'article.between');
        // Its outcome is the last that is written.
        await expect
          .poll(() => count('SELECT COUNT(*) AS count FROM thorn_pending_messages'))
          .toBe(0);
      }
      await dispatcher.send('article.repeated', {}, { tx });
    });

    expect(tries).toBe(kind.isRepeatable ? 2 : 1);
    // What an earlier test has sent may come again.
    const arrived = () =>
      receiver.received.map(({ event }) => event).filter((event) => /between|repeated/.test(event));
    await expect.poll(() => arrived().sort()).toEqual(['article.between', 'article.repeated']);
  });
});
