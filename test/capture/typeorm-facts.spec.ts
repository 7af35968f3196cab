import {
  Column,
  DataSource,
  DeleteDateColumn,
  Entity,
  type EntityMetadata,
  type EntitySubscriberInterface,
  JoinTable,
  ManyToMany,
  ManyToOne,
  type ObjectLiteral,
  OneToMany,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type QueryRunner,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CAPTURE_DATABASES, openDataSource } from '../support/apps/capture-app.js';

// What capturing relies on. A TypeORM that answers otherwise changes what the library may send: see lib/capture.

@Entity()
class Author {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @OneToMany(() => Post, (post) => post.author) posts!: Post[];
}

@Entity()
class Tag {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @ManyToMany(() => Post, (post) => post.tags) posts!: Post[];
}

/** A class that an entity extends. */
abstract class Content {
  @Column() title!: string;
}

@Entity()
class Post extends Content {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: 'draft' }) state!: string;
  @Column({ type: 'varchar', nullable: true }) summary!: string | null;
  @Column({ select: false, default: 'none' }) secret!: string;
  @Column({ default: 0 }) views!: number;
  @ManyToOne(() => Author, (author) => author.posts, { cascade: true, nullable: true })
  author!: Author | null;
  @ManyToMany(() => Tag, (tag) => tag.posts)
  @JoinTable()
  tags!: Tag[];
  @DeleteDateColumn() deletedAt!: Date | null;
}

@Entity()
class Child {
  @PrimaryColumn() id!: number;
  @ManyToOne(() => Post, { onDelete: 'CASCADE' }) post!: Post;
}

const ENTITIES = [Author, Tag, Post, Child];

interface Seen {
  readonly hook: string;
  readonly of?: string;
  readonly entity?: ObjectLiteral | undefined;
  readonly databaseEntity?: ObjectLiteral | undefined;
  readonly entityId?: unknown;
  readonly columns?: string[];
  readonly relations?: string[];
  /** Whether a transaction was open. */
  readonly open: boolean;
}

type HookEvent = {
  readonly queryRunner: QueryRunner;
  readonly metadata: EntityMetadata;
  readonly entity?: ObjectLiteral | undefined;
  readonly databaseEntity?: ObjectLiteral | undefined;
  readonly entityId?: unknown;
  readonly updatedColumns?: EntityMetadata['columns'];
  readonly updatedRelations?: EntityMetadata['relations'];
};

/** Has the hooks that capturing has, and so no before-hook of entities. */
class Recorder implements EntitySubscriberInterface<ObjectLiteral> {
  readonly seen: Seen[] = [];
  readonly data: unknown[] = [];

  afterInsert(event: HookEvent): void {
    this.data.push(event.queryRunner.data['actor']);
    this.#entity('Insert', event);
  }
  afterUpdate = (event: HookEvent): void => this.#entity('Update', event);
  afterRemove = (event: HookEvent): void => this.#entity('Remove', event);
  afterSoftRemove = (event: HookEvent): void => this.#entity('SoftRemove', event);
  afterRecover = (event: HookEvent): void => this.#entity('Recover', event);
  beforeTransactionStart = this.#transaction('beforeStart');
  afterTransactionStart = this.#transaction('afterStart');
  beforeTransactionCommit = this.#transaction('beforeCommit');
  afterTransactionCommit = this.#transaction('afterCommit');
  beforeTransactionRollback = this.#transaction('beforeRollback');
  afterTransactionRollback = this.#transaction('afterRollback');

  #entity(hook: string, event: HookEvent): void {
    this.seen.push({
      hook,
      of: event.metadata.tableName,
      entity: event.entity && { ...event.entity },
      databaseEntity: event.databaseEntity && { ...event.databaseEntity },
      entityId: event.entityId,
      columns: (event.updatedColumns ?? []).map(({ propertyName }) => propertyName),
      relations: (event.updatedRelations ?? []).map(({ propertyName }) => propertyName),
      open: event.queryRunner.isTransactionActive,
    });
  }

  #transaction(hook: string) {
    return ({ queryRunner }: { queryRunner: QueryRunner }): void => {
      this.seen.push({ hook, open: queryRunner.isTransactionActive });
    };
  }
}

