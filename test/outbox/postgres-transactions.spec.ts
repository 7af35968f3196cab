import { randomUUID } from 'node:crypto';
import { type EntitySubscriberInterface } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from '../../lib/message/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import {
  Article,
  joined,
  openOutboxApp,
  type OutboxApp,
  subscriber,
} from '../support/apps/outbox-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';

describe('transactions on PostgreSQL', () => {
  let database: TestDatabase;
  let app: OutboxApp;
  let receiver: ScriptedReceiver;

  beforeEach(async () => {
    receiver = await ScriptedReceiver.start();
    database = await createDatabase('postgres');
    app = await openOutboxApp(database);
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

  const save = (title: string) =>
    app.dataSource.manager.save(app.dataSource.manager.create(Article, { title }));
  const titles = async () => {
    const articles = await app.dataSource.manager.find(Article, { order: { id: 'ASC' } });
    return articles.map(({ title }) => title);
  };
  const arrived = async (count: number) => {
    await expect.poll(() => receiver.received.length).toBe(count);
    return receiver.received.map(
      ({ body }) => (JSON.parse(body.toString()) as { data: { title: string } }).data.title,
    );
  };

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
        manager.transaction(async (within) => app.strategy.stage([message], joined(within)));
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
      const committed = app.dataSource.transaction(async (manager) => {
        await app.strategy.stage(messages, joined(manager));
        if (turn === 1) throw new Error('called off');
        numbers.push(...messages.map(({ sequence }) => sequence));
      });
      await committed.catch(() => undefined);
    }
    expect(numbers).toEqual([1, 2, 3, 4]);
  });

  it('number messages of one key in their order, however many a transaction has', async () => {
    const keyed = (data: number) => app.message({ data, orderBy: { key: 'a' } });
    // They are staged in pages of a thousand.
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
      for (const page of pages) await app.strategy.stage(page, joined(manager));
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
