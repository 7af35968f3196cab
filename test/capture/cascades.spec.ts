import { Logger } from '@nestjs/common';
import {
  Column,
  Entity,
  ManyToOne,
  type ObjectLiteral,
  PrimaryColumn,
  PrimaryGeneratedColumn,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';
import {
  Article,
  Author,
  Comment,
  MAGAZINE,
  Note,
  Profile,
  Tag,
} from '../support/fixtures/magazine.js';

/** Three floors, of which the one between has no events, with keys of two columns. */
@Entity()
class Street {
  @PrimaryColumn() city!: string;
  @PrimaryColumn() name!: string;
}
@Entity()
class House {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => Street, { onDelete: 'CASCADE' }) street!: Street;
}
@Entity()
@Webhooks<Flat>({ cascades: true })
@WebhookEvent<Flat>('flat.gone', { on: 'delete', payload: ({ door }) => door })
class Flat {
  @PrimaryGeneratedColumn() id!: number;
  @Column() door!: string;
  @ManyToOne(() => House, { onDelete: 'CASCADE' }) house!: House;
}

/** Keeps a row from being removed. */
@Entity()
class Pin {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => Tag, { onDelete: 'RESTRICT' }) tag!: Tag;
  @ManyToOne(() => Article, { onDelete: 'RESTRICT' }) article!: Article;
}

describe.each(DATABASES_ALIKE)('what is lost with a removed row, on %s', (kind) => {
  let app: CaptureApp;

  beforeAll(async () => {
    app = await openCaptureApp(kind, [...MAGAZINE, Pin], { cascades: true, bulkLimit: 20 });
  });
  afterAll(() => app.close());
  beforeEach(() => void app.received());

  const save = async <Row extends ObjectLiteral>(
    type: new () => Row,
    values: object,
  ): Promise<Row> => {
    const row = await app.dataSource.manager.save(type, values as Row);
    app.received();
    return app.dataSource.manager.findOneByOrFail(type, { id: row['id'] as number } as never);
  };
  const sent = () => app.received().sort();

  it('includes the links of a relation that only its other side knows', async () => {
    const [red, blue] = [await save(Tag, { name: 'red' }), await save(Tag, { name: 'blue' })];
    const [redId, blueId] = [red.id, blue.id];
    await save(Article, { title: 'One', tags: [red, blue] });
    await save(Article, { title: 'Two', tags: [red] });
    await app.dataSource.manager.remove(red);
    expect(sent()).toEqual([
      `article.tags {"title":"One","on":"removed","ids":[${redId}]}`,
      `article.tags {"title":"Two","on":"cleared","ids":[${redId}]}`,
      `article.tags {"title":"Two","on":"removed","ids":[${redId}]}`,
    ]);
    await app.dataSource.manager.remove([blue]);
    expect(sent()).toEqual([
      `article.tags {"title":"One","on":"cleared","ids":[${blueId}]}`,
      `article.tags {"title":"One","on":"removed","ids":[${blueId}]}`,
    ]);
  });

  it('includes rows that refer to it, and those that refer to them', async () => {
    const article = await save(Article, { title: 'One' });
    const other = await save(Article, { title: 'Other' });
    const first = await save(Comment, { text: 'first', article });
    await save(Comment, { text: 'answer', article: other, answers: first });
    await save(Comment, { text: 'own', article, answers: first });
    await save(Note, { text: 'note', article });
    const { id } = article;
    await save(Author, { name: 'Fan', favourites: [article] });
    await app.dataSource.manager.remove(article);
    expect(sent()).toEqual([
      'article.removed {"title":"One"}',
      `author.liked {"name":"Fan","on":"removed","ids":[${id}]}`,
      'comment.removed {"text":"answer","of":"Other"}',
      'comment.removed {"text":"first","of":"One"}',
      'comment.removed {"text":"own","of":"One"}',
      'note.removed {"text":"note"}',
    ]);
    expect(await app.dataSource.manager.countBy(Comment, { text: 'answer' })).toBe(0);
  });

  it('includes the changes of rows that are released', async () => {
    const author = await save(Author, { name: 'Ada' });
    const { id } = author;
    await save(Article, { title: 'One', author });
    await save(Profile, { text: 'p', author });
    await app.dataSource.manager.remove(author);
    expect(sent()).toEqual([
      `article.changed {"title":"One","author":{"from":${id},"to":null}}`,
      `article.left {"title":"One","left":${id}}`,
      `profile.changed {"text":"p","changes":{"author":{"from":${id},"to":null}}}`,
    ]);
  });

  it('is told once, also of rows that the save removes itself', async () => {
    const article = await save(Article, { title: 'One', comments: [{ text: 'a' }, { text: 'b' }] });
    const comment = await app.dataSource.manager.findOneByOrFail(Comment, {
      text: 'a',
      article: { id: article.id },
    });
    await app.dataSource.manager.remove([comment, article]);
    expect(sent()).toEqual([
      'article.removed {"title":"One"}',
      'comment.removed {"text":"a","of":"One"}',
      'comment.removed {"text":"b","of":"One"}',
    ]);
  });

  it('is told of rows that are deleted by criteria as well', async () => {
    const { manager } = app.dataSource;
    const tag = await save(Tag, { name: 'crit' });
    const article = await save(Article, { title: 'Crit', tags: [tag], comments: [{ text: 'a' }] });
    await save(Author, { name: 'Fan', favourites: [article] });
    await manager.delete(Tag, { name: 'crit' });
    expect(sent()).toEqual([
      `article.tags {"title":"Crit","on":"cleared","ids":[${tag.id}]}`,
      `article.tags {"title":"Crit","on":"removed","ids":[${tag.id}]}`,
    ]);
    await manager.createQueryBuilder().delete().from(Article).where({ title: 'Crit' }).execute();
    expect(sent()).toEqual([
      'article.removed {"title":"Crit"}',
      `author.liked {"name":"Fan","on":"removed","ids":[${article.id}]}`,
      'comment.removed {"text":"a","of":"Crit"}',
    ]);
    const author = await save(Author, { name: 'Gone' });
    await save(Article, { title: 'Left', author });
    await manager.delete(Author, { name: 'Gone' });
    expect(sent()).toEqual([
      `article.changed {"title":"Left","author":{"from":${author.id},"to":null}}`,
      `article.left {"title":"Left","left":${author.id}}`,
    ]);
  });

  it('is nothing for a row that is removed softly', async () => {
    const article = await save(Article, { title: 'One' });
    const note = await save(Note, { text: 'n', article });
    await app.dataSource.manager.softRemove(note);
    expect(sent()).toEqual(['note.removed {"text":"n"}']);
    // It is gone for its events already.
    await app.dataSource.manager.remove(article);
    expect(sent()).toEqual(['article.removed {"title":"One"}']);
  });

  it('is nothing when the database refuses the removal', async () => {
    const tag = await save(Tag, { name: 'pinned' });
    const article = await save(Article, { title: 'One', tags: [tag] });
    await save(Pin, { tag, article });
    const fine = await save(Article, { title: 'Fine', comments: [{ text: 'gone' }] });
    await app.dataSource.transaction(async (outer) => {
      const inner = outer.transaction((manager) => manager.remove(tag));
      await expect(inner).rejects.toThrow(/constraint/i);
      await outer.remove(fine);
    });
    expect(sent()).toEqual([
      'article.removed {"title":"Fine"}',
      'comment.removed {"text":"gone","of":"Fine"}',
    ]);
  });

  it('is refused before anything is removed when it is more than may be captured', async () => {
    const comments = Array.from({ length: 21 }, (_, index) => ({ text: `${index}` }));
    const article = await save(Article, { title: 'Long', comments });
    await expect(app.dataSource.manager.remove(article)).rejects.toMatchObject({
      code: 'THORN_BULK_WRITE',
      message: expect.stringMatching(
        /^Article: a removal takes more than 20 .*bulkLimit/,
      ) as unknown,
    });
    expect(app.received()).toEqual([]);
    expect(await app.dataSource.manager.countBy(Article, { title: 'Long' })).toBe(1);
  });
});

