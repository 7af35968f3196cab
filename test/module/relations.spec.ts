import type { INestApplication } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  Column,
  DataSource,
  Entity,
  JoinTable,
  ManyToMany,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Subscribers, WebhookEvent, Webhooks } from '../../lib/index.js';
import { DispatchStrategy } from '../../lib/extending/index.js';
import { blogDatabases, createBlogDatabase, startBlog } from '../support/apps/blog.js';
import { Receiver } from '../support/receiver.js';
import { RecordingInlineStrategy } from '../support/recording-inline.strategy.js';

interface Named {
  readonly name: string;
}

const payload = ({ name }: Named, { related }: { readonly related: readonly object[] }) => ({
  name,
  with: (related as Named[]).map((row) => row.name).sort(),
});

@Entity()
@Webhooks<Song>({ payload })
@WebhookEvent<Song>('song.listed', { on: { added: 'lists' } })
@WebhookEvent<Song>('song.unlisted', { on: { removed: 'lists' } })
@WebhookEvent<Song>('song.forgotten', { on: { cleared: 'lists' } })
class Song {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  name!: string;

  @ManyToMany(() => Playlist, (list) => list.songs)
  lists!: Relation<Playlist>[];
}

@Entity()
@Webhooks<Playlist>({ payload })
@WebhookEvent<Playlist>('list.grew', { on: { added: 'songs' } })
@WebhookEvent<Playlist>('list.grew.by', { on: { added: 'songs', each: true } })
@WebhookEvent<Playlist>('list.shrank', { on: { removed: 'songs' } })
@WebhookEvent<Playlist>('list.shrank.by', { on: { removed: 'songs', each: true } })
@WebhookEvent<Playlist>('list.empty', { on: { cleared: 'songs' } })
@WebhookEvent<Playlist>('list.gone', { on: 'delete' })
class Playlist {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  name!: string;

  @ManyToMany(() => Song, (song) => song.lists)
  @JoinTable()
  songs!: Song[];
}

describe.each(blogDatabases)('events of relations reach receivers, on %s', (type) => {
  let app: INestApplication;
  let dataSource: DataSource;
  let drop: () => Promise<void>;
  let receiver: Receiver;
  let watched: RecordingInlineStrategy;
  let [one, two]: Song[] = [];

  beforeAll(async () => {
    const database = await createBlogDatabase(type);
    drop = database.drop;
    const entities = TypeOrmModule.forFeature([Playlist, Song]);
    ({ app, dataSource } = await startBlog(
      database.options,
      { dispatch: RecordingInlineStrategy },
      [entities],
    ));
    watched = app.get(DispatchStrategy);
    receiver = await Receiver.start();
    await app.get(Subscribers).create({ url: receiver.url, events: ['list.*', 'song.*'] });
  });

  beforeEach(async () => {
    [one, two] = await dataSource.manager.save(Song, [{ name: 'one' }, { name: 'two' }]);
  });

  afterAll(async () => {
    await app?.close();
    await receiver?.stop();
    await drop?.();
  });

  /** `event name with…` of what has arrived since the last call, sorted. */
  const arrived = async (): Promise<string[]> => {
    await watched.idle();
    const bodies = receiver.requests.map((_, index) => receiver.json(index));
    receiver.requests.length = 0;
    return bodies
      .map(({ type, data }) => {
        const { name, with: related } = data as { name: string; with: string[] };
        return [type, name, ...related].join(' ');
      })
      .sort();
  };
  const create = async (...songs: Song[]): Promise<Playlist> => {
    const { id } = await dataSource.manager.save(Playlist, { name: 'mix', songs });
    await arrived();
    return dataSource.manager.findOneOrFail(Playlist, {
      where: { id },
      relations: { songs: true },
    });
  };

  it('sends added through save(), from the side that owns the links', async () => {
    await dataSource.manager.save(Playlist, { name: 'mix', songs: [one!, two!] });

    expect(await arrived()).toEqual([
      'list.grew mix one two',
      'list.grew.by mix one',
      'list.grew.by mix two',
      'song.listed one mix',
      'song.listed two mix',
    ]);
  });

  it('sends added through save(), from the other side', async () => {
    const list = await create();
    await dataSource.manager.save(Song, { id: one!.id, lists: [{ id: list.id }] });

    expect(await arrived()).toEqual([
      'list.grew mix one',
      'list.grew.by mix one',
      'song.listed one mix',
    ]);
  });

  it('sends added through relation().add(), from both sides', async () => {
    const list = await create();
    await dataSource.createQueryBuilder().relation(Playlist, 'songs').of(list.id).add(one!.id);
    const first = await arrived();
    await dataSource.createQueryBuilder().relation(Song, 'lists').of(two!.id).add(list.id);

    expect(first).toEqual(['list.grew mix one', 'list.grew.by mix one', 'song.listed one mix']);
    expect(await arrived()).toEqual([
      'list.grew mix two',
      'list.grew.by mix two',
      'song.listed two mix',
    ]);
  });

  it('sends removed, and cleared when no link is left', async () => {
    const list = await create(one!, two!);
    await dataSource.manager.save(Playlist, { id: list.id, songs: [one!] });
    expect(await arrived()).toEqual([
      'list.shrank mix two',
      'list.shrank.by mix two',
      'song.forgotten two mix',
      'song.unlisted two mix',
    ]);

    await dataSource.manager.save(Song, { id: one!.id, lists: [] });
    expect(await arrived()).toEqual([
      'list.empty mix one',
      'list.shrank mix one',
      'list.shrank.by mix one',
      'song.forgotten one mix',
      'song.unlisted one mix',
    ]);
  });

  it('sends both of one transaction as a reader outside sees it', async () => {
    const list = await create(one!);
    await dataSource.transaction(async (manager) => {
      await manager.save(Playlist, { id: list.id, songs: [] });
      await manager.save(Playlist, { id: list.id, songs: [one!, two!] });
    });

    expect(await arrived()).toEqual([
      'list.grew mix two',
      'list.grew.by mix two',
      'song.listed two mix',
    ]);
  });

  it('sends delete for a removed owner, and the lost links to the other side', async () => {
    const list = await create(one!, two!);
    await dataSource.manager.remove(list);

    expect(await arrived()).toEqual([
      'list.gone mix',
      'song.forgotten one mix',
      'song.forgotten two mix',
      'song.unlisted one mix',
      'song.unlisted two mix',
    ]);
  });

  it('sends no event that was rolled back', async () => {
    const list = await create(one!);
    await dataSource
      .transaction(async (manager) => {
        await manager.save(Playlist, { id: list.id, songs: [] });
        throw new Error('no');
      })
      .catch(() => undefined);

    expect(await arrived()).toEqual([]);
  });
});
