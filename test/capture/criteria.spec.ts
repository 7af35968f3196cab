import { Logger } from '@nestjs/common';
import {
  ChildEntity,
  Column,
  DeleteDateColumn,
  Entity,
  type EntityManager,
  In,
  ManyToOne,
  MoreThan,
  OneToMany,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
  TableInheritance,
  UpdateDateColumn,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';

@Entity()
class Author {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @OneToMany(() => Article, (article) => article.author) articles!: Relation<Article>[];
}

class Counters {
  @Column({ default: 0 }) likes!: number;
}

@Entity()
@Webhooks<Article>({ payload: ({ id, title, views }) => ({ id, title, views }) })
@WebhookEvent<Article>('article.created', { on: 'create' })
@WebhookEvent<Article>('article.changed', { on: 'change' })
@WebhookEvent<Article>('article.removed', { on: 'delete' })
class Article {
  @PrimaryColumn() id!: number;
  @Column() title!: string;
  @Column({ default: 0 }) views!: number;
  @Column({ type: 'varchar', nullable: true, unique: true }) slug!: string | null;
  @Column(() => Counters) counters!: Counters;
  @ManyToOne(() => Author, (author) => author.articles, { nullable: true })
  author!: Relation<Author> | null;
  @DeleteDateColumn() deletedAt!: Date | null;
}

@Entity()
@WebhookEvent<Post>('post.published', {
  on: 'change',
  when: { state: { nowEq: 'PUBLISHED' } },
  owner: 'author.name',
  payload: ({ id, author }, { before }) => ({
    id,
    by: author?.name,
    from: before?.state,
    was: before?.author?.name,
  }),
})
@WebhookEvent<Post>('post.handed.over', {
  on: 'change',
  when: { author: { name: { nowEq: 'Bob' } } },
  payload: ({ id }) => ({ id }),
})
@WebhookEvent<Post>('post.removed', {
  on: 'delete',
  payload: ({ id, secret, author }) => ({ id, secret, by: author?.name }),
  ref: '/posts/{secret}',
  owner: 'author.name',
})
class Post {
  @PrimaryColumn() id!: number;
  @Column({ default: 'DRAFT' }) state!: string;
  @Column({ select: false, default: 'none' }) secret!: string;
  @ManyToOne(() => Author, { nullable: true }) author!: Relation<Author> | null;
  @UpdateDateColumn() updatedAt!: Date;
}

@Entity()
class Silent {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: 0 }) value!: number;
  @DeleteDateColumn() deletedAt!: Date | null;
}

@Entity()
@WebhookEvent<Born>('born.created', { on: 'create' })
class Born {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: 0 }) value!: number;
  @DeleteDateColumn() deletedAt!: Date | null;
}

@Entity()
@WebhookEvent<Stock>('stock.changed', {
  on: 'change',
  payload: ({ shop, sku, amount }) => ({ shop, sku, amount }),
})
@WebhookEvent<Stock>('stock.removed', { on: 'delete', payload: ({ shop, sku }) => ({ shop, sku }) })
@WebhookEvent<Stock>('stock.created', { on: 'create', payload: ({ shop, sku }) => ({ shop, sku }) })
class Stock {
  @PrimaryColumn({
    transformer: {
      to: (shop?: string) => (typeof shop === 'string' ? `shop ${shop}` : shop),
      from: (stored: string) => stored.slice(5),
    },
  })
  shop!: string;
  @PrimaryColumn({ name: 'article_no' }) sku!: number;
  @Column({ name: 'in_stock' }) amount!: number;
}

@Entity()
@TableInheritance({ column: { type: 'varchar', name: 'kind' } })
class Vehicle {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: 0 }) speed!: number;
}

@ChildEntity()
@WebhookEvent<Car>('car.changed', { on: 'change', payload: ({ speed }) => ({ speed }) })
@WebhookEvent<Car>('car.removed', { on: 'delete', payload: ({ doors }) => ({ doors }) })
class Car extends Vehicle {
  @Column() doors!: number;
}

@ChildEntity()
class Bike extends Vehicle {}

@Entity()
@Webhooks<Label>({ payload: ({ name, color }) => ({ name, color }) })
@WebhookEvent<Label>('label.created', { on: 'create' })
@WebhookEvent<Label>('label.changed', { on: 'change' })
class Label {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ unique: true }) name!: string;
  @Column({ type: 'varchar', nullable: true }) color!: string | null;
  @ManyToOne(() => Author, { nullable: true }) author!: Relation<Author> | null;
}