describe.each(CAPTURE_DATABASES)("TypeORM's hooks on %s", (kind) => {
  let dataSource: DataSource;
  let close: () => Promise<void>;
  let recorder: Recorder;
  const repository = <Row extends object>(type: new () => Row) =>
    dataSource.getRepository<Row>(type);
  const posts = () => repository(Post);

  /** What happened to entities since the last look. */
  const seen = (): Seen[] => recorder.seen.splice(0).filter(({ of }) => of !== undefined);
  const hooks = (): string[] => recorder.seen.splice(0).map(({ hook }) => hook);
  const stored = async (fields: object = {}): Promise<Post> => {
    const { id } = await posts().save({ title: 'One', ...fields });
    recorder.seen.length = 0;
    return posts().findOneByOrFail({ id });
  };

  beforeAll(async () => {
    ({ dataSource, close } = await openDataSource(kind, ENTITIES));
  });
  afterAll(() => close());
  beforeEach(() => {
    recorder = new Recorder();
    dataSource.subscribers.splice(0, dataSource.subscribers.length, recorder);
  });

  describe('which fire, with what', () => {
    it('save(new), cascades too: Insert with generated values', async () => {
      await posts().save({ title: 'One', author: { name: 'Ada' } });
      expect(seen()).toMatchObject([
        { hook: 'Insert', of: 'author', entity: { name: 'Ada' }, open: true },
        {
          hook: 'Insert',
          of: 'post',
          entity: { id: expect.any(Number), title: 'One', state: 'draft', summary: null },
          entityId: expect.any(Number),
          open: true,
        },
      ]);
    });

    it('save(new, { reload: false }): Insert without id and defaults', async () => {
      await posts().save({ title: 'One' }, { reload: false });
      const [insert] = seen();
      expect(insert).toMatchObject({ hook: 'Insert', entity: { title: 'One' }, open: true });
      expect([insert!.entity!['id'], insert!.entity!['state']]).toEqual([undefined, undefined]);
      expect(insert!.entityId).toBeUndefined();
    });

    it('save(loaded, changed): Update with the old row', async () => {
      const post = await stored();
      await posts().save(Object.assign(post, { title: 'Two' }));
      expect(seen()).toMatchObject([
        {
          hook: 'Update',
          entity: { id: post.id, title: 'Two' },
          databaseEntity: { id: post.id, title: 'One', state: 'draft' },
          columns: ['title'],
          relations: [],
          open: true,
        },
      ]);
    });

    it('save({ id, … }): Update with the full old row', async () => {
      const { id } = await stored({ summary: 'Kept' });
      await posts().save({ id, title: 'Two' });
      expect(seen()).toMatchObject([
        { databaseEntity: { id, title: 'One', summary: 'Kept' }, columns: ['title'] },
      ]);
    });

    it('save(unchanged): nothing, and no transaction', async () => {
      await posts().save(await stored());
      expect(recorder.seen).toEqual([]);
    });

    it('save, many-to-one changed: Update by the relation alone, with the old key', async () => {
      const [ada, bob] = (await repository(Author).save([{ name: 'Ada' }, { name: 'Bob' }])) as [
        Author,
        Author,
      ];
      const { id } = await stored({ author: ada });
      await posts().save({ id, author: bob });
      const [update] = seen();
      expect(update).toMatchObject({
        hook: 'Update',
        databaseEntity: { author: { id: ada.id } },
        columns: [],
      });
      expect(new Set(update!.relations)).toEqual(new Set(['author']));
    });

    it('the old row has a relation only if the entity does', async () => {
      const { id } = await stored({ author: { name: 'Ada' } });
      await posts().save({ id, title: 'Two' });
      expect(seen()[0]!.databaseEntity!['author']).toBeUndefined();
    });

    it('one-to-many item dropped: Update of the child that does not tell which', async () => {
      const author = await repository(Author).save({ name: 'Ada' });
      await stored({ author });
      await repository(Author).save({ id: author.id, posts: [] });
      expect(seen()).toMatchObject([
        {
          hook: 'Update',
          of: 'post',
          entity: undefined,
          databaseEntity: undefined,
          entityId: undefined,
          columns: [],
        },
      ]);
    });

    it('insert(…): Insert once per row, with ids, outside of a transaction', async () => {
      await posts().insert([{ title: 'One' }, { title: 'Two' }]);
      const inserts = seen();
      expect(inserts).toMatchObject([
        { hook: 'Insert', entity: { title: 'One' }, entityId: undefined, open: false },
        { hook: 'Insert', entity: { title: 'Two' }, entityId: undefined, open: false },
      ]);
      expect(inserts.map(({ entity }) => typeof entity!['id'])).toEqual(['number', 'number']);
    });

    it('upsert: Insert for a new row and an existing one alike, outside of a transaction', async () => {
      await repository(Child).upsert({ id: 5 }, ['id']);
      await repository(Child).upsert({ id: 5 }, ['id']);
      expect(seen()).toMatchObject([
        { hook: 'Insert', entity: { id: 5 }, entityId: undefined, open: false },
        { hook: 'Insert', entity: { id: 5 }, entityId: undefined, open: false },
      ]);
      await repository(Child).clear();
    });

    it('update(criteria) and increment: Update once per statement, for no row too, without ids', async () => {
      await posts().update({ id: -1 }, { title: 'Two' });
      await posts().increment({ id: -1 }, 'views', 1);
      const updates = seen();
      expect(updates).toMatchObject([
        { hook: 'Update', entity: { title: 'Two' }, columns: [], open: false },
        { hook: 'Update', columns: [], open: false },
      ]);
      expect(updates.map(({ databaseEntity }) => databaseEntity)).toEqual([undefined, undefined]);
      expect(updates.map(({ entity }) => entity!['id'] as unknown)).toEqual([undefined, undefined]);
    });

    it.each([
      ['softDelete', 'SoftRemove'],
      ['restore', 'Recover'],
      ['delete', 'Remove'],
    ] as const)('%s(criteria): %s once, without anything', async (method, hook) => {
      await posts()[method]({ title: 'nobody' });
      expect(seen()).toEqual([
        {
          hook,
          of: 'post',
          entity: undefined,
          databaseEntity: undefined,
          entityId: undefined,
          columns: [],
          relations: [],
          open: false,
        },
      ]);
    });

    it('softRemove and recover of a loaded entity: hooks of their own, with the old row', async () => {
      const post = await stored();
      await posts().softRemove(post);
      await posts().recover(post);
      const [removed, recovered, ...others] = seen();
      expect(removed).toMatchObject({
        hook: 'SoftRemove',
        databaseEntity: { id: post.id, title: 'One', deletedAt: null },
        entityId: post.id,
        open: true,
      });
      expect(recovered).toMatchObject({
        hook: 'Recover',
        databaseEntity: { id: post.id, deletedAt: expect.any(Date) },
        open: true,
      });
      expect(others).toEqual([]);
    });

    it('remove(loaded) and remove({ id }): the id is wiped of the entity, the old row is full', async () => {
      const { id } = await stored();
      await posts().remove(posts().create({ id }));
      const [removed] = seen();
      expect(removed).toMatchObject({
        hook: 'Remove',
        databaseEntity: { id, title: 'One', state: 'draft' },
        entityId: id,
        open: true,
      });
      expect(removed!.entity!['id']).toBeUndefined();
    });

    it('the old row of a removal has no many-to-one relation', async () => {
      const { id } = await stored({ author: { name: 'Ada' } });
      await posts().remove(
        await posts().findOneOrFail({ where: { id }, relations: { author: true } }),
      );
      expect(seen()[0]!.databaseEntity!['author']).toBeUndefined();
    });

    it('raw SQL and database cascades: nothing', async () => {
      const post = await stored();
      await repository(Child).save({ id: 1, post });
      recorder.seen.length = 0;
      await posts().remove(post);
      await dataSource.query(`UPDATE post SET title = 'x'`);
      expect(seen().map(({ hook, of }) => `${hook} ${of}`)).toEqual(['Remove post']);
      expect(await repository(Child).count()).toBe(0);
    });

    it('save(…, { listeners: false }): the hooks of the transaction alone', async () => {
      await posts().save({ title: 'One' }, { listeners: false });
      expect(hooks()).toEqual(['beforeStart', 'afterStart', 'beforeCommit', 'afterCommit']);
    });

    it('save(…, { transaction: false }): as save, outside of a transaction', async () => {
      await posts().save({ title: 'One' }, { transaction: false });
      expect(recorder.seen).toMatchObject([{ hook: 'Insert', open: false }]);
    });

    it('save(…, { data }) arrives as queryRunner.data', async () => {
      await posts().save({ title: 'One' }, { data: { actor: 'ada' } });
      expect(recorder.data).toEqual(['ada']);
    });

    it('save([a, b], { chunk: 1 }) is one transaction', async () => {
      await posts().save([{ title: 'One' }, { title: 'Two' }], { chunk: 1 });
      expect(hooks().filter((hook) => hook === 'afterCommit')).toHaveLength(1);
    });

    it('all after-hooks of one save come after all of its SQL, links included', async () => {
      const tag = await repository(Tag).save({ name: 'red' });
      const counts: Promise<number>[] = [];
      dataSource.subscribers.push({
        listenTo: () => Post,
        afterInsert: ({ manager }) => {
          counts.push(manager.count(Post, { where: { tags: { id: tag.id } } }));
          return counts[0]!.then(() => undefined);
        },
      });
      await posts().save({ title: 'One', tags: [tag] });
      expect(await Promise.all(counts)).toEqual([1]);
    });
  });

  describe('many-to-many', () => {
    it('a link is an Insert or Remove of the junction, by its ids', async () => {
      const tag = await repository(Tag).save({ name: 'red' });
      const post = await stored();
      await posts().save({ id: post.id, tags: [tag] });
      await posts().save({ id: post.id, tags: [] });
      expect(seen()).toMatchObject([
        {
          hook: 'Insert',
          of: 'post_tags_tag',
          entity: undefined,
          entityId: { postId: post.id, tagId: tag.id },
        },
        {
          hook: 'Remove',
          of: 'post_tags_tag',
          entity: undefined,
          entityId: { postId: post.id, tagId: tag.id },
        },
      ]);
    });

    it('relation().add() has the ids in the entity and no transaction, relation().remove() none at all', async () => {
      const tag = await repository(Tag).save({ name: 'red' });
      const post = await stored();
      const relation = () => dataSource.createQueryBuilder().relation(Post, 'tags').of(post);
      await relation().add(tag);
      await relation().remove(tag);
      const [added, removed] = seen();
      expect(added).toMatchObject({
        hook: 'Insert',
        entity: { postId: post.id, tagId: tag.id },
        entityId: undefined,
        open: false,
      });
      expect(removed).toMatchObject({
        hook: 'Remove',
        entity: undefined,
        entityId: undefined,
        open: false,
      });
    });

    it('removing the owner removes its links one by one', async () => {
      const tags = await repository(Tag).save([{ name: 'red' }, { name: 'blue' }]);
      const { id } = await stored({ tags });
      await posts().remove(await posts().findOneByOrFail({ id }));
      expect(
        seen()
          .map(({ hook, of }) => `${hook} ${of}`)
          .sort(),
      ).toEqual(['Remove post', 'Remove post_tags_tag', 'Remove post_tags_tag']);
    });

    it('the junction tells relation, columns and referenced columns', () => {
      const relation = dataSource.getMetadata(Post).findRelationWithPropertyPath('tags')!;
      const inverse = dataSource.getMetadata(Tag).findRelationWithPropertyPath('posts')!;
      expect(relation.junctionEntityMetadata).toBe(inverse.junctionEntityMetadata);
      expect([relation.isOwning, inverse.isOwning]).toEqual([true, false]);
      const { isJunction, ownerColumns, inverseColumns } = relation.junctionEntityMetadata!;
      expect(isJunction).toBe(true);
      expect(ownerColumns[0]!.referencedColumn!.entityMetadata.name).toBe('Post');
      expect(inverseColumns[0]!.getEntityValue({ postId: 1, tagId: 2 })).toBe(2);
    });
  });

  describe('data not to trust', () => {
    it('the saved entity holds null for nullable columns that were not loaded', async () => {
      const { id } = await stored({ summary: 'Kept' });
      await posts().save({ id, title: 'Two' });
      expect(seen()[0]!.entity).toMatchObject({ id, summary: null });
      expect(await posts().findOneByOrFail({ id })).toMatchObject({ summary: 'Kept' });
    });

    it('a column that is not selected is missing from the old row and looks changed every time', async () => {
      const { id } = await stored({ secret: 'same' });
      await posts().save({ id, secret: 'same' });
      const [update] = seen();
      expect(update).toMatchObject({ columns: ['secret'] });
      expect(update!.databaseEntity!['secret']).toBeUndefined();
    });

    it('the updated relation is named more than once only by repetition', async () => {
      const [ada, bob] = (await repository(Author).save([{ name: 'A' }, { name: 'B' }])) as [
        Author,
        Author,
      ];
      const { id } = await stored({ author: ada });
      dataSource.subscribers.push({ listenTo: () => Post, beforeUpdate: () => undefined });
      await posts().save({ id, author: bob });
      expect(seen()[0]!.relations).toEqual(['author', 'author']);
    });
  });

  describe('transactions', () => {
    it('one save: start, hooks, commit', async () => {
      await posts().save({ title: 'One' });
      expect(hooks()).toEqual([
        'beforeStart',
        'afterStart',
        'Insert',
        'beforeCommit',
        'afterCommit',
      ]);
    });

    it('savepoints fire the same hooks; a real commit leaves no transaction active', async () => {
      await dataSource.transaction(async (manager) => {
        await manager.transaction((inner) => inner.save(Post, { title: 'One' }));
        await manager
          .transaction(async () => {
            throw new Error('no');
          })
          .catch(() => undefined);
      });
      expect(
        recorder.seen
          .filter(({ hook }) => hook.startsWith('after'))
          .map(({ hook, open }) => [hook, open]),
      ).toEqual([
        ['afterStart', true],
        ['afterStart', true],
        ['afterCommit', true],
        ['afterStart', true],
        ['afterRollback', true],
        ['afterCommit', false],
      ]);
    });

    it('what is written before the commit follows it, and a throw there rolls everything back', async () => {
      dataSource.subscribers.push({
        beforeTransactionCommit: async ({ manager }) => {
          await manager
            .createQueryBuilder()
            .insert()
            .into(Tag)
            .values({ name: 'written' })
            .callListeners(false)
            .execute();
          throw new Error('refused');
        },
      });
      await expect(posts().save({ title: 'Refused' })).rejects.toThrow('refused');
      expect(await posts().countBy({ title: 'Refused' })).toBe(0);
      expect(await repository(Tag).countBy({ name: 'written' })).toBe(0);
      expect(hooks().slice(-1)).toEqual(['afterRollback']);
    });

    it('a throw after the commit rejects a save that is durable', async () => {
      dataSource.subscribers.push({
        afterTransactionCommit: () => {
          throw new Error('too late');
        },
      });
      await expect(posts().save({ title: 'Durable' })).rejects.toThrow('too late');
      dataSource.subscribers.pop();
      expect(await posts().countBy({ title: 'Durable' })).toBe(1);
    });

    it('a hand-written COMMIT fires nothing', async () => {
      const runner = dataSource.createQueryRunner();
      await runner.query('BEGIN');
      await runner.query('COMMIT');
      await runner.release();
      expect(recorder.seen).toEqual([]);
    });

    it('hooks of queries see the statement before its entity hooks', async () => {
      const order: string[] = [];
      dataSource.subscribers.push({
        beforeQuery: ({ query }) => {
          if (query.startsWith('INSERT'))
            order.push(/ON (?:CONFLICT|DUPLICATE)/.test(query) ? 'upsert' : 'insert');
        },
        afterInsert: () => {
          order.push('hook');
        },
      });
      await posts().save({ title: 'One' });
      await repository(Child).upsert({ id: 6 }, ['id']);
      expect(order).toEqual(['insert', 'hook', 'upsert', 'hook']);
    });
  });

  describe('subscribers', () => {
    it('pushed before initialize() are discarded, and are gone after destroy and initialize', async () => {
      const { dataSource: other, close: end } = await openDataSource('sqlite', ENTITIES);
      other.subscribers.push(recorder);
      await other.destroy();
      other.subscribers.push(recorder);
      await other.initialize();
      expect(other.subscribers).toEqual([]);
      await end();
    });

    it('that listen to a base class hear of its subclasses', async () => {
      const heard: unknown[] = [];
      dataSource.subscribers.push({
        listenTo: () => Content,
        afterInsert: ({ metadata }) => {
          heard.push(metadata.target);
        },
      });
      await posts().save({ title: 'One' });
      await repository(Tag).save({ name: 'red' });
      expect(heard).toEqual([Post]);
    });

    it('a before-hook is what makes TypeORM compute a save anew', async () => {
      const { id } = await stored();
      dataSource.subscribers.push({
        listenTo: () => Post,
        beforeUpdate: ({ entity }) => {
          entity!['state'] = 'set in the hook';
        },
      });
      await posts().save({ id, title: 'Two' });
      expect(await posts().findOneByOrFail({ id })).toMatchObject({ state: 'set in the hook' });
    });
  });
});

describe('swallowing an SQL error in a hook', () => {
  it('loses the whole save silently on postgres', async () => {
    const { dataSource, close } = await openDataSource('postgres', ENTITIES);
    dataSource.subscribers.push({
      listenTo: () => Author,
      afterInsert: async ({ manager }) => {
        await manager.query('SELECT no_such_column').catch(() => undefined);
      },
    });
    await dataSource.manager.save(Author, { name: 'Lost' });
    expect(await dataSource.manager.count(Author)).toBe(0);
    await close();
  });

  it('the connection of better-sqlite3 is shared, so saves join each other', async () => {
    const { dataSource, close } = await openDataSource('sqlite', ENTITIES);
    expect(dataSource.createQueryRunner()).toBe(dataSource.createQueryRunner());
    await close();
    const postgres = await openDataSource('postgres', ENTITIES);
    const [one, other] = [
      postgres.dataSource.createQueryRunner(),
      postgres.dataSource.createQueryRunner(),
    ];
    expect(one).not.toBe(other);
    await postgres.close();
  });
});
