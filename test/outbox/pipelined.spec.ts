import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { Article, openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';

interface Client {
  query(...given: unknown[]): Promise<unknown>;
}

describe('connections of pg with its option pipeline', () => {
  let database: TestDatabase;
  let app: OutboxApp;
  let receiver: ScriptedReceiver;
  let turns: string[];

  beforeEach(async () => {
    receiver = await ScriptedReceiver.start();
    database = await createDatabase('postgres');
    turns = [];
    const { options } = database;
    app = await openOutboxApp(
      { options: { ...options, extra: { pipeline: true, max: 4 } } },
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

  /** Notes when statements are sent, and when they are answered. */
  function watch(pool: EventEmitter): void {
    const watched = new WeakSet<Client>();
    pool.on('acquire', (client: Client) => {
      if (watched.has(client)) return;
      watched.add(client);
      const query = client.query.bind(client);
      client.query = (...given) => {
        const name = /^(?:WITH stored AS|COMMIT)/.exec(String(given[0]))?.[0];
        const answered = query(...given);
        if (name === undefined) return answered;
        turns.push(`${name} sent`);
        return answered.finally(() => turns.push(`${name} answered`));
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

  it('carry the INSERT of a message together with the COMMIT', async () => {
    await save('first');
    expect(await arrived(1)).toEqual(['first']);
    const named = turns.slice(0, 4).map((turn) => turn.replace('WITH stored AS', 'INSERT'));
    expect(named).toEqual(['INSERT sent', 'COMMIT sent', 'INSERT answered', 'COMMIT answered']);
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

    await save('accepted');
    expect(await arrived(1)).toEqual(['accepted']);
    expect(await titles()).toEqual(['accepted']);
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