/** Its table loses a column that the entity has. */
@Entity()
@WebhookEvent<Torn>('torn.changed', { on: 'change' })
@WebhookEvent<Torn>('torn.removed', { on: 'delete' })
class Torn {
  @PrimaryColumn() id!: number;
  @Column({ default: 0 }) value!: number;
  @Column({ default: '' }) note!: string;
}

const ENTITIES = [Torn, Label, Author, Article, Post, Silent, Born, Stock, Vehicle, Car, Bike];

const byName = (manager: EntityManager) =>
  manager.createQueryBuilder(Author, 'author').select('author.id').where('author.name = :name');

/** Each is given the manager, and writes articles 1 and 2, of which the first has the title One and no views. */
const WRITES: readonly [string, (manager: EntityManager) => Promise<unknown>, string[]][] = [
  [
    'update(id)',
    (manager) => manager.update(Article, 1, { title: 'New' }),
    ['changed {"id":1,"title":"New","views":0}'],
  ],
  [
    'update(ids)',
    (manager) => manager.getRepository(Article).update([1, 2], { views: 7 }),
    ['changed {"id":1,"title":"One","views":7}', 'changed {"id":2,"title":"Two","views":7}'],
  ],
  [
    'update(criteria)',
    (manager) => manager.update(Article, { title: In(['One', 'Three']) }, { title: 'New' }),
    ['changed {"id":1,"title":"New","views":0}'],
  ],
  [
    'update() of the whole object, its id included',
    (manager) => manager.update(Article, { id: 1 }, { id: 1, title: 'New', views: 0 }),
    ['changed {"id":1,"title":"New","views":0}'],
  ],
  [
    'update(relation)',
    (manager) => manager.update(Article, { author: { id: 1 } }, { views: 3 }),
    ['changed {"id":1,"title":"One","views":3}'],
  ],
  [
    'update() of a relation',
    (manager) => manager.update(Article, { id: In([1, 2]) }, { author: { id: 1 } }),
    ['changed {"id":2,"title":"Two","views":0}'],
  ],
  [
    'increment()',
    (manager) => manager.increment(Article, { id: 1 }, 'views', 2),
    ['changed {"id":1,"title":"One","views":2}'],
  ],
  [
    'decrement() of an embedded column',
    (manager) => manager.decrement(Article, { id: 2 }, 'counters.likes', 2),
    ['changed {"id":2,"title":"Two","views":0}'],
  ],
  [
    'update() with an expression',
    (manager) => manager.update(Article, { id: MoreThan(0) }, { title: () => `'One'` }),
    ['changed {"id":2,"title":"One","views":0}'],
  ],
  [
    "a query builder's update",
    (manager) =>
      manager
        .createQueryBuilder()
        .update(Article)
        .set({ views: () => 'views + 1' })
        .where('title = :title', { title: 'One' })
        .orWhere('views > :views', { views: 100 })
        .execute(),
    ['changed {"id":1,"title":"One","views":1}'],
  ],
  [
    "a query builder's update with a subquery",
    (manager) =>
      manager
        .createQueryBuilder()
        .update(Article)
        .set({ views: 5 })
        .where(`author IN (${byName(manager).getQuery()})`)
        .setParameter('name', 'Ada')
        .execute(),
    ['changed {"id":1,"title":"One","views":5}'],
  ],
  [
    'relation().set()',
    (manager) => manager.createQueryBuilder().relation(Article, 'author').of(2).set(1),
    ['changed {"id":2,"title":"Two","views":0}'],
  ],
  [
    'relation().remove() of a one-to-many relation',
    (manager) => manager.createQueryBuilder().relation(Author, 'articles').of(1).remove(1),
    ['changed {"id":1,"title":"One","views":0}'],
  ],
  [
    'delete(id)',
    (manager) => manager.delete(Article, 1),
    ['removed {"id":1,"title":"One","views":0}'],
  ],
  [
    'delete(criteria)',
    (manager) => manager.getRepository(Article).delete({ title: In(['One', 'Two']) }),
    ['removed {"id":1,"title":"One","views":0}', 'removed {"id":2,"title":"Two","views":0}'],
  ],
  [
    "a query builder's delete",
    (manager) =>
      manager
        .createQueryBuilder()
        .delete()
        .from(Article)
        .where('article.title = :title', { title: 'Two' })
        .execute(),
    ['removed {"id":2,"title":"Two","views":0}'],
  ],
  [
    "a query builder's delete of every row",
    (manager) => manager.createQueryBuilder().delete().from(Article).execute(),
    ['removed {"id":1,"title":"One","views":0}', 'removed {"id":2,"title":"Two","views":0}'],
  ],
  [
    'softDelete(id)',
    (manager) => manager.getRepository(Article).softDelete(2),
    ['removed {"id":2,"title":"Two","views":0}'],
  ],
  [
    'softDelete(criteria)',
    (manager) => manager.softDelete(Article, [{ title: 'One' }, { title: 'Two' }]),
    ['removed {"id":1,"title":"One","views":0}', 'removed {"id":2,"title":"Two","views":0}'],
  ],
  [
    'softDelete() and restore()',
    async (manager) => {
      await manager.softDelete(Article, { id: 1 });
      await manager.createQueryBuilder().restore().from(Article).where({ id: 1 }).execute();
      await manager.restore(Article, { id: 1 });
    },
    ['removed {"id":1,"title":"One","views":0}', 'created {"id":1,"title":"One","views":0}'],
  ],
  [
    'insert()',
    (manager) => manager.insert(Article, [{ id: 3, title: 'Three', views: 1 }]),
    ['created {"id":3,"title":"Three","views":1}'],
  ],
  [
    'upsert()',
    (manager) =>
      manager.upsert(
        Article,
        [
          { id: 1, title: 'New', slug: 'one' },
          { id: 2, title: 'Two', slug: 'two' },
          { id: 6, title: 'Six', slug: 'six' },
        ],
        ['slug'],
      ),
    ['created {"id":6,"title":"Six","views":0}', 'changed {"id":1,"title":"New","views":0}'],
  ],
  [
    'upsert() by the id',
    (manager) =>
      manager.getRepository(Article).upsert(
        [
          { id: 1, title: 'New', author: null },
          { id: 6, title: 'Six' },
        ],
        ['id'],
      ),
    ['created {"id":6,"title":"Six","views":0}', 'changed {"id":1,"title":"New","views":0}'],
  ],
  [
    'orIgnore()',
    (manager) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(Article)
        .values([
          { title: 'New', slug: 'one', id: 7 },
          { title: 'Six', slug: 'six', id: 6 },
        ])
        .orIgnore()
        .execute(),
    ['created {"id":6,"title":"Six","views":0}'],
  ],
];

