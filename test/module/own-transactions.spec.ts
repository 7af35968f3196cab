import { type INestApplication, Injectable, Logger, Module } from '@nestjs/common';
import {
  DataSource,
  type EntityManager,
  EventSubscriber,
  type EntitySubscriberInterface,
  type InsertEvent,
  type QueryRunner,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { outbox, Subscribers, WebhookDispatcher, WebhookEvent } from '../../lib/index.js';
import { Article, loopback, startBlog, User } from '../support/apps/blog.js';
import { createDatabase, type DatabaseKind } from '../support/databases.js';
import { Receiver } from '../support/receiver.js';

@Injectable()
class Orders {
  @WebhookEvent('order.placed')
  async place(): Promise<void> {}

  @WebhookEvent('order.refused', { on: 'error' })
  async refuse(): Promise<void> {
    throw new Undone();
  }
}

@Module({ providers: [Orders] })
class OrdersModule {}

class Undone extends Error {}

const undo = (): never => {
  throw new Undone();
};

async function undone(work: Promise<unknown>): Promise<void> {
  await expect(work).rejects.toBeInstanceOf(Undone);
}

const KINDS = ['memory', 'file', 'postgres', 'mariadb'] as const satisfies DatabaseKind[];

describe.each(KINDS)('a send() within a transaction of the application on %s', (kind) => {
  let app: INestApplication;
  let receiver: Receiver;
  let dataSource: DataSource;
  let dispatcher: WebhookDispatcher;
  let drop: () => Promise<void>;
  const runners: QueryRunner[] = [];
  const warn = vi.spyOn(Logger.prototype, 'warn');
  /** Without those of events that these tests have not declared. */
  const warnings = () =>
    warn.mock.calls.map(([text]) => String(text)).filter((text) => !/is not declared/.test(text));

  beforeAll(async () => {
    const database = await createDatabase(kind);
    drop = database.drop;
    ({ app, dataSource } = await startBlog(
      { ...database.options, synchronize: true },
      { dispatch: outbox(), recipients: loopback },
      [OrdersModule],
    ));
    dispatcher = app.get(WebhookDispatcher);
    receiver = await Receiver.start();
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
  });
  beforeEach(() => {
    receiver.requests.length = 0;
    warn.mockReset().mockImplementation(() => undefined);
  });
  afterAll(async () => {
    for (const runner of runners) await runner.release();
    await app?.close();
    await receiver?.stop();
    await drop();
  });

  /** What has arrived by the time that nothing is under way any more. */
  async function arrived(): Promise<string[]> {
    await dispatcher.send('test.over');
    await vi.waitFor(async () => {
      expect(receiver.events).toContain('test.over');
      for (const table of ['thorn_pending_messages', 'thorn_deliveries']) {
        expect(await dataSource.query(`SELECT id FROM ${table} WHERE due_at IS NOT NULL`)).toEqual(
          [],
        );
      }
    });
    return receiver.events.filter((name) => name !== 'test.over').sort();
  }

  const stored = async (event: string, manager: EntityManager = dataSource.manager) => {
    const rows = `SELECT id FROM thorn_messages WHERE event = '${event}'`;
    return (await manager.query<unknown[]>(rows)).length;
  };

  const oneByOne = async (send: () => Promise<unknown>) => {
    for (let n = 0; n < 2000; n++) await send();
  };
  it.each<[string, (of: Article) => Promise<unknown>]>([
    ['one after the other', () => oneByOne(() => dispatcher.send('test.many'))],
    [
      'at once',
      () => Promise.all(Array.from({ length: 2000 }, () => dispatcher.send('test.many'))),
    ],
    ['of an entity', (of) => oneByOne(() => dispatcher.sendFor(of, 'article.created'))],
  ])('leaves the event loop its turns among many, %s', async (_, sendMany) => {
    let turns = 0;
    let next = setImmediate(function count() {
      turns++;
      next = setImmediate(count);
    });
    const work = dataSource.transaction(async (manager) => {
      const article = await manager.save(Object.assign(new Article(), { title: 'many' }));
      turns = 0;
      await sendMany(article);
      expect(turns).toBeGreaterThanOrEqual(3);
      undo();
    });

    await undone(work);
    clearImmediate(next);
  });

  /** Each leaves behind the manager of a transaction that has ended. */
  const ends: Record<string, () => Promise<EntityManager>> = {
    'was rolled back': async () => {
      let late: EntityManager | undefined;
      await undone(
        dataSource.transaction(async (manager) => {
          late = manager;
          await manager.save(User, { name: 'late' });
          undo();
        }),
      );
      return late!;
    },
    'was committed': () => dataSource.transaction((manager) => Promise.resolve(manager)),
    'held a savepoint, whose manager it is': async () => {
      let late: EntityManager | undefined;
      await undone(
        dataSource.transaction(async (manager) => {
          // On SQLite, the query runner gets another manager by each of them.
          await dataSource.query('SELECT 1');
          await manager.transaction((inner) => Promise.resolve((late = inner)));
          await dataSource.query('SELECT 1');
          undo();
        }),
      );
      return late!;
    },
    'was rolled back by its query runner': () => byHand((runner) => runner.rollbackTransaction()),
    'was committed by its query runner': () => byHand((runner) => runner.commitTransaction()),
    'was that of a save': async () => {
      let late: EntityManager | undefined;
      const keep = { afterInsert: ({ manager }: InsertEvent<User>) => void (late = manager) };
      dataSource.subscribers.push(keep);
      await dataSource.manager.save(User, { name: 'late' });
      dataSource.subscribers.splice(dataSource.subscribers.indexOf(keep), 1);
      return late!;
    },
  };

  async function byHand(end: (runner: QueryRunner) => Promise<void>): Promise<EntityManager> {
    const runner = dataSource.createQueryRunner();
    runners.push(runner);
    await runner.startTransaction();
    await end(runner);
    return runner.manager;
  }

  it.each(Object.keys(ends))(
    'is refused with the manager of a transaction that %s',
    async (end) => {
      const late = await ends[end]!();
      const refused = async () => {
        const sent = dispatcher.send('order.late', {}, { manager: late });
        await expect(sent).rejects.toMatchObject({ code: 'THORN_TRANSACTION_ENDED' });
      };
      await refused();
      // Another one is open meanwhile, on SQLite on the same connection.
      await dataSource.transaction(async (manager) => {
        await refused();
        await manager.save(User, { name: 'meanwhile' });
        await refused();
      });
      const keep = { afterInsert: refused };
      dataSource.subscribers.push(keep);
      await dataSource.manager.save(User, { name: 'meanwhile' });
      dataSource.subscribers.splice(dataSource.subscribers.indexOf(keep), 1);
      await refused();
      expect(await arrived()).toEqual([]);
    },
  );

  it('belongs to the next transaction of a query runner', async () => {
    const { queryRunner: runner } = await ends['was rolled back by its query runner']!();
    await runner!.startTransaction();
    const sent = await dispatcher.send('order.next', {}, { manager: runner!.manager });
    expect(sent.state).toBe('staged');
    await runner!.commitTransaction();
    expect(await arrived()).toEqual(['order.next']);
  });

  it('is sent at once with a manager that was in no transaction', async () => {
    const runner = dataSource.createQueryRunner();
    runners.push(runner);
    for (const { manager } of [dataSource, runner]) {
      const sent = await dispatcher.send('order.alone', {}, { manager, wait: false });
      expect(sent.state).toBe('accepted');
    }
    expect(await arrived()).toEqual(['order.alone', 'order.alone']);
  });

  it('is sent after the commit, and never after a rollback', async () => {
    await dataSource.transaction(async (manager) => {
      await manager.save(User, { name: 'ada' });
      await expect(dispatcher.send('a.kept')).resolves.toMatchObject({ state: 'staged' });
      expect(await stored('a.kept', manager)).toBe(0);
    });
    await undone(
      dataSource.transaction(async (manager) => {
        await manager.save(User, { name: 'bob' });
        await dispatcher.send('a.dropped', {}, { wait: false });
        undo();
      }),
    );
    expect(await arrived()).toEqual(['a.kept']);
    expect([await stored('a.kept'), await stored('a.dropped')]).toEqual([1, 0]);
    expect(warnings()).toEqual([]);
  });

  it('belongs to the savepoint that it is in', async () => {
    await dataSource.transaction(async (manager) => {
      await dispatcher.send('b.outer');
      await undone(
        manager.transaction(async () => {
          await dispatcher.send('b.inner-dropped');
          undo();
        }),
      );
      await manager.transaction(() => dispatcher.send('b.inner-kept'));
      await dispatcher.send('b.outer-again');
    });
    await undone(
      dataSource.transaction(async (manager) => {
        await manager.transaction(() => dispatcher.send('b.inner-kept-outer-dropped'));
        undo();
      }),
    );
    expect(await arrived()).toEqual(['b.inner-kept', 'b.outer', 'b.outer-again']);
  });

  it('does not mix transactions that run at the same time', async () => {
    const run = (name: string, commits: boolean) =>
      dataSource.transaction(async (manager) => {
        await dispatcher.send(`c.${name}`);
        await manager.save(User, { name });
        if (!commits) undo();
      });
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    await Promise.allSettled(names.map((name, at) => run(name, at % 2 === 0)));
    expect(await arrived()).toEqual(['c.a', 'c.c', 'c.e']);
  });

  it('is sent at once by work that outlives its transaction', async () => {
    let goOn!: () => void;
    const over = new Promise<void>((resolve) => (goOn = resolve));
    let late!: Promise<unknown>;
    await undone(
      dataSource.transaction(async () => {
        late = over.then(() => dispatcher.send('d.late', {}, { wait: false }));
        undo();
      }),
    );
    goOn();
    await expect(late).resolves.toMatchObject({ state: 'accepted' });
    expect(await arrived()).toEqual(['d.late']);
  });

  it('belongs to no transaction with manager: null', async () => {
    await undone(
      dataSource.transaction(async () => {
        const sent = await dispatcher.send('e.anyway', {}, { manager: null, wait: false });
        expect(sent.state).toBe('accepted');
        undo();
      }),
    );
    expect(await arrived()).toEqual(['e.anyway']);
  });

  it('reads with sendFor() what the transaction has written', async () => {
    const user = await dataSource.manager.save(User, { name: 'before' });
    await dataSource.transaction(async (manager) => {
      const { id } = await manager.save(Article, { title: 'Unseen', author: user });
      const summary = await dispatcher.sendFor(Article, { where: { id } }, 'article.changed');
      expect(summary).toEqual({ rows: 1, sent: 1 });
      const article = await manager.findOneByOrFail(Article, { id });
      const sent = await dispatcher.sendFor(article, 'article.changed');
      expect(sent).toMatchObject({ state: 'staged' });
    });
    expect(await arrived()).toEqual(['article.changed', 'article.changed', 'article.created']);
    expect(receiver.json().data).toMatchObject({ title: 'Unseen' });
  });

  it('holds for events of methods, but for those of errors', async () => {
    const orders = app.get(Orders);
    await undone(
      dataSource.transaction(async () => {
        await orders.place();
        await orders.refuse();
      }),
    );
    await dataSource.transaction(() => orders.place());
    expect(await arrived()).toEqual(['order.placed', 'order.refused']);
  });

  it('is refused in a transaction that was begun by hand', async () => {
    const runner = dataSource.createQueryRunner();
    const { manager } = runner;
    try {
      await runner.query('BEGIN');
      await expect(dispatcher.send('g.refused', {}, { manager })).rejects.toMatchObject({
        code: 'THORN_TRANSACTION_BY_HAND',
        message: expect.stringMatching(
          /^g\.refused was sent in a transaction that was begun by query\('BEGIN'\).*dataSource\.transaction\(\)/,
        ) as unknown,
      });
      await runner.query('ROLLBACK');
      expect(await dispatcher.send('g.sent', {}, { manager })).toMatchObject({ state: 'accepted' });
    } finally {
      await runner.release();
    }
    expect(await arrived()).toEqual(['g.sent']);
  });

  it('cannot be told of startTransaction(): a warning says so once and names manager', async () => {
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    const sending: Promise<unknown>[] = [];
    try {
      sending.push(dispatcher.send('g.anyway', {}, { manager: null, wait: false }));
      await dispatcher.send('g.dropped', {}, { manager: runner.manager });
      expect(warnings()).toEqual([]);
      for (let n = 0; n < 2; n++) sending.push(dispatcher.send('g.unknown', {}, { wait: false }));
      await expect
        .poll(warnings)
        .toEqual([
          expect.stringMatching(/startTransaction\(\).*\{ manager: queryRunner\.manager \}/),
        ]);
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
    // On SQLite they wait until then.
    await Promise.all(sending);
    warn.mockClear();
    expect(await arrived()).toEqual(['g.anyway', 'g.unknown', 'g.unknown']);
    expect(warnings()).toEqual([]);
  });

  it('belongs to a save() by the manager that its hooks are given', async () => {
    @EventSubscriber()
    class Announcer implements EntitySubscriberInterface<User> {
      listenTo() {
        return User;
      }

      async afterInsert({ entity, manager }: InsertEvent<User>): Promise<void> {
        await dispatcher.send(`f.${entity.name}`, {}, { manager });
        await dispatcher.send(`f.${entity.name}-alone`, {}, { wait: false });
        if (entity.name === 'dropped') undo();
      }
    }
    const announcer = new Announcer();
    dataSource.subscribers.push(announcer);
    try {
      await undone(dataSource.manager.save(User, { name: 'dropped' }));
      await dataSource.manager.save(User, { name: 'kept' });
    } finally {
      dataSource.subscribers.splice(dataSource.subscribers.indexOf(announcer), 1);
    }
    expect(await arrived()).toEqual(['f.dropped-alone', 'f.kept', 'f.kept-alone']);
  });

  // A server is waited for, so that other work goes on anyway.
  if (kind !== 'file') return;

  it('lets other work go on beside 2,000 of them, and beside their commit', async () => {
    let turns = 0;
    let counting = setImmediate(function count() {
      turns += 1;
      counting = setImmediate(count);
    });
    const sent = await dataSource.transaction(async (manager) => {
      for (let n = 0; n < 2000; n++) await dispatcher.send('a.flood', { n }, { manager });
      return turns;
    });
    clearImmediate(counting);
    expect(sent).toBeGreaterThanOrEqual(4);
    expect(turns - sent).toBeGreaterThanOrEqual(1);
    await arrived();
  });
});
