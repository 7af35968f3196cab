import { Logger } from '@nestjs/common';
import { Column, Entity, ManyToOne, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import type { EntityEventOptions } from '../../lib/event/index.js';
import { type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';

@Entity()
class Writer {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

@Entity()
@Webhooks<Story>({ orderBy: true, propagateErrors: true })
@WebhookEvent<Story>('story.created', { on: 'create' })
@WebhookEvent<Story>('story.removed', { on: 'delete' })
@WebhookEvent<Story>('story.by-writer', { on: 'create', orderBy: 'author.name' })
@WebhookEvent<Story>('story.hashed', {
  on: 'create',
  orderBy: { key: 'author.name', private: true },
})
@WebhookEvent<Story>('story.by-function', {
  on: 'create',
  orderBy: ({ title }) => `title ${title}`,
})
@WebhookEvent<Story>('story.unordered', { on: 'create', orderBy: false })
class Story {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @ManyToOne(() => Writer) author!: Writer;
}

@Entity()
@WebhookEvent<Vote>('vote.changed', { on: ['create', 'change', 'delete'], orderBy: true })
class Vote {
  @PrimaryColumn() poll!: string;
  @PrimaryColumn() voter!: number;
  @Column() value!: number;
}

@Entity()
@WebhookEvent<Tag>('tag.created', { on: 'create', orderBy: 'label' })
class Tag {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'text', nullable: true }) label!: string | null;
}

let app: CaptureApp;
afterEach(async () => {
  vi.restoreAllMocks();
  await app.close();
});

const keys = () =>
  Object.fromEntries(app.strategy.released.map(({ event, key }) => [event, key] as const));

describe('orderBy of an entity', () => {
  it('makes keys of the primary key, of a path, of a function, or none', async () => {
    app = await openCaptureApp('sqlite', [Story, Writer]);
    const { manager } = app.dataSource;
    const author = await manager.save(Object.assign(new Writer(), { name: 'Ada' }));
    const story = await manager.save(Object.assign(new Story(), { title: 'One', author }));
    expect(keys()).toEqual({
      'story.created': 'story:1',
      'story.by-writer': 'Ada',
      'story.hashed': expect.stringMatching(/^[\w-]{22}$/),
      'story.by-function': 'title One',
      'story.unordered': null,
    });
    await manager.remove(story);
    expect(keys()).toMatchObject({ 'story.removed': 'story:1' });
  });

  it('makes one key of all columns of a primary key', async () => {
    app = await openCaptureApp('sqlite', [Vote]);
    const { manager } = app.dataSource;
    await manager.save(Object.assign(new Vote(), { poll: 'a,b', voter: 7, value: 1 }));
    await manager.update(Vote, { voter: 7 }, { value: 2 });
    await manager.delete(Vote, { voter: 7 });
    expect(app.strategy.released.map(({ key }) => key)).toEqual(
      Array.from({ length: 3 }, () => 'vote:["a,b","7"]'),
    );
  });

  it('refuses a row without the key before anything is stored', async () => {
    app = await openCaptureApp('sqlite', [Story, Writer]);
    const { manager } = app.dataSource;
    await expect(manager.save(Object.assign(new Story(), { title: 'One' }))).rejects.toMatchObject({
      field: 'orderBy',
    });
    expect(app.strategy.staged).toEqual([]);
    expect(await manager.count(Story)).toBe(0);
  });

  it('drops an event without a key, and says so, unless errors are propagated', async () => {
    const error = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    app = await openCaptureApp('sqlite', [Tag]);
    const { manager } = app.dataSource;
    for (const label of ['kept', null, '', 'a'.repeat(256)]) {
      await manager.save(Object.assign(new Tag(), { label }));
    }
    expect(app.strategy.released.map(({ key }) => key)).toEqual(['kept']);
    expect(error).toHaveBeenCalledTimes(3);
    expect(error.mock.calls[0]![0]).toMatch(/Tag: the event tag.created is dropped: orderBy /);
  });

  it.each<[orderBy: unknown, message: RegExp]>([
    ['titel', /Story, event story.changed: orderBy names titel, but titel is not a field/],
    [{ key: 'titel', private: true }, /orderBy names titel/],
    [7, /must be true, a path such as 'tenantId', a function, or { key/],
    [{ key: 'title', hidden: true }, /Unknown option `orderBy\.hidden`.*: key, private/],
    [{ private: true }, /`orderBy` of .* must be/],
  ])('refuses %o where it is declared', async (orderBy, message) => {
    const declare = async () => {
      @Entity('story')
      @WebhookEvent<Wrong>('story.changed', { on: 'change', orderBy } as EntityEventOptions<Wrong>)
      class Wrong {
        @PrimaryGeneratedColumn() id!: number;
        @Column() title!: string;
      }
      Object.defineProperty(Wrong, 'name', { value: 'Story' });
      await (await openCaptureApp('sqlite', [Wrong])).close();
    };
    app = await openCaptureApp('sqlite', [Writer]);
    await expect(declare()).rejects.toThrow(message);
  });
});