describe.each(CAPTURE_DATABASES)('writes by criteria on %s', (kind) => {
  let rig: CaptureApp;
  const warn = vi.spyOn(Logger.prototype, 'warn');
  const manager = () => rig.dataSource.manager;

  beforeAll(async () => {
    rig = await openCaptureApp(kind, ENTITIES);
    await manager().insert(Author, [{ name: 'Ada' }, { name: 'Bob' }]);
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    warn.mockReset().mockImplementation(() => undefined);
    for (const entity of [Label, Article, Post, Silent, Born, Stock, Vehicle]) {
      await manager().createQueryBuilder().delete().from(entity).callListeners(false).execute();
    }
    await manager()
      .createQueryBuilder()
      .insert()
      .into(Article)
      .values([
        { id: 1, title: 'One', slug: 'one', author: { id: 1 } },
        { id: 2, title: 'Two', slug: 'two' },
      ])
      .callListeners(false)
      .execute();
    rig.received();
    rig.queries();
    rig.strategy.stagedBy.length = 0;
    warn.mockClear();
  });

  const stored = (entity: new () => object, rows: object[]) =>
    manager()
      .createQueryBuilder()
      .insert()
      .into(entity)
      .values(rows)
      .callListeners(false)
      .execute();

  /** Resolves when a statement waits for the lock of another transaction, on PostgreSQL. */
  const someoneWaits = () =>
    vi.waitFor(async () => {
      const waiting: unknown[] = await rig.dataSource.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(waiting).toHaveLength(1);
    });

  describe.each(WRITES)('%s', (_, write, expected) => {
    const events = expected.map((text) => `article.${text}`).sort();

    it('sends the events of the rows that it changed', async () => {
      await write(manager());
      expect(rig.received().sort()).toEqual(events);
      expect(rig.strategy.stagedBy.every((by) => by !== undefined)).toBe(true);
      expect(warn).not.toHaveBeenCalled();
    });

    it('belongs to the transaction that it is made in', async () => {
      const undone = rig.dataSource.transaction(async (inner) => {
        await write(inner);
        throw new Error('no');
      });
      await expect(undone).rejects.toThrow('no');
      expect(rig.received()).toEqual([]);

      await rig.dataSource.transaction(async (outer) => {
        await outer.transaction((inner) => write(inner));
        expect(rig.received()).toEqual([]);
      });
      // Removed and restored in one transaction, a row has not changed.
      const net = events.length === 2 && events[0]!.includes('created {"id":1,');
      expect(rig.received().sort()).toEqual(net ? [] : events);
    });

    it('is undone when its messages cannot be staged', async () => {
      const before = await manager().find(Article, { withDeleted: true, order: { id: 'ASC' } });
      rig.strategy.failure = new Error('disk full');
      try {
        await expect(write(manager())).rejects.toThrow('disk full');
      } finally {
        rig.strategy.failure = undefined;
      }
      expect(await manager().find(Article, { withDeleted: true, order: { id: 'ASC' } })).toEqual(
        before,
      );
    });
  });

  it('makes both of two writes that one query builder begins at once', async () => {
    const manager = rig.dataSource.manager;
    const update = manager
      .createQueryBuilder()
      .update(Article)
      .set({ views: () => 'views + 1' })
      .where('id < 3');
    await Promise.all([update.execute(), update.execute()]);
    expect(rig.received().sort()).toEqual([
      'article.changed {"id":1,"title":"One","views":1}',
      'article.changed {"id":1,"title":"One","views":2}',
      'article.changed {"id":2,"title":"Two","views":1}',
      'article.changed {"id":2,"title":"Two","views":2}',
    ]);
    const deletion = manager.createQueryBuilder().delete().from(Article).where('id < 3');
    await Promise.all([deletion.execute(), deletion.execute()]);
    expect(await manager.count(Article)).toBe(0);
    expect(rig.received().sort()).toEqual([
      'article.removed {"id":1,"title":"One","views":2}',
      'article.removed {"id":2,"title":"Two","views":2}',
    ]);
    const insertion = manager.createQueryBuilder().insert().into(Article);
    insertion.values({ id: 5, title: 'Five' });
    const twice = await Promise.allSettled([insertion.execute(), insertion.execute()]);
    expect(twice.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(rig.received()).toEqual(['article.created {"id":5,"title":"Five","views":0}']);
    expect(insertion.getQuery()).not.toMatch(/thorn/);
  });

  it('sends nothing with callListeners(false) or of rows that it leaves as they were', async () => {
    await manager()
      .createQueryBuilder()
      .update(Article)
      .set({ views: 1 })
      .callListeners(false)
      .execute();
    await manager().update(Article, { id: 1 }, { title: 'One', author: { id: 1 } });
    await manager().update(Article, { id: 1 }, { title: () => 'title' });
    await manager().update(Article, { id: 99 }, { title: 'None' });
    await manager().upsert(Article, { id: 1, title: 'One', slug: 'one' }, ['id']);
    await manager().delete(Article, { id: 99 });
    expect(rig.received()).toEqual([]);
  });

  it('counts the changes of one transaction once, with those of save()', async () => {
    await rig.dataSource.transaction(async (inner) => {
      const article = await inner.save(Article, { id: 3, title: 'Three' });
      await inner.update(Article, article.id, { views: 1 });
      await inner.increment(Article, { id: article.id }, 'views', 1);
      await inner.update(Article, 1, { title: 'New' });
      await inner.save(Article, { id: 1, title: 'One' });
      await inner.softDelete(Article, 2);
      await inner.delete(Article, 2);
      rig.bodies();
    });
    expect(rig.received()).toEqual([
      expect.stringMatching(/^article\.created .*"title":"Three","views":2/),
      'article.removed {"id":2,"title":"Two","views":0}',
    ]);
  });

  it('knows conditions, relations, owners and hidden columns', async () => {
    await stored(Post, [
      { id: 1, author: { id: 1 }, secret: 'x' },
      { id: 2, author: { id: 1 }, state: 'PUBLISHED' },
    ]);
    await manager().update(Post, { author: { id: 1 } }, { state: 'PUBLISHED' });
    expect(rig.bodies()).toMatchObject([
      {
        type: 'post.published',
        owner: 'Ada',
        data: { id: 1, by: 'Ada', from: 'DRAFT', was: 'Ada' },
      },
    ]);

    await manager().update(Post, { id: 1 }, { author: { id: 2 } });
    await manager().update(Post, { id: 1 }, { author: { id: 2 } });
    expect(rig.received()).toEqual(['post.handed.over {"id":1}']);

    await manager().delete(Post, [1, 2]);
    expect(rig.bodies()).toMatchObject([
      { type: 'post.removed', owner: 'Bob', ref: '/posts/x', data: { id: 1, by: 'Bob' } },
      { type: 'post.removed', owner: 'Ada', ref: '/posts/none', data: { id: 2, by: 'Ada' } },
    ]);
  });

  it('knows composite ids and columns of other names', async () => {
    await stored(Stock, [
      { shop: 'a', sku: 1, amount: 1 },
      { shop: 'a', sku: 2, amount: 2 },
    ]);
    await manager().update(Stock, { shop: 'a', amount: MoreThan(1) }, { amount: 5 });
    await manager().delete(Stock, [
      { shop: 'a', sku: 1 },
      { shop: 'a', sku: 2 },
    ]);
    expect(rig.received()).toEqual([
      'stock.changed {"shop":"a","sku":2,"amount":5}',
      'stock.removed {"shop":"a","sku":1}',
      'stock.removed {"shop":"a","sku":2}',
    ]);
  });

  it('tells created from changed rows of an upsert by another column than their generated id', async () => {
    const labels = () => manager().getRepository(Label);
    await labels().upsert([{ name: 'a' }, { name: 'b', color: 'red' }], ['name']);
    expect(rig.received().sort()).toEqual([
      'label.created {"name":"a","color":null}',
      'label.created {"name":"b","color":"red"}',
    ]);
    await labels().upsert({ name: 'b', color: 'red', author: null }, ['name']);
    expect(rig.received()).toEqual([]);
    await labels().upsert({ name: 'b', color: 'red', author: { id: 1 } }, ['name']);
    await labels().upsert([{ name: 'c' }, { name: 'b', color: 'blue' }], ['name']);
    expect(rig.received()).toEqual([
      'label.changed {"name":"b","color":"red"}',
      expect.stringMatching(/label\.(?:created|changed)/),
      expect.stringMatching(/label\.(?:created|changed)/),
    ]);
    await labels()
      .createQueryBuilder()
      .insert()
      .values({ name: 'c', color: 'x' })
      .orIgnore()
      .execute();
    await labels()
      .createQueryBuilder()
      .insert()
      .values([{ name: 'd' }, { name: 'c', color: 'green' }])
      .orUpdate(['color'], ['name'])
      .execute();
    expect(rig.received().sort()).toEqual([
      'label.changed {"name":"c","color":"green"}',
      'label.created {"name":"d","color":null}',
    ]);
  });

  it('refuses an upsert whose row another transaction has inserted meanwhile', async () => {
    if (kind !== 'postgres') return;
    const other = rig.dataSource.createQueryRunner();
    await other.startTransaction();
    await other.manager.insert(Label, { name: 'raced' });
    const upsert = manager().upsert(Label, { name: 'raced', color: 'red' }, ['name']);
    await someoneWaits();
    await other.commitTransaction();
    await other.release();
    await expect(upsert).rejects.toMatchObject({
      code: 'THORN_WRITE_UNCLEAR',
      message: expect.stringMatching(/^Label: another transaction .*Repeat the transaction/),
    });
    expect(await manager().findOneBy(Label, { name: 'raced' })).toMatchObject({ color: null });
    expect(rig.received()).toEqual(['label.created {"name":"raced","color":null}']);
    await manager().upsert(Label, { name: 'raced', color: 'red' }, ['name']);
    expect(rig.received()).toEqual(['label.changed {"name":"raced","color":"red"}']);
  });

  it('writes no row that others have inserted since it has read those that match', async () => {
    if (kind !== 'postgres') return;
    await stored(Stock, [{ shop: 'a', sku: 1, amount: 1 }]);
    const other = rig.dataSource.createQueryRunner();
    await other.startTransaction();
    await other.manager.update(Stock, { sku: 1 }, { amount: 2 });
    const update = manager().update(Stock, { shop: 'a' }, { amount: 5 });
    await someoneWaits();
    await other.manager.insert(Stock, { shop: 'a', sku: 2, amount: 1 });
    await other.commitTransaction();
    await other.release();
    await update;
    const rows = await manager().find(Stock, { order: { sku: 'ASC' } });
    expect(rows.map(({ amount }) => amount)).toEqual([5, 1]);
    // Two commits on two connections: which of them is told first is not said.
    expect(rig.received().sort()).toEqual([
      'stock.changed {"shop":"a","sku":1,"amount":2}',
      'stock.changed {"shop":"a","sku":1,"amount":5}',
      'stock.created {"shop":"a","sku":2}',
    ]);
  });

  it('knows the rows of subclasses in the table of their base', async () => {
    await manager().save(Object.assign(new Car(), { doors: 3 }));
    await manager().save(new Bike());
    await manager().update(Vehicle, { speed: 0 }, { speed: 10 });
    await manager().delete(Vehicle, { speed: 10 });
    expect(rig.received()).toEqual(['car.changed {"speed":10}', 'car.removed {"doors":3}']);
  });

  it('runs no further statement for entities without an event that the write concerns', async () => {
    const statements = async (write: (entity: typeof Born) => Promise<unknown>) => {
      const counts: number[] = [];
      for (const entity of [Silent, Born]) {
        rig.queries();
        await write(entity);
        counts.push(rig.queries().length);
      }
      return counts;
    };
    expect(await statements((entity) => manager().update(entity, 1, { value: 2 }))).toEqual([1, 1]);
    expect(await statements((entity) => manager().delete(entity, 1))).toEqual([1, 1]);
    expect(await statements((entity) => manager().softDelete(entity, 1))).toEqual([1, 1]);
    expect((await statements((entity) => manager().restore(entity, 1)))[0]).toBe(1);
    expect((await statements((entity) => manager().insert(entity, { value: 7 })))[0]).toBe(
      kind === 'sqlite' ? 2 : 1,
    );
  });

  it('drops the event of a row that its transaction has made and deleted', async () => {
    await rig.dataSource.transaction(async (inner) => {
      const { id } = await inner.save(Object.assign(new Born(), { value: 1 }));
      await inner.delete(Born, { id });
      const { identifiers } = await inner.insert(Born, { value: 2 });
      await inner.softDelete(Born, identifiers[0]!);
    });
    expect(rig.received()).toEqual([]);
  });

  it('reads the row before a write by its id, and once more before the commit', async () => {
    await stored(Stock, [{ shop: 'a', sku: 1, amount: 1 }]);
    rig.queries();
    await manager().update(Stock, { shop: 'a', sku: 1 }, { amount: 2 });
    const statements = rig.queries().filter((sql) => /SELECT|UPDATE/.test(sql));
    expect(statements).toEqual([
      expect.stringMatching(kind === 'sqlite' ? /^SELECT/ : /^SELECT.* FOR /),
      expect.stringMatching(/^UPDATE/),
      expect.stringMatching(/^SELECT/),
    ]);
    expect(rig.received()).toEqual(['stock.changed {"shop":"a","sku":1,"amount":2}']);
  });

  it('fails as TypeORM does before anything is read, and changes nothing', async () => {
    rig.queries();
    await expect(manager().update(Article, { id: 1 }, { nothing: 1 } as object)).rejects.toThrow(
      /"nothing" was not found/,
    );
    await expect(manager().softDelete(Stock, { sku: 1 })).rejects.toThrow(/delete date/i);
    expect(rig.queries()).toEqual([]);
    await expect(
      manager().createQueryBuilder().delete().from(Article).where('nothing = 1').execute(),
    ).rejects.toThrow(/nothing/);
    expect(await manager().count(Article)).toBe(2);
    expect(rig.received()).toEqual([]);
  });

  it('makes no write whose rows cannot be read, and says why', async () => {
    const error = vi.spyOn(Logger.prototype, 'error').mockReset();
    error.mockImplementation(() => undefined);
    await stored(Torn, [{ id: 1 }]);
    await rig.dataSource.query('ALTER TABLE torn DROP COLUMN note');
    await expect(manager().delete(Torn, { id: 1 })).rejects.toThrow(/note/);
    await expect(
      rig.dataSource.transaction(async (inner) => {
        await inner.insert(Author, { name: 'Eve' });
        await inner.update(Torn, { id: 1 }, { value: 2 });
      }),
    ).rejects.toThrow(/note/);
    expect(error.mock.calls.map(String)).toEqual([
      expect.stringMatching(/^Torn: delete is not made, .*note/),
      expect.stringMatching(/^Torn: update is not made, .*note/),
    ]);
    error.mockRestore();
    expect(await manager().existsBy(Author, { name: 'Eve' })).toBe(false);
    expect(await rig.dataSource.query('SELECT * FROM torn')).toEqual([{ id: 1, value: 0 }]);
    expect(rig.received()).toEqual([]);
  });
});
