import {
  Column,
  Entity,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

class Place {
  @Column({ default: '' }) city!: string;
  @Column({ select: false, default: '' }) door!: string;
}

@Entity()
class Writer {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

@Entity()
@Webhooks<Story>({ payload: (_, { changes }) => changes })
@WebhookEvent<Story>('story.saved', { on: ['create', 'change'] })
@WebhookEvent<Story>('story.edited', { on: { change: ['title', 'state'] } })
@WebhookEvent<Story>('story.moved', { on: { change: ['place'] } })
@WebhookEvent<Story>('story.given', { on: { change: ['writer'] }, payload: () => ({}) })
@WebhookEvent<Story>('story.published', {
  on: 'change',
  when: { changes: { state: { from: 'DRAFT', to: 'PUBLISHED' } } },
  payload: () => ({}),
})
class Story {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @Column({ default: 'DRAFT' }) state!: string;
  @Column({ type: 'simple-json', nullable: true }) extra!: object | null;
  @Column({ select: false, default: '' }) secret!: string;
  @Column(() => Place) place!: Place;
  @ManyToOne(() => Writer, { nullable: true }) writer!: Writer | null;
  @UpdateDateColumn() updatedAt!: Date;
  @VersionColumn() version!: number;
}

/** A relation whose key is a property as well. */
@Entity()
@WebhookEvent<Draft>('draft.given', {
  on: { change: ['writer'] },
  payload: (_, { changes }) => changes,
})
class Draft {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'int', nullable: true }) writerId!: number | null;
  @ManyToOne(() => Writer, { nullable: true }) @JoinColumn({ name: 'writerId' }) writer!: Writer;
}

/** One event names the hidden column, one reads it in its condition, the others do not know it. */
@Entity()
@WebhookEvent<Account>('account.changed', { on: 'change', payload: (row) => row })
@WebhookEvent<Account>('account.password', {
  on: { change: ['hash'] },
  payload: (_, { changes, before }) => ({ changes, before }),
})
@WebhookEvent<Account>('account.reset', { on: 'change', when: { hash: { nowEq: 'none' } } })
class Account {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @Column({ select: false, default: '' }) hash!: string;
  @ManyToOne(() => Writer, { nullable: true }) friend!: Writer | null;
}

@Entity()
class Shelf {
  @PrimaryColumn() room!: string;
  @PrimaryColumn() row!: number;
}

/** Conditions on what a relation was and is: its id, or the columns of its key. */
@Entity()
@Webhooks<Book>({ payload: () => ({}) })
@WebhookEvent<Book>('book.returned', {
  on: 'change',
  when: { changes: { reader: { from: { gt: 0 }, to: null } } },
})
@WebhookEvent<Book>('book.moved', {
  on: 'change',
  when: { changes: { shelf: { from: { room: 'A' }, to: { room: { ne: 'A' }, row: { gte: 2 } } } } },
})
@WebhookEvent<Book>('book.sent', {
  on: 'change',
  when: { changes: { place: { to: { city: { startsWith: 'L' } } } } },
})
class Book {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => Writer, { nullable: true }) reader!: Writer | null;
  @ManyToOne(() => Shelf, { nullable: true }) shelf!: Shelf | null;
  @Column(() => Place) place!: Place;
}

@Entity()
@WebhookEvent<Plain>('plain.titled', {
  on: { change: ['title'] },
  payload: ({ title, writer }) => `${title} by ${writer?.name ?? null}`,
  relations: ['writer'],
})
class Plain {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @Column({ default: '' }) note!: string;
  @ManyToOne(() => Writer, { nullable: true }) writer!: Writer | null;
}