// SQLite has one writer alone.
describe.each(['postgres', 'mariadb'] as const)(
  'what is lost with a row that others write to meanwhile, on %s',
  (kind) => {
    let app: CaptureApp;

    beforeAll(async () => {
      app = await openCaptureApp(kind, MAGAZINE, { cascades: true });
    });
    afterAll(() => app.close());

    const save = async <Row extends ObjectLiteral>(
      type: new () => Row,
      values: object,
    ): Promise<Row> => {
      const row = await app.dataSource.manager.save(type, values as Row);
      app.received();
      return app.dataSource.manager.findOneByOrFail(type, { id: row['id'] as number } as never);
    };
    const sent = () => app.received().sort();
    const someoneWaits =
      kind === 'postgres'
        ? `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
        : `SELECT 1 FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = trx_mysql_thread_id WHERE db = database() AND trx_state = 'LOCK WAIT'`;

    /** Makes a removal wait for another transaction that has written already. */
    const removeDuring = async (write: string, removal: () => Promise<unknown>): Promise<void> => {
      const other = app.dataSource.createQueryRunner();
      await other.startTransaction();
      await other.query(write);
      const removed = removal();
      await vi.waitFor(
        async () => expect(await app.dataSource.query(someoneWaits)).toHaveLength(1),
        // MariaDB looks anew only when it was not asked for a tenth of a second.
        { interval: kind === 'mariadb' ? 150 : 20 },
      );
      await other.commitTransaction();
      await other.release();
      await removed;
    };

    it('a row that was changed', async () => {
      const article = await save(Article, { title: 'Busy', comments: [{ text: 'old' }] });
      await removeDuring(`UPDATE comment SET text = 'new' WHERE text = 'old'`, () =>
        app.dataSource.manager.remove(article),
      );
      expect(sent()).toEqual([
        'article.removed {"title":"Busy"}',
        'comment.removed {"text":"new","of":"Busy"}',
      ]);
    });

    const removals = {
      remove: (tag: Tag) => app.dataSource.manager.remove(tag),
      delete: ({ name }: Tag) => app.dataSource.manager.delete(Tag, { name }),
    };
    describe.each(['remove', 'delete'] as const)('by %s()', (name) => {
      it('a link that was cut', async () => {
        const tag = await save(Tag, { name: `cut by ${name}` });
        const { id } = await save(Article, { title: 'Tagged', tags: [tag] });
        await removeDuring(
          `DELETE FROM article_tags_tag WHERE ${app.dataSource.driver.escape('articleId')} = ${id}`,
          () => removals[name](tag),
        );
        expect(sent()).toEqual([]);
      });

      it('a link that was made', async () => {
        const tag = await save(Tag, { name: `made by ${name}` });
        const { id } = tag;
        const article = await save(Article, { title: 'Tagged' });
        await removeDuring(`INSERT INTO article_tags_tag VALUES (${article.id}, ${id})`, () =>
          removals[name](tag),
        );
        expect(sent()).toEqual([
          `article.tags {"title":"Tagged","on":"cleared","ids":[${id}]}`,
          `article.tags {"title":"Tagged","on":"removed","ids":[${id}]}`,
        ]);
      });
    });

    it('a row that came to refer to it', async () => {
      const article = await save(Article, { title: 'Busy' });
      await removeDuring(
        `INSERT INTO comment (text, ${app.dataSource.driver.escape('articleId')}) VALUES ('late', ${article.id})`,
        () => app.dataSource.manager.remove(article),
      );
      expect(sent()).toEqual([
        'article.removed {"title":"Busy"}',
        'comment.removed {"text":"late","of":"Busy"}',
      ]);
    });
  },
);

describe.each(DATABASES_ALIKE)('cascades that an entity asks for, on %s', (kind) => {
  let app: CaptureApp;

  beforeAll(async () => {
    app = await openCaptureApp(kind, [...MAGAZINE, Street, House, Flat]);
  });
  afterAll(() => app.close());

  it('are followed through entities without events', async () => {
    const { manager } = app.dataSource;
    const street = await manager.save(Street, { city: 'Rome', name: 'Via Appia' });
    const other = await manager.save(Street, { city: 'Oslo', name: 'Via Appia' });
    for (const [door, of] of [
      ['1', street],
      ['2', other],
    ] as const) {
      const house = await manager.save(House, { street: of });
      await manager.save(Flat, [
        { door: `${door}a`, house },
        { door: `${door}b`, house },
      ]);
    }
    await manager.remove(Street, street);
    expect(app.received().sort()).toEqual(['flat.gone "1a"', 'flat.gone "1b"']);
  });

  it('cost nothing of entities that do not', async () => {
    const { manager } = app.dataSource;
    const { id } = await manager.save(Author, { name: 'Ada' });
    await manager.save(Article, { title: 'One', author: { id } });
    const author = await manager.findOneByOrFail(Author, { id });
    app.received();
    app.queries();
    await manager.remove(author);
    expect(app.received()).toEqual([]);
    expect(app.queries().filter((sql) => sql.includes('thorn_'))).toEqual([]);
  });
});

it.each(DATABASES_ALIKE)(
  'sends no event of a cascade that is too large, and warns, on %s',
  async (kind) => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const options = { cascades: true, bulkLimit: 2, bulkOverflow: 'warn' } as const;
    const app = await openCaptureApp(kind, MAGAZINE, options);
    try {
      const { manager } = app.dataSource;
      for (const title of ['First', 'Second']) {
        const comments = ['1', '2', '3'].map((text) => ({ text }));
        await manager.save(Article, { title, comments });
        app.received();
        if (title === 'First')
          await manager.remove(await manager.findOneByOrFail(Article, { title }));
        else await manager.delete(Article, { title });
        expect(app.received()).toEqual([`article.removed {"title":"${title}"}`]);
        expect(await manager.count(Article)).toBe(0);
      }
      const lines = warn.mock.calls.map(([text]) => String(text));
      expect(lines).toEqual([
        expect.stringMatching(/^Article: a removal takes more than 2 other rows and links with it/),
      ]);
    } finally {
      warn.mockRestore();
      await app.close();
    }
  },
);
