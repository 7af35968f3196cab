import { TypeOrmModule } from '@nestjs/typeorm';
import { Column, Entity, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import { InvalidInputError, WebhookEvent, Webhooks } from '../../lib/index.js';
import { blogDatabases, User } from '../support/apps/blog.js';
import { useRunningBlog } from '../support/apps/running-blog.js';

@Entity()
@Webhooks<Book>({
  payload: (book) => ({ title: book.title, by: book.author?.name }),
  relations: ['author'],
})
@WebhookEvent<Book>('book.changed', { on: 'change' })
@WebhookEvent<Book>('book.published', { on: 'change', when: { state: { nowEq: 'PUBLISHED' } } })
@WebhookEvent<Book>('book.{shelf}.moved', { on: 'change' })
@WebhookEvent<Book>('book.priced', {
  on: 'change',
  payload: ({ price }) => ({ price: price === null ? Number.NaN : price }),
})
class Book {
  @PrimaryColumn()
  shelf!: string;

  @PrimaryColumn()
  place!: number;

  @Column()
  title!: string;

  @Column({ default: 'DRAFT' })
  state!: string;

  @Column({ type: 'int', nullable: true })
  price!: number | null;

  @ManyToOne(() => User, { nullable: true })
  author!: Relation<User> | null;
}

describe.each(blogDatabases)('events by hand, on %s', (type) => {
  const blog = useRunningBlog(type, ['book.*'], { bulk: 'warn' }, [
    TypeOrmModule.forFeature([Book]),
  ]);

  beforeAll(async () => {
    const author = await blog.dataSource.manager.save(User, { name: 'ada' });
    const books = Array.from({ length: 25 }, (_, index) => ({
      shelf: index % 2 === 0 ? 'a' : 'b',
      place: index,
      title: `book ${index}`,
      author,
    }));
    await blog.dataSource
      .createQueryBuilder()
      .insert()
      .into(Book)
      .values(books)
      .callListeners(false)
      .execute();
  });

  it('use the row as read again, not the instance', async () => {
    const half = blog.dataSource
      .getRepository(Book)
      .create({ shelf: 'a', place: 0, title: 'not saved' });

    await expect(blog.dispatcher.sendFor(half, 'book.changed')).resolves.toMatchObject({
      state: 'delivered',
    });

    expect(blog.receiver.json().data).toEqual({ title: 'book 0', by: 'ada' });
  });

  it('obey their condition and fill their names', async () => {
    const book = await blog.dataSource
      .getRepository(Book)
      .findOneByOrFail({ shelf: 'b', place: 1 });

    await expect(blog.dispatcher.sendFor(book, 'book.published')).resolves.toBeNull();
    await blog.dispatcher.sendFor(book, 'book.{shelf}.moved');

    expect(blog.receiver.events).toEqual(['book.b.moved']);
  });

  it('cover a bulk update: each matching row once, in batches', async () => {
    await blog.dataSource.getRepository(Book).update({ shelf: 'a' }, { state: 'PUBLISHED' });

    const summary = await blog.dispatcher.sendFor(Book, { where: {}, batch: 4 }, 'book.published');

    expect(summary).toEqual({ rows: 25, sent: 13 });
    const titles = blog.receiver.requests.map(
      (_, index) => (blog.receiver.json(index).data as { title: string }).title,
    );
    expect(new Set(titles).size).toBe(13);
    expect(titles).toHaveLength(13);
  });

  it('accept conditions on relations', async () => {
    const summary = await blog.dispatcher.sendFor(
      Book,
      { where: { author: { name: 'nobody' } } },
      'book.changed',
    );

    expect(summary).toEqual({ rows: 0, sent: 0 });
  });

  it('belong to the transaction of a manager', async () => {
    await blog.dataSource
      .transaction(async (manager) => {
        await manager.update(Book, { shelf: 'a', place: 0 }, { title: 'new' });
        await blog.dispatcher.sendFor(Book, { where: { place: 0 } }, 'book.changed', { manager });
        throw new Error('no');
      })
      .catch(() => undefined);
    await blog.dataSource.transaction(async (manager) => {
      await manager.update(Book, { shelf: 'a', place: 2 }, { title: 'newer' });
      await blog.dispatcher.sendFor(Book, { where: { place: 2 } }, 'book.changed', { tx: manager });
      expect(blog.receiver.requests).toEqual([]);
    });
    await blog.receiver.waitFor(1);

    expect(blog.receiver.json().data).toEqual({ title: 'newer', by: 'ada' });
    expect(blog.receiver.requests).toHaveLength(1);
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'an event that the entity does not have',
      () => blog.dispatcher.sendFor(Book, { where: {} }, 'book.burnt'),
      /Its events: book\.changed/,
    ],
    [
      'what is no transaction',
      () => blog.dispatcher.sendFor(Book, { where: {} }, 'book.changed', { tx: {} }),
      /^tx must be one of TypeORM's EntityManagers/,
    ],
    [
      'something that is no entity',
      () => blog.dispatcher.sendFor(new Date(), 'book.changed'),
      /Date is not an entity/,
    ],
    [
      'an instance without its id',
      () => blog.dispatcher.sendFor(new Book(), 'book.changed'),
      /must have its id/,
    ],
    [
      'criteria that do not say which rows',
      () => blog.dispatcher.sendFor(Book, {} as never, 'book.changed'),
      /where must say/,
    ],
    [
      'a wrong batch',
      () => blog.dispatcher.sendFor(Book, { where: {}, batch: 0 }, 'book.changed'),
      /batch must be/,
    ],
    [
      'a value that cannot be encoded',
      () => blog.dispatcher.sendFor(Book, { where: {} }, 'book.priced'),
      /price/,
    ],
  ])('reject %s, and send no event', async (_, send, message) => {
    const error = await send().then(
      () => expect.unreachable('it was sent'),
      (reason: Error) => reason,
    );

    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error.message).toMatch(message);
    expect(blog.receiver.requests).toEqual([]);
  });
});
