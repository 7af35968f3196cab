import { Column, Entity, ManyToOne, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

@Entity()
class Shelf {
  @PrimaryColumn() id!: number;
}

@Entity()
@Webhooks<Book>({ payload: ({ id }) => id })
@WebhookEvent<Book>('book.changed', { on: 'change' })
@WebhookEvent<Book>('book.moved', { on: { change: ['shelf'] } })
@WebhookEvent<Book>('book.titled', { on: { change: ['title'] } })
@WebhookEvent<Book>('book.removed', { on: 'delete' })
@WebhookEvent<Book>('book.coded', { on: { change: ['code'] } })
class Book {
  @PrimaryColumn() id!: number;
  @Column() title!: string;
  @Column({ type: 'varchar', nullable: true, select: false }) code!: string | null;
  @ManyToOne(() => Shelf, { nullable: true }) shelf!: Shelf | null;
}

/** Its events read the relation, before and after. */
@Entity()
@WebhookEvent<Copy>('copy.removed', { on: 'delete', relations: ['shelf'], payload: (row) => row })
@WebhookEvent<Copy>('copy.moved', {
  on: { change: ['shelf'] },
  relations: ['shelf'],
  payload: ({ shelf }, { changes }) => [shelf?.id, changes],
})
class Copy {
  @PrimaryColumn() id!: number;
  @ManyToOne(() => Shelf, { nullable: true }) shelf!: Shelf | null;
}

/** All of it is private. */
class Isbn {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  static of(value: unknown): string {
    return value instanceof Isbn ? value.#text : String(value);
  }
}

@Entity()
@Webhooks<Edition>({ payload: ({ isbn, n }) => [Isbn.of(isbn), n] })
@WebhookEvent<Edition>('edition', { on: ['create', 'change', 'delete'] })
class Edition {
  @PrimaryColumn({
    type: 'varchar',
    length: 20,
    transformer: { to: Isbn.of, from: (text: string) => new Isbn(text) },
  })
  isbn!: Isbn;
  @Column({ default: 0 }) n!: number;
}

describe.each(DATABASES_ALIKE)('values that are not in a row as it is read, on %s', (kind) => {
  let app: CaptureApp;
  const manager = () => app.dataSource.manager;

  beforeAll(async () => {
    app = await openCaptureApp(kind, [Shelf, Book, Copy, Edition]);
    await manager().insert(Shelf, [{ id: 1 }, { id: 2 }]);
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    await manager().createQueryBuilder().delete().from(Book).callListeners(false).execute();
    await manager().insert(Book, { id: 1, title: 'A', shelf: { id: 1 } });
    app.received();
  });

  it('may be the relation of a row that is removed and made anew', async () => {
    const replace = (row: object) =>
      manager().transaction(async (inner) => {
        await inner.delete(Book, 1);
        await inner.insert(Book, { id: 1, ...row });
      });
    await replace({ title: 'A', shelf: { id: 2 } });
    expect(app.received()).toEqual(['book.changed 1', 'book.moved 1']);
    await replace({ title: 'B', shelf: { id: 2 } });
    expect(app.received()).toEqual(['book.changed 1', 'book.moved 1', 'book.titled 1']);
  });

  it('may be a relation that is read of a row that is removed and made anew', async () => {
    const replace = (shelf: number) =>
      manager().transaction(async (inner) => {
        await inner.delete(Copy, 1);
        await inner.insert(Copy, { id: 1, shelf: { id: shelf } });
      });
    await manager().insert(Copy, { id: 1, shelf: { id: 1 } });
    await replace(1);
    expect(app.received()).toEqual([]);
    await replace(2);
    expect(app.received()).toEqual(['copy.moved [2,{"shelf":{"from":1,"to":2}}]']);
  });

  it('may be a hidden column that an upsert fills', async () => {
    const upsert = (code: string) => manager().upsert(Book, { id: 1, title: 'A', code }, ['id']);
    await upsert('x');
    expect(app.received()).toEqual(['book.coded 1']);
    await upsert('x');
    expect(app.received()).toEqual([]);
  });

  it('may be all of a primary key that is an object', async () => {
    const [a, b] = [new Isbn('a'), new Isbn('b')];
    await manager().insert(Edition, [{ isbn: a }, { isbn: b }]);
    expect(app.received()).toEqual(['edition ["a",0]', 'edition ["b",0]']);
    await manager().update(Edition, { n: 0 }, { n: 1 });
    expect(app.received().sort()).toEqual(['edition ["a",1]', 'edition ["b",1]']);
    await manager().delete(Edition, { n: 1 });
    expect(app.received().sort()).toEqual(['edition ["a",1]', 'edition ["b",1]']);
  });
});
