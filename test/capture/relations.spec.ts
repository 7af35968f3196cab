import { Logger } from '@nestjs/common';
import {
  Column,
  Entity,
  JoinTable,
  ManyToMany,
  PrimaryColumn,
  PrimaryGeneratedColumn,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

const names = (related: readonly object[]) => (related as Tag[]).map(({ name }) => name).sort();

@Entity()
@WebhookEvent<Tag>('tag.used', {
  on: { added: 'posts' },
  payload: ({ name }, { ids }) => ({ name, posts: ids }),
})
@WebhookEvent<Tag>('tag.unused', { on: { removed: 'posts' }, payload: ({ name }) => ({ name }) })
@WebhookEvent<Tag>('tag.abandoned', { on: { cleared: 'posts' }, payload: ({ name }) => ({ name }) })
class Tag {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @ManyToMany(() => Post, (post) => post.tags) posts!: Post[];
}

@Entity()
@Webhooks<Post>({
  payload: ({ title }, { related, ids }) => ({ title, tags: names(related), count: ids.length }),
})
@WebhookEvent<Post>('post.tagged', { on: { added: 'tags' } })
@WebhookEvent<Post>('post.untagged', { on: { removed: 'tags' } })
@WebhookEvent<Post>('post.bare', { on: { cleared: 'tags' } })
@WebhookEvent<Post>('post.tag', { on: { added: 'tags', each: true } })
@WebhookEvent<Post>('post.gone', { on: 'delete', payload: () => ({}) })
class Post {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @ManyToMany(() => Tag, (tag) => tag.posts)
  @JoinTable()
  tags!: Tag[];
}

@Entity()
class Room {
  @PrimaryColumn() building!: string;
  @PrimaryColumn() number!: number;
  @ManyToMany(() => Key, (key) => key.rooms) keys!: Key[];
}

@Entity()
@WebhookEvent<Key>('key.opens', { on: { added: 'rooms' }, payload: (_, { ids }) => ids })
@WebhookEvent<Key>('key.useless', { on: { cleared: 'rooms' }, payload: (_, { ids }) => ids })
class Key {
  @PrimaryColumn() series!: string;
  @PrimaryColumn() serial!: number;
  @ManyToMany(() => Room, (room) => room.keys)
  @JoinTable()
  rooms!: Room[];
}

describe.each(DATABASES_ALIKE)('relation events on %s', (kind) => {
  let rig: CaptureApp;
  let red: Tag;
  let blue: Tag;
  const warn = vi.spyOn(Logger.prototype, 'warn');

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Tag, Post, Room, Key]);
    [red, blue] = (await rig.dataSource.manager.save(Tag, [{ name: 'red' }, { name: 'blue' }])) as [
      Tag,
      Tag,
    ];
  });
  afterAll(() => rig.close());
  beforeEach(() => {
    rig.received();
    warn.mockReset().mockImplementation(() => undefined);
  });

  const posts = () => rig.dataSource.getRepository(Post);
  const tagged = async (...tags: Tag[]): Promise<Post> => {
    const post = await posts().save({ title: 'One', tags });
    rig.received();
    return posts().findOneOrFail({ where: { id: post.id }, relations: { tags: true } });
  };

  it('sends added from both sides, once per row or once per link', async () => {
    const { id } = await posts().save({ title: 'One', tags: [red, blue] });
    expect(rig.received().sort()).toEqual([
      'post.tag {"title":"One","tags":["blue"],"count":1}',
      'post.tag {"title":"One","tags":["red"],"count":1}',
      'post.tagged {"title":"One","tags":["blue","red"],"count":2}',
      `tag.used {"name":"blue","posts":[${id}]}`,
      `tag.used {"name":"red","posts":[${id}]}`,
    ]);
  });

  it('sends removed, and cleared only when no link is left', async () => {
    const post = await tagged(red, blue);
    post.tags = [red];
    await posts().save(post);
    expect(rig.received().filter((text) => text.startsWith('post'))).toEqual([
      'post.untagged {"title":"One","tags":["blue"],"count":1}',
    ]);
    post.tags = [];
    await posts().save(post);
    expect(rig.received().filter((text) => text.startsWith('post'))).toEqual([
      'post.untagged {"title":"One","tags":["red"],"count":1}',
      'post.bare {"title":"One","tags":["red"],"count":1}',
    ]);
  });

  it('ignores a removed link that the same transaction restores', async () => {
    const post = await tagged(red);
    await rig.dataSource.transaction(async (manager) => {
      await manager.save(Post, { id: post.id, tags: [] });
      await manager.save(Post, { id: post.id, tags: [red] });
    });
    expect(rig.received()).toEqual([]);
  });

  it('sends events of a change from the other side', async () => {
    const { id } = await tagged();
    const green = await rig.dataSource.manager.save(Tag, { name: 'green', posts: [{ id }] });
    expect(rig.received().sort()).toEqual([
      'post.tag {"title":"One","tags":["green"],"count":1}',
      'post.tagged {"title":"One","tags":["green"],"count":1}',
      `tag.used {"name":"green","posts":[${id}]}`,
    ]);
    await rig.dataSource.manager.remove(Tag, green);
    expect(rig.received()).toEqual([
      'post.untagged {"title":"One","tags":["green"],"count":1}',
      'post.bare {"title":"One","tags":["green"],"count":1}',
    ]);
  });

  it('sends events of relation().add(), in a transaction and without one', async () => {
    const { id } = await tagged();
    await rig.dataSource.createQueryBuilder().relation(Post, 'tags').of(id).add(red.id);
    expect(rig.received()).toContain('post.tagged {"title":"One","tags":["red"],"count":1}');
    await rig.dataSource.transaction((manager) =>
      manager.createQueryBuilder().relation(Post, 'tags').of(id).add([blue.id]),
    );
    expect(rig.received()).toContain('post.tagged {"title":"One","tags":["blue"],"count":1}');
  });

  it('sends the links that relation().add() makes and relation().remove() cuts, in a transaction', async () => {
    const { id } = await tagged();
    const relation = () => rig.dataSource.createQueryBuilder().relation(Post, 'tags').of(id);
    await relation().add([red.id, blue.id]);
    expect(rig.received().filter((text) => text.startsWith('post.tagged'))).toHaveLength(1);
    await relation().remove(red.id);
    await relation().remove([red.id, blue.id]);
    expect(rig.received().filter((text) => text.startsWith('post.'))).toEqual([
      'post.untagged {"title":"One","tags":["red"],"count":1}',
      'post.untagged {"title":"One","tags":["blue"],"count":1}',
      'post.bare {"title":"One","tags":["blue"],"count":1}',
    ]);
    expect(rig.strategy.stagedBy.every((by) => by !== undefined)).toBe(true);
    expect(warn).not.toHaveBeenCalled();
  });

  it('warns of relation().remove() with bulk: warn, and names a call that works', async () => {
    const other = await openCaptureApp(kind, [Tag, Post, Room, Key], { bulk: 'warn' });
    await other.dataSource.createQueryBuilder().relation(Post, 'tags').of(1).remove(1);
    expect(warn.mock.calls.flat().filter((text) => String(text).startsWith('Post: '))).toEqual([
      expect.stringMatching(
        /relation\(\)\.remove\(\) .*post\.untagged, post\.bare.*call dispatcher\.send\(\) after it/,
      ),
    ]);
    await other.close();
  });

  it('sends delete for a removed row, and the lost links to the other side', async () => {
    const post = await tagged(red);
    await posts().remove(post);
    expect(rig.received().sort()).toEqual([
      'post.gone {}',
      ...((await stillUsed(red)) ? [] : ['tag.abandoned {"name":"red"}']),
      'tag.unused {"name":"red"}',
    ]);
  });

  it('identifies rows of both sides by composite ids', async () => {
    const keys = rig.dataSource.getRepository(Key);
    const room = await rig.dataSource.manager.save(Room, { building: 'A', number: 7 });
    await keys.save([
      { series: 'K', serial: 1, rooms: [room] },
      { series: 'K', serial: 2, rooms: [room] },
    ]);
    expect(rig.received()).toEqual([
      'key.opens [{"building":"A","number":7}]',
      'key.opens [{"building":"A","number":7}]',
    ]);
    await keys.save({ series: 'K', serial: 1, rooms: [] });
    expect(rig.received()).toEqual(['key.useless [{"building":"A","number":7}]']);
  });

  const stillUsed = async (tag: Tag): Promise<boolean> =>
    (await posts().count({ where: { tags: { id: tag.id } } })) > 0;
});