describe.each(DATABASES_ALIKE)('the changed fields of a row, on %s', (kind) => {
  let app: CaptureApp;
  let ada: Writer;
  let bob: Writer;

  beforeAll(async () => {
    app = await openCaptureApp(kind, [Writer, Story, Draft, Account, Plain, Shelf, Book]);
    [ada, bob] = (await app.dataSource.manager.save(Writer, [
      { name: 'Ada' },
      { name: 'Bob' },
    ])) as [Writer, Writer];
  });
  afterAll(() => app.close());
  beforeEach(() => void app.received());

  const stored = async (values: object = {}): Promise<number> => {
    const { id } = await app.dataSource.manager.save(Story, { title: 'A', writer: ada, ...values });
    app.received();
    return id;
  };
  const update = (id: number, values: object) =>
    app.dataSource.manager.save(Story, { id, ...values });

  it('are empty when the row is created', async () => {
    await app.dataSource.manager.save(Story, { title: 'A' });
    expect(app.received()).toEqual(['story.saved {}']);
  });

  it('are told with their values before and after, once for a whole transaction', async () => {
    const id = await stored({ extra: { a: 1 } });
    await update(id, { title: 'B', extra: { a: 2 } });
    expect(app.received()[0]).toBe(
      'story.saved {"title":{"from":"A","to":"B"},"extra":{"from":{"a":1},"to":{"a":2}}}',
    );
    await app.dataSource.transaction(async (manager) => {
      await manager.save(Story, { id, title: 'C', state: 'PUBLISHED' });
      await manager.save(Story, { id, title: 'D', state: 'DRAFT' });
    });
    expect(app.received()).toEqual([
      'story.saved {"title":{"from":"B","to":"D"}}',
      'story.edited {"title":{"from":"B","to":"D"}}',
    ]);
  });

  it('are ids for a relation, whether its rows were loaded or not', async () => {
    const id = await stored();
    await update(id, { writer: { id: bob.id } });
    expect(app.received()).toEqual([
      `story.saved {"writer":{"from":${ada.id},"to":${bob.id}}}`,
      'story.given {}',
    ]);
    await update(id, { writer: null });
    expect(app.received()).toContain(`story.saved {"writer":{"from":${bob.id},"to":null}}`);
  });

  it('are one for a relation and the property that holds its key', async () => {
    const { manager } = app.dataSource;
    const { id } = await manager.save(Draft, { writer: ada });
    await manager.save(Draft, { id, writerId: bob.id });
    const change = (from: Writer, to: Writer) => ({ from: from.id, to: to.id });
    expect(app.bodies().map(({ data }) => data)).toEqual([
      { writerId: change(ada, bob), writer: change(ada, bob) },
    ]);
    await manager.save(Draft, { id, writer: ada });
    expect(app.bodies().map(({ data }) => data)).toEqual([
      { writerId: change(bob, ada), writer: change(bob, ada) },
    ]);
  });

  it('are whole for an embedded object, without its hidden columns', async () => {
    const id = await stored({ place: { city: 'Rome', door: '1' } });
    await update(id, { place: { city: 'Oslo' } });
    const moved = '{"place":{"from":{"city":"Rome"},"to":{"city":"Oslo"}}}';
    expect(app.received()).toEqual([`story.saved ${moved}`, `story.moved ${moved}`]);
  });

  it('decide which events are sent', async () => {
    const id = await stored();
    await update(id, { extra: { a: 1 } });
    expect(app.received()).toEqual(['story.saved {"extra":{"from":null,"to":{"a":1}}}']);
    await update(id, { state: 'PUBLISHED' });
    expect(app.received().map((text) => text.split(' ')[0])).toEqual([
      'story.saved',
      'story.edited',
      'story.published',
    ]);
    await update(id, { state: 'GONE' });
    await update(id, { state: 'PUBLISHED' });
    expect(app.received()).not.toContain('story.published {}');
  });

  it('decide which events are sent where the row alone can tell what has changed', async () => {
    const id = await stored();
    const { manager } = app.dataSource;
    await manager.update(Story, { id }, { title: () => 'title', extra: { a: 1 } });
    expect(app.received()).toEqual(['story.saved {"extra":{"from":null,"to":{"a":1}}}']);
  });

  it('cost no query when none that an event names was set', async () => {
    const { manager } = app.dataSource;
    const { id } = await manager.save(Plain, { title: 'A' });
    app.queries();
    await manager.save(Plain, { id, note: 'x' });
    const selects = app.queries().filter((sql) => sql.startsWith('SELECT'));
    expect(selects).toHaveLength(1);
    await manager.save(Plain, { id, title: 'B' });
    expect(app.received()).toEqual(['plain.titled "B by null"']);
  });

  it('are none that can be shown when a hidden column alone changes', async () => {
    const id = await stored({ place: { city: 'Rome', door: '1' } });
    await update(id, { secret: 'x', place: { door: '2' } });
    expect(app.received()).toEqual([]);
  });

  it('count a hidden column for the events that name it, and never show it', async () => {
    const { manager } = app.dataSource;
    const { id } = await manager.save(Account, { name: 'Ada', hash: 'one' });
    await manager.save(Account, { id, hash: 'two' });
    expect(app.received()).toEqual([
      `account.password {"changes":{},"before":{"id":${id},"name":"Ada"}}`,
    ]);
    await manager.save(Account, { id, hash: 'none', name: 'Eve' });
    expect(app.received()).toEqual([
      `account.changed {"id":${id},"name":"Eve"}`,
      `account.password {"changes":{"name":{"from":"Ada","to":"Eve"}},"before":{"id":${id},"name":"Ada"}}`,
      'account.reset {}',
    ]);
    await manager.save(Account, { id, hash: 'none' });
    expect(app.received()).toEqual([]);
    // The row before was read for the hidden column, and its relation was not.
    await manager.save(Account, { id, friend: ada });
    app.received();
    await manager.save(Account, { id, hash: 'three', friend: bob });
    expect(app.bodies()).toContainEqual(
      expect.objectContaining({
        type: 'account.password',
        data: expect.objectContaining({
          changes: { friend: { from: ada.id, to: bob.id } },
        }) as unknown,
      }),
    );
  });

  it('fit conditions on the key of a relation and on the fields of an embedded object', async () => {
    const { manager } = app.dataSource;
    const [a1, b1, b2] = await manager.save(Shelf, [
      { room: 'A', row: 1 },
      { room: 'B', row: 1 },
      { room: 'B', row: 2 },
    ]);
    const { id } = await manager.save(Book, { reader: ada, shelf: a1!, place: { city: 'Rome' } });
    app.received();
    await manager.save(Book, { id, shelf: b1! });
    await manager.save(Book, { id, shelf: a1! });
    await manager.save(Book, { id, reader: bob, place: { city: 'Bonn' } });
    expect(app.received()).toEqual([]);
    await manager.save(Book, { id, shelf: b2! });
    await manager.save(Book, { id, reader: null });
    await manager.save(Book, { id, place: { city: 'Lyon' } });
    expect(app.received()).toEqual(['book.moved {}', 'book.returned {}', 'book.sent {}']);
  });
});
