import {
  Column,
  Entity,
  type EntityManager,
  JoinTable,
  ManyToMany,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
} from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

@Entity()
class Topic {
  @PrimaryGeneratedColumn() id!: number;
  @OneToMany(() => Tag, (tag) => tag.topic, { cascade: true }) tags!: Tag[];
}

@Entity()
class Tag {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @Column({ select: false, default: 'secret' }) token!: string;
  @ManyToOne(() => Topic, (topic) => topic.tags, {
    nullable: true,
    onDelete: 'CASCADE',
    orphanedRowAction: 'delete',
  })
  topic!: Topic | null;
  @ManyToMany(() => Post, (post) => post.tags, { onDelete: 'CASCADE' }) posts!: Post[];
}

/** Its tags know it; those of a page do not. */
@Entity()
@WebhookEvent<Post>('post.untagged', {
  on: [{ removed: 'tags' }, { cleared: 'tags' }],
  payload: ({ title }, { on, ids, related }) => ({ title, on, ids, related }),
})
class Post {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @ManyToMany(() => Tag, (tag) => tag.posts, { onDelete: 'CASCADE' })
  @JoinTable()
  tags!: Tag[];
}

@Entity()
@WebhookEvent<Page>('page.untagged', {
  on: { removed: 'tags', each: true },
  payload: ({ title }, { ids, related }) => ({ title, ids, related }),
})
class Page {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @ManyToMany(() => Tag) @JoinTable() tags!: Tag[];
}

/** Each removes the red tag of the topic, the first of three. */
const REMOVALS: readonly [
  string,
  (manager: EntityManager, red: Tag, topic: Topic) => Promise<unknown>,
][] = [
  ['remove()', (manager, red) => manager.remove(red)],
  [
    'remove() of a row with its links loaded',
    async (manager, { id }) =>
      manager.remove(
        await manager.findOneOrFail(Tag, {
          where: { id },
          relations: { posts: true, topic: true },
        }),
      ),
  ],
  ['delete()', (manager, { id }) => manager.delete(Tag, { id })],
  [
    'a raw condition',
    (manager) => manager.createQueryBuilder().delete().from(Tag).where(`name = 'red'`).execute(),
  ],
  [
    'a save that has lost it',
    (manager, { id }, topic) =>
      manager.save(Topic, { id: topic.id, tags: topic.tags.filter((tag) => tag.id !== id) }),
  ],
];

describe.each(DATABASES_ALIKE)('related rows that are removed, on %s', (kind) => {
  let rig: CaptureApp;
  const manager = () => rig.dataSource.manager;

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Topic, Tag, Post, Page]);
  });
  afterAll(() => rig.close());

  async function tagged() {
    const names = ['red', 'blue', 'green'];
    const topic = await manager().save(Topic, { tags: names.map((name) => ({ name })) });
    const tags = await manager().findBy(Tag, { topic: { id: topic.id } });
    const red = tags.find(({ name }) => name === 'red')!;
    const post = await manager().save(Post, { title: 'Post', tags: [red] });
    await manager().save(Page, {
      title: 'Page',
      tags: [red, tags.find(({ name }) => name === 'blue')!],
    });
    rig.received();
    return { topic: Object.assign(topic, { tags }), red, id: red.id, post };
  }

  it.each(REMOVALS)('are told as they were: %s', async (_, remove) => {
    const { red, topic, id } = await tagged();
    await remove(manager(), red, topic);
    const related = [{ id, name: 'red' }];
    const data = (title: string, on?: string) => JSON.stringify({ title, on, ids: [id], related });
    expect(rig.received().sort()).toEqual([
      `page.untagged ${data('Page')}`,
      `post.untagged ${data('Post', 'cleared')}`,
      `post.untagged ${data('Post', 'removed')}`,
    ]);
    await manager().query('DELETE FROM tag');
  });

  it('are not read once more', async () => {
    const { red } = await tagged();
    rig.queries();
    await manager().delete(Tag, { id: red.id });
    const reads = rig.queries().filter((sql) => /^SELECT.* FROM .tag. /.test(sql));
    expect(reads).toHaveLength(1);
    rig.received();
  });

  it('are told once more when they come back, and are linked and cut again', async () => {
    const { red, id, post } = await tagged();
    await rig.dataSource.transaction(async (inner) => {
      await inner.remove(red);
      await inner.query(`INSERT INTO tag (id, name) VALUES (${id}, 'scarlet')`);
      await inner.createQueryBuilder().relation(Post, 'tags').of(post).add(id);
      await inner.save(Post, { id: post.id, tags: [] });
    });
    const related = [{ id, name: 'scarlet' }];
    expect(rig.received().filter((text) => text.startsWith('post'))).toEqual(
      ['removed', 'cleared'].map(
        (on) => `post.untagged ${JSON.stringify({ title: 'Post', on, ids: [id], related })}`,
      ),
    );
    await manager().query('DELETE FROM tag');
  });

  it('are told as they are when only the link was cut', async () => {
    const { red } = await tagged();
    const post = await manager().findOneOrFail(Post, {
      where: { title: 'Post' },
      relations: { tags: true },
      order: { id: 'DESC' },
    });
    await rig.dataSource.transaction(async (inner) => {
      await inner.update(Tag, { id: red.id }, { name: 'crimson' });
      post.tags = [];
      await inner.save(post);
    });
    expect(rig.received()).toEqual([
      expect.stringContaining('"name":"crimson"'),
      expect.stringContaining('"name":"crimson"'),
    ]);
  });
});
