import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { type EntitySubscriberInterface } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from '../../lib/message/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { Article, openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';

interface Client {
  processID: number | null;
  query(...given: unknown[]): Promise<unknown>;
}

interface Way {
  readonly name: string;
  readonly extra: { readonly pipeline?: true };
}

describe.each<Way>([
  { name: 'pg', extra: {} },
  { name: 'pg with its option pipeline', extra: { pipeline: true } },
])('connections of $name', ({ extra }) => {
  let database: TestDatabase;
  let app: OutboxApp;
  let receiver: ScriptedReceiver;
  let turns: string[];
  /** True: clients are told another process than the server's own, as poolers do. */
  let isPooled: boolean;

  beforeEach(async () => {
    receiver = await ScriptedReceiver.start();
    database = await createDatabase('postgres');
    turns = [];
    isPooled = false;
    const { options } = database;
    app = await openOutboxApp(
      { options: { ...options, extra: { ...extra, max: 4 } } },
      { prepare: ({ driver }) => watch((driver as unknown as { master: EventEmitter }).master) },
    );
    await app.subscribers.create(subscriber(receiver.url));
    await app.dataSource.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.body::text LIKE '%refused%' THEN RAISE EXCEPTION 'no room for this message'; END IF;
          RETURN NEW;
        END $$`);
    await app.dataSource.query(
      'CREATE TRIGGER refuse BEFORE INSERT ON thorn_messages FOR EACH ROW EXECUTE FUNCTION refuse()',
    );
  });
  afterEach(async () => {
    await app.close();
    await database.drop();
    await receiver.stop();
  });

  /** Notes what is sent over the connections of the application's transactions, and when it is answered. */
  function watch(pool: EventEmitter): void {
    const watched = new WeakSet<Client>();
    pool.on('acquire', (client: Client) => {
      if (isPooled) client.processID = 1;
      if (watched.has(client)) return;
      watched.add(client);
      const query = client.query.bind(client);
      client.query = (...given) => {
        const name =
          /START|INSERT INTO "article"|^INSERT INTO \W?thorn_messages.*COMMIT$|COMMIT/.exec(
            String(given[0]),
          )?.[0];
        const answered = query(...given);
        if (name === undefined) return answered;
        const short = name.replace(/^INSERT INTO \W?thorn.*(?=COMMIT)/, 'message and ');
        turns.push(`${short} sent`);
        return answered.finally(() => turns.push(`${short} answered`));
      };
    });
  }

  const save = (title: string) =>
    app.dataSource.manager.save(app.dataSource.manager.create(Article, { title }));
  const titles = async () => {
    const articles = await app.dataSource.manager.find(Article, { order: { id: 'ASC' } });
    return articles.map(({ title }) => title);
  };
  const arrived = async (count: number) => {
    await expect.poll(() => receiver.received.length, { timeout: 20_000 }).toBe(count);
    return receiver.received.map(
      ({ body }) => (JSON.parse(body.toString()) as { data: { title: string } }).data.title,
    );
  };

  it('begin with the first statement, and carry a message and the COMMIT together', async () => {
    await save('first');
    expect(await arrived(1)).toEqual(['first']);
    const begun = extra.pipeline ? ['START sent', 'START answered'] : [];
    expect(turns.slice(0, 4 + begun.length)).toEqual([
      ...begun,
      ...['INSERT INTO "article" sent', 'INSERT INTO "article" answered'],
      ...['message and COMMIT sent', 'message and COMMIT answered'],
    ]);
  });

  it('carry a message and the transaction around it together', async () => {
    const runner = app.dataSource.createQueryRunner();
    const { connection } = (await runner.connect()) as { connection: EventEmitter };
    let answers = 0;
    connection.on('readyForQuery', () => (answers += 1));
    const message = app.message({ data: { title: 'alone' } });
    await runner.startTransaction();
    await app.strategy.stage([message], runner.manager);
    await runner.commitTransaction();
    expect(answers).toBe(extra.pipeline ? 2 : 1);
    await runner.release();
    await app.strategy.release([message]);
    expect(await arrived(1)).toEqual(['alone']);
  });

  it('begin transactions of every isolation level, whatever comes first', async () => {
    const runner = app.dataSource.createQueryRunner();
    for (const level of ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const) {
      await runner.startTransaction(level);
      const shown = await runner.query('SHOW transaction_isolation');
      expect(shown).toEqual([{ transaction_isolation: level.toLowerCase() }]);
      await runner.manager.save(runner.manager.create(Article, { title: level }));
      await runner.rollbackTransaction();
    }
    await runner.startTransaction();
    await runner.commitTransaction();
    await runner.startTransaction();
    await runner.rollbackTransaction();
    await runner.release();
    await save('last');
    expect(await arrived(1)).toEqual(['last']);
    expect(await titles()).toEqual(['last']);
  });

  it('reject a save whose message is refused: nothing is stored or sent', async () => {
    await expect(save('refused')).rejects.toThrow('no room for this message');
    await expect(
      app.dataSource.transaction(async (manager) => {
        await manager.save(manager.create(Article, { title: 'with it' }));
        await manager.save(manager.create(Article, { title: 'refused' }));
      }),
    ).rejects.toThrow('no room for this message');

    const runner = app.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.manager.save(runner.manager.create(Article, { title: 'refused' }));
    await expect(runner.commitTransaction()).rejects.toThrow('no room for this message');
    await runner.rollbackTransaction();
    expect(runner.isTransactionActive).toBe(false);
    await runner.release();

    for (let at = 0; at < 8; at++) await save('accepted');
    expect(new Set(await arrived(8))).toEqual(new Set(['accepted']));
    expect(new Set(await titles())).toEqual(new Set(['accepted']));
  });

  it('reject a save while the table is missing, and send none of it afterwards', async () => {
    await app.dataSource.query('ALTER TABLE thorn_messages RENAME TO gone');
    await expect(save('lost')).rejects.toThrow('relation "thorn_messages" does not exist');
    await app.dataSource.query('ALTER TABLE gone RENAME TO thorn_messages');
    await save('kept');
    expect(await arrived(1)).toEqual(['kept']);
    expect(await titles()).toEqual(['kept']);
  });

  it('reject a transaction when the lease of its message cannot be stored', async () => {
    const id = randomUUID();
    const taken = app.message({ id: `msg_${id.slice(0, 14)}7${id.slice(15)}` });
    await app.dataSource.query('INSERT INTO thorn_pending_messages (id, due_at) VALUES ($1, $2)', [
      taken.id.slice(4),
      Date.now() + 3_600_000,
    ]);
    await expect(
      app.dataSource.transaction(async (manager) => {
        await manager.insert(Article, { title: 'lost' });
        app.transactions.enlist(taken, manager);
      }),
    ).rejects.toThrow('duplicate key value');
    expect(await titles()).toEqual([]);
    expect(await app.rows('SELECT id FROM thorn_messages')).toEqual([]);
  });

  it('send nothing when the COMMIT itself fails', async () => {
    await app.dataSource.query(
      'ALTER TABLE article ADD CONSTRAINT once UNIQUE (title) DEFERRABLE INITIALLY DEFERRED',
    );
    await save('A');
    await expect(save('A')).rejects.toThrow('once');
    await save('B');
    expect((await arrived(2)).sort()).toEqual(['A', 'B']);
  });

  it('send nothing when a COMMIT that has failed is tried again', async () => {
    await app.dataSource.query(
      'ALTER TABLE article ADD CONSTRAINT once UNIQUE (title) DEFERRABLE INITIALLY DEFERRED',
    );
    await save('A');
    const runner = app.dataSource.createQueryRunner();
    for (const [title, fault] of [
      ['refused', 'no room for this message'],
      ['A', 'once'],
    ] as const) {
      await runner.startTransaction();
      await runner.manager.save(runner.manager.create(Article, { title }));
      await expect(runner.commitTransaction()).rejects.toThrow(fault);
      await expect(runner.commitTransaction()).rejects.toThrow(fault);
      await runner.rollbackTransaction();
    }
    await runner.startTransaction();
    await runner.manager.save(runner.manager.create(Article, { title: 'last' }));
    await runner.commitTransaction();
    await runner.release();
    expect((await arrived(2)).sort()).toEqual(['A', 'last']);
    expect(await titles()).toEqual(['A', 'last']);
  });

  it('send nothing of a transaction that is called off when its messages are ready', async () => {
    const runner = app.dataSource.createQueryRunner();
    const late: EntitySubscriberInterface = {
      beforeTransactionCommit: () => Promise.reject(new Error('called off')),
    };
    app.dataSource.subscribers.push(late);
    await runner.startTransaction();
    await runner.manager.save(runner.manager.create(Article, { title: 'lost' }));
    await expect(runner.commitTransaction()).rejects.toThrow('called off');
    await runner.rollbackTransaction();
    app.dataSource.subscribers.splice(app.dataSource.subscribers.indexOf(late), 1);

    await runner.startTransaction('REPEATABLE READ');
    await runner.manager.save(runner.manager.create(Article, { title: 'kept' }));
    await runner.commitTransaction();
    await runner.release();
    expect(await arrived(1)).toEqual(['kept']);
    expect(await app.rows('SELECT id FROM thorn_messages')).toHaveLength(1);
  });

  it('carry the messages of a runner whose method query others change', async () => {
    const runner = app.dataSource.createQueryRunner();
    const commit = async (title: string) => {
      await runner.startTransaction();
      await runner.manager.save(runner.manager.create(Article, { title }));
      await runner.commitTransaction();
    };
    const query = runner.query.bind(runner);
    // As a library does that watches the statements of one call.
    for (const title of ['first', 'second']) {
      runner.query = (sql: string, ...rest: []) => query(`${sql} /* watched */`, ...rest);
      await commit(title);
      runner.query = query;
    }
    await commit('third');
    await runner.release();
    expect(await app.rows('SELECT id FROM thorn_messages')).toHaveLength(3);
    expect((await arrived(3)).sort()).toEqual(['first', 'second', 'third']);
  });

  /** What the one connection in use has prepared: the tables that it inserts into. */
  const prepared = async () => {
    const rows = await app.rows('SELECT statement FROM pg_prepared_statements');
    const tables = rows.map(({ statement }) => /INSERT INTO \W?(\w+)/.exec(String(statement))?.[1]);
    return tables.sort();
  };
  const both = ['thorn_messages', 'thorn_pending_messages'];

  it('prepare the statements of a message once, and again when they are forgotten', async () => {
    for (const title of ['A', 'B', 'C']) await save(title);
    expect(await prepared()).toEqual(both);
    await app.dataSource.query('DISCARD ALL');
    await save('D');
    expect(await prepared()).toEqual(both);
    await expect(save('refused')).rejects.toThrow('no room for this message');
    for (const title of ['E', 'F']) await save(title);
    expect(await prepared()).toEqual(both);
    expect(await arrived(6)).toHaveLength(6);
    expect(await titles()).toEqual(['A', 'B', 'C', 'D', 'E', 'F']);
  });

  it.each([
    { text: 'DISCARD ALL' },
    { text: 'DISCARD ALL', queryMode: 'extended' },
    { name: 'reset', text: 'DEALLOCATE ALL' },
  ])('prepare them anew after the query $text ($queryMode, $name)', async (forget) => {
    const runner = app.dataSource.createQueryRunner();
    const client = (await runner.connect()) as Client;
    const saveHere = (title: string) =>
      runner.manager.save(runner.manager.create(Article, { title }));
    for (const title of ['A', 'B', 'C']) await saveHere(title);
    await client.query(forget);
    for (const title of ['D', 'E']) await saveHere(title);
    await runner.release();
    expect(await titles()).toEqual(['A', 'B', 'C', 'D', 'E']);
  });

  it('prepare them anew when they are forgotten right behind the COMMIT that prepares', async () => {
    const runner = app.dataSource.createQueryRunner();
    const client = (await runner.connect()) as Client;
    const saveHere = (title: string) =>
      runner.manager.save(runner.manager.create(Article, { title }));
    await saveHere('A');
    let forgot: Promise<unknown> | undefined;
    const hook: EntitySubscriberInterface = {
      beforeQuery: ({ query }) => {
        if (query.endsWith('COMMIT')) {
          setImmediate(() => (forgot = client.query('DISCARD ALL')));
        }
      },
    };
    app.dataSource.subscribers.push(hook);
    await saveHere('B');
    app.dataSource.subscribers.splice(app.dataSource.subscribers.indexOf(hook), 1);
    await forgot;
    for (const title of ['C', 'D']) await saveHere(title);
    await runner.release();
    expect(await titles()).toEqual(['A', 'B', 'C', 'D']);
  });

  it('leave statements of the application alone, whatever it calls them', async () => {
    const runner = app.dataSource.createQueryRunner();
    const client = (await runner.connect()) as Client;
    for (const title of ['A', 'B']) {
      await runner.manager.save(runner.manager.create(Article, { title }));
    }
    const own = { name: 'thorn_1', text: 'SELECT $1::text AS mine', values: ['x'] };
    expect(await client.query(own)).toMatchObject({ rows: [{ mine: 'x' }] });
    await runner.release();
    expect(await prepared()).toEqual(expect.arrayContaining(both));
  });

  it('commit in order when others add a comment to the texts of a runner', async () => {
    const runner = app.dataSource.createQueryRunner();
    await runner.connect();
    const query = runner.query.bind(runner);
    runner.query = (sql: string, ...rest: []) => query(`${sql} /* watched */`, ...rest);
    for (const title of ['A', 'B']) {
      await runner.startTransaction();
      const message = app.message({ data: { title }, orderBy: { key: 'a' } });
      await app.strategy.stage([message], runner.manager);
      await runner.commitTransaction();
      await app.strategy.release([message]);
    }
    await runner.release();
    expect(await arrived(2)).toEqual(['A', 'B']);
  });

  it('go on when the columns of a message get other types', async () => {
    for (const title of ['A', 'B']) await save(title);
    await app.dataSource.query(
      'ALTER TABLE thorn_messages ALTER COLUMN settings TYPE jsonb USING settings::jsonb',
    );
    await expect(save('lost')).rejects.toThrow('is of type jsonb but expression is of type text');
    await save('C');
    expect(await titles()).toEqual(['A', 'B', 'C']);
  });

  it('prepare nothing behind a pooler, which may give each transaction another one', async () => {
    isPooled = true;
    for (const title of ['A', 'B', 'C']) await save(title);
    expect(await prepared()).toEqual([]);
    expect(await titles()).toEqual(['A', 'B', 'C']);
  });

  it('answer what else is asked over them while they carry a COMMIT', async () => {
    const runner = app.dataSource.createQueryRunner();
    const client = (await runner.connect()) as Client;
    let asked: Promise<unknown> | undefined;
    const hook: EntitySubscriberInterface = {
      // The last moment before the COMMIT is given to pg.
      beforeQuery: ({ query }) => {
        if (query.endsWith('COMMIT')) asked = client.query('SELECT 1 AS value');
      },
    };
    app.dataSource.subscribers.push(hook);
    await runner.startTransaction();
    await runner.manager.save(runner.manager.create(Article, { title: 'first' }));
    await runner.commitTransaction();
    app.dataSource.subscribers.splice(app.dataSource.subscribers.indexOf(hook), 1);
    expect(await asked).toMatchObject({ rows: [{ value: 1 }] });
    expect(await runner.query('SELECT 2 AS value')).toEqual([{ value: 2 }]);
    await runner.release();
    expect(await arrived(1)).toEqual(['first']);
    expect(await titles()).toEqual(['first']);
  });

  it.each([
    ['before', (text: string) => `/*dddbs='thorn',ddps='blog'*/ ${text}`],
    ['behind', (text: string) => `${text} /*traceparent='00-0'*/`],
  ])('carry a message when a tracer puts a comment %s each text', async (_, commented) => {
    const runner = app.dataSource.createQueryRunner();
    const client = (await runner.connect()) as Client;
    const query = client.query.bind(client);
    client.query = (text, ...rest) => query(commented(text as string), ...rest);
    await runner.manager.save(runner.manager.create(Article, { title: 'first' }));
    client.query = query;
    await runner.release();
    expect(await arrived(1)).toEqual(['first']);
  });

  it('keep every character of a message, and show none of it to loggers', async () => {
    const texts = [`'); DROP TABLE article; --`, `\\'`, '$1 ? :name', 'ü🌵\u2028', '\u0000', '%'];
    const long = '\\\'"'.repeat(350_000);
    for (const text of [...texts, long]) {
      await app.dataSource.transaction(async (manager) => {
        app.transactions.enlist(app.message({ data: { title: text } }), manager);
      });
    }
    expect(new Set(await arrived(texts.length + 1))).toEqual(new Set([...texts, long]));
    expect(app.log.statements.filter((sql) => sql.includes('DROP TABLE article'))).toEqual([]);
  });

  it('write a message at once within a savepoint, whose failure can be rolled back', async () => {
    const [kept, refused] = ['kept', 'refused'].map((title) => app.message({ data: { title } }));
    await app.dataSource.transaction(async (manager) => {
      const stage = (message: Message) =>
        manager.transaction(async (within) => app.strategy.stage([message], within));
      await stage(kept!);
      expect(await manager.query('SELECT id FROM thorn_messages')).toHaveLength(1);
      await expect(stage(refused!)).rejects.toThrow('no room for this message');
    });
    await app.strategy.release([kept!]);
    expect(await arrived(1)).toEqual(['kept']);
  });

  it('store a message of a known id once', async () => {
    const message = app.message({ id: 'own-id', event: 'own.event', data: { title: 'own' } });
    for (let turn = 0; turn < 2; turn++) {
      await app.dataSource.transaction(async (manager) => {
        app.transactions.enlist(message, manager);
      });
    }
    await save('last');
    expect((await arrived(2)).sort()).toEqual(['last', 'own']);
  });

  it('number messages of one key in the order of their commits', async () => {
    const numbers: (number | null)[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const messages = [1, 2].map((data) => app.message({ data, orderBy: { key: 'a' } }));
      await app.dataSource
        .transaction(async (manager) => {
          await app.strategy.stage(messages, manager);
          if (turn === 1) throw new Error('called off');
        })
        .catch(() => undefined);
      numbers.push(...messages.map(({ sequence }) => sequence));
    }
    expect(numbers).toEqual([1, 2, null, null, 3, 4]);
  });

  it('number messages of one key in their order, however many a transaction has', async () => {
    const keyed = (data: number) => app.message({ data, orderBy: { key: 'a' } });
    // They are staged in pages of a thousand. One number is asked for with the COMMIT, and 18 before.
    const messages = Array.from({ length: 1018 }, (_, at) =>
      at === 0 || at >= 1000 ? keyed(at) : app.message({ data: at }),
    );
    await app.dataSource.transaction(async (manager) => {
      for (const message of messages) app.transactions.enlist(message, manager);
    });
    const numbers = messages.filter(({ key }) => key !== null).map(({ sequence }) => sequence);
    expect(numbers).toEqual(numbers.map((_, at) => at + 1));
  });

  it.each([1, 99])('store messages in the order of their staging: %i, then more', async (count) => {
    const keyed = () => app.message({ data: 1, orderBy: { key: 'a' } });
    const others = Array.from({ length: count - 1 }, () => app.message());
    const pages = [[keyed(), ...others], Array.from({ length: 20 }, keyed), [keyed()]];
    await app.dataSource.transaction(async (manager) => {
      for (const page of pages) await app.strategy.stage(page, manager);
    });
    const numbers = pages.flat().flatMap(({ key, sequence }) => (key === null ? [] : [sequence]));
    expect(numbers).toEqual(numbers.map((_, at) => at + 1));
  });

  it('send exactly what was committed, among failures and rollbacks', async () => {
    const kinds = ['fine', 'refused', 'rolled back', 'within a savepoint'] as const;
    const expected: string[] = [];
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, async (_, at) => {
        const kind = kinds[(at * 7) % 4]!;
        const title = `${kind} ${at}`;
        if (kind === 'fine' || kind === 'within a savepoint') expected.push(title);
        if (kind === 'fine' || kind === 'refused') return save(title);
        return app.dataSource.transaction(async (manager) => {
          await manager.transaction((inner) => inner.save(inner.create(Article, { title })));
          if (kind === 'rolled back') throw new Error('called off');
        });
      }),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
    expect((await arrived(expected.length)).sort()).toEqual(expected.sort());
    expect((await titles()).sort()).toEqual(expected.sort());
  });
});
