import { Logger } from '@nestjs/common';
import { Entity, ManyToOne, type ObjectLiteral, PrimaryGeneratedColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';
import { Article, Author, MAGAZINE, Tag } from '../support/fixtures/magazine.js';

/** Keeps a row from being removed. */
@Entity()
class Pin {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => Tag, { onDelete: 'RESTRICT' }) tag!: Tag;
  @ManyToOne(() => Article, { onDelete: 'RESTRICT' }) article!: Article;
}

describe.each(DATABASES_ALIKE)('links that are lost with a removed row, on %s', (kind) => {
  let app: CaptureApp;

  beforeAll(async () => {
    app = await openCaptureApp(kind, [...MAGAZINE, Pin], { bulkLimit: 20 });
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

  it('are told, of a relation that only its other side knows', async () => {
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

  it('are told of rows that are deleted by criteria as well', async () => {
    const { manager } = app.dataSource;
    const tag = await save(Tag, { name: 'crit' });
    const article = await save(Article, { title: 'Crit', tags: [tag] });
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
    ]);
  });

  it('are not told when the database refuses the removal', async () => {
    const tag = await save(Tag, { name: 'pinned' });
    const article = await save(Article, { title: 'One', tags: [tag] });
    await save(Pin, { tag, article });
    const fine = await save(Article, { title: 'Fine' });
    await save(Author, { name: 'Fan', favourites: [fine] });
    const { id } = fine;
    await app.dataSource.transaction(async (outer) => {
      const inner = outer.transaction((manager) => manager.remove(tag));
      await expect(inner).rejects.toThrow(/constraint/i);
      await outer.remove(fine);
    });
    expect(sent()).toEqual([
      'article.removed {"title":"Fine"}',
      `author.liked {"name":"Fan","on":"removed","ids":[${id}]}`,
    ]);
  });

  it('are refused before anything is removed when they are more than may be captured', async () => {
    const { manager } = app.dataSource;
    const tag = await save(Tag, { name: 'common' });
    const titles = Array.from({ length: 21 }, (_, index) => `${index}`);
    await manager.save(
      Article,
      titles.map((title) => ({ title, tags: [tag] })),
    );
    app.received();
    const { id } = tag;
    for (const remove of [() => manager.remove(tag), () => manager.delete(Tag, { id })]) {
      await expect(remove()).rejects.toMatchObject({
        code: 'THORN_BULK_WRITE',
        message: expect.stringMatching(
          /^Article: removal of linked rows hits more than 20 rows \(bulkLimit\) and is refused before/,
        ) as unknown,
      });
    }
    expect(app.received()).toEqual([]);
    expect(await manager.countBy(Tag, { name: 'common' })).toBe(1);
  });
});

// SQLite has one writer alone.
describe.each(['postgres', 'mariadb'] as const)(
  'a link to a removed row that others write meanwhile, on %s',
  (kind) => {
    let app: CaptureApp;

    beforeAll(async () => {
      app = await openCaptureApp(kind, MAGAZINE);
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

    const removals = {
      remove: (tag: Tag) => app.dataSource.manager.remove(tag),
      delete: ({ name }: Tag) => app.dataSource.manager.delete(Tag, { name }),
    };
    describe.each(['remove', 'delete'] as const)('by %s()', (name) => {
      it('is not told when it was cut', async () => {
        const tag = await save(Tag, { name: `cut by ${name}` });
        const { id } = await save(Article, { title: 'Tagged', tags: [tag] });
        await removeDuring(
          `DELETE FROM article_tags_tag WHERE ${app.dataSource.driver.escape('articleId')} = ${id}`,
          () => removals[name](tag),
        );
        expect(sent()).toEqual([]);
      });

      it('is told when it was made', async () => {
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
  },
);

it.each(DATABASES_ALIKE)('sends no event of too many links, and warns, on %s', async (kind) => {
  const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  const app = await openCaptureApp(kind, MAGAZINE, { bulkLimit: 2, bulkOverflow: 'warn' });
  try {
    const { manager } = app.dataSource;
    for (const name of ['First', 'Second']) {
      const tag = await manager.save(Object.assign(new Tag(), { name }));
      const titles = ['1', '2', '3'];
      await manager.save(
        Article,
        titles.map((title) => ({ title, tags: [tag] })),
      );
      app.received();
      if (name === 'First') await manager.remove(tag);
      else await manager.delete(Tag, { name });
      expect(app.received()).toEqual([]);
      expect(await manager.count(Tag)).toBe(0);
    }
    const lines = warn.mock.calls.map(([text]) => String(text));
    expect(lines).toEqual([
      expect.stringMatching(/^Article: removal of linked rows hits more than 2 rows \(bulkLimit\)/),
    ]);
  } finally {
    warn.mockRestore();
    await app.close();
  }
});
