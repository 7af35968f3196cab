import {
  Column,
  DeleteDateColumn,
  Entity,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';

@Entity()
class Person {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

@Entity()
@Webhooks<Article>({
  payload: ({ title, state, summary }) => ({ title, state, summary }),
  ref: '/articles/{id}',
  owner: 'author.id',
})
@WebhookEvent<Article>('article.created', { on: 'create' })
@WebhookEvent<Article>('article.changed', { on: 'change' })
@WebhookEvent<Article>('article.removed', {
  on: 'delete',
  payload: ({ title, author }) => ({ title, author: author?.name ?? null }),
  relations: ['author'],
})
@WebhookEvent<Article>('article.published', {
  on: 'change',
  when: { state: { nowEq: 'PUBLISHED' } },
})
class Article {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @Column({ default: 'DRAFT' }) state!: string;
  @Column({ type: 'varchar', nullable: true }) summary!: string | null;
  @Column({ select: false, default: 'none' }) secret!: string;
  @ManyToOne(() => Person, { nullable: true }) author!: Person | null;
  @DeleteDateColumn() deletedAt!: Date | null;
}

@Entity()
@WebhookEvent<Seat>('seat.taken', { on: 'change', payload: (seat) => ({ ...seat }) })
@WebhookEvent<Seat>('seat.gone', {
  on: 'delete',
  payload: ({ by }) => ({ by }),
  softRemoval: false,
})
class Seat {
  @PrimaryColumn() row!: string;
  @PrimaryColumn() number!: number;
  @Column({ type: 'varchar', nullable: true }) by!: string | null;
}

describe.each(CAPTURE_DATABASES)('entity events on %s', (kind) => {
  let rig: CaptureApp;
  let ada: Person;

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Person, Article, Seat], {
      baseUrl: 'https://blog.example.com',
    });
    ada = await rig.dataSource.manager.save(Person, { name: 'Ada' });
  });
  afterAll(() => rig.close());
  beforeEach(() => rig.received());

  const articles = () => rig.dataSource.getRepository(Article);
  const stored = async (fields: Partial<Article> = {}): Promise<Article> => {
    const { id } = await articles().save({ title: 'One', author: ada, ...fields });
    rig.received();
    return articles().findOneByOrFail({ id });
  };

  it('sends create with the values that the database filled in', async () => {
    const { id } = await articles().save({ title: 'One', author: ada });
    expect(rig.bodies()).toMatchObject([
      {
        type: 'article.created',
        ref: `https://blog.example.com/articles/${id}`,
        owner: String(ada.id),
        data: { title: 'One', state: 'DRAFT', summary: null },
      },
    ]);
  });

  it('sends change with the whole row although a part of it was saved', async () => {
    const { id } = await stored({ summary: 'Kept' });
    await articles().save({ id, title: 'Two' });
    expect(rig.bodies()).toMatchObject([
      {
        type: 'article.changed',
        owner: String(ada.id),
        data: { title: 'Two', state: 'DRAFT', summary: 'Kept' },
      },
    ]);
  });

  it('sends a transition only when it happens', async () => {
    const article = await stored();
    await articles().save(Object.assign(article, { state: 'PUBLISHED' }));
    expect(rig.received().map((text) => text.split(' ')[0])).toEqual([
      'article.changed',
      'article.published',
    ]);
    await articles().save(Object.assign(article, { title: 'Again' }));
    expect(rig.received().map((text) => text.split(' ')[0])).toEqual(['article.changed']);
  });

  it('sends delete with the row as it was, relations included', async () => {
    const article = await stored();
    const { id } = article;
    await articles().remove(article);
    expect(rig.bodies()).toMatchObject([
      {
        type: 'article.removed',
        owner: String(ada.id),
        ref: `https://blog.example.com/articles/${id}`,
        data: { title: 'One', author: 'Ada' },
      },
    ]);
  });

  it('sends delete for a soft removal and create for a recovery', async () => {
    const article = await stored();
    await articles().softRemove(article);
    expect(rig.received()).toEqual([`article.removed {"title":"One","author":"Ada"}`]);
    await articles().recover(article);
    expect(rig.received()).toEqual([
      `article.created {"title":"One","state":"DRAFT","summary":null}`,
    ]);
  });

  it('drops events that are rolled back, by a transaction or a savepoint', async () => {
    await rig.dataSource
      .transaction(async (manager) => {
        await manager.save(Article, { title: 'Never' });
        throw new Error('no');
      })
      .catch(() => undefined);
    expect(rig.received()).toEqual([]);
    await rig.dataSource.transaction(async (manager) => {
      await manager.save(Article, { title: 'Outer', author: ada });
      await manager
        .transaction(async (inner) => {
          await inner.save(Article, { title: 'Inner', author: ada });
          throw new Error('no');
        })
        .catch(() => undefined);
    });
    expect(rig.bodies().map(({ data }) => data)).toMatchObject([{ title: 'Outer' }]);
  });

  it('identifies rows by composite ids', async () => {
    const seats = rig.dataSource.getRepository(Seat);
    await seats.save([
      { row: 'A', number: 1, by: null },
      { row: 'A', number: 2, by: null },
    ]);
    await seats.save([
      { row: 'A', number: 1, by: 'x' },
      { row: 'A', number: 2, by: 'y' },
    ]);
    expect(rig.received()).toEqual([
      'seat.taken {"row":"A","number":1,"by":"x"}',
      'seat.taken {"row":"A","number":2,"by":"y"}',
    ]);
    await seats.remove(await seats.findBy({ row: 'A' }));
    expect(rig.received().sort()).toEqual(['seat.gone {"by":"x"}', 'seat.gone {"by":"y"}']);
  });
});
