import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { openTransaction, waitsOrEnds } from '../support/apps/lock-waits.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';
import { Article, Author, Comment, MAGAZINE, Note, Profile } from '../support/fixtures/magazine.js';

describe.each(DATABASES_ALIKE)('changes from the other side of a relation, on %s', (kind) => {
  let app: CaptureApp;
  const warn = vi.spyOn(Logger.prototype, 'warn');

  beforeAll(async () => {
    // So that nothing passes for a bulk write.
    app = await openCaptureApp(kind, MAGAZINE, { bulk: 'throw' });
  });
  afterAll(() => app.close());
  beforeEach(() => {
    warn.mockReset().mockImplementation(() => undefined);
    return void app.received();
  });

  const manager = () => app.dataSource.manager;
  const written = async (title: string, author: Author | null = null): Promise<Article> => {
    const article = await manager().save(Article, { title, author });
    app.received();
    return article;
  };
  const author = async (name: string): Promise<Author> => manager().save(Author, { name });
  const withArticles = ({ id }: Author): Promise<Author> =>
    manager().findOneOrFail(Author, { where: { id }, relations: { articles: true } });

  it('are changes of the row that is added to a list, and of the one that is dropped', async () => {
    const ada = await withArticles(await author('Ada'));
    const [one, two] = [await written('One'), await written('Two')];
    ada.articles.push(one, two);
    await manager().save(ada);
    expect(app.received()).toEqual([
      `article.changed {"title":"One","author":{"from":null,"to":${ada.id}}}`,
      `article.changed {"title":"Two","author":{"from":null,"to":${ada.id}}}`,
    ]);
    const again = await withArticles(ada);
    again.articles = again.articles.filter(({ id }) => id !== one.id);
    await manager().save(again);
    expect(app.received()).toEqual([
      `article.changed {"title":"One","author":{"from":${ada.id},"to":null}}`,
      `article.left {"title":"One","left":${ada.id}}`,
    ]);
    expect(await withArticles(ada)).toMatchObject({ articles: [{ title: 'Two' }] });
    expect(warn).not.toHaveBeenCalled();
  });

  it('are told with both ends when a row moves, and when the list belongs to a new row', async () => {
    const ada = await author('Ada');
    const article = await written('One', ada);
    const eve = await manager().save(Author, { name: 'Eve', articles: [{ id: article.id }] });
    expect(app.received()).toEqual([
      `article.changed {"title":"One","author":{"from":${ada.id},"to":${eve.id}}}`,
      'article.adopted {"title":"One","from":"Ada","to":"Eve"}',
    ]);
  });

  it('are none when another transaction has set the relation to the same meanwhile', async () => {
    // It has one writer at a time.
    if (kind === 'sqlite') return;
    const { dataSource } = app;
    const [ada, article] = [await withArticles(await author('Ada')), await written('One')];
    const { runner, commit } = await openTransaction(dataSource);
    const { driver } = dataSource;
    await runner.query(
      `UPDATE article SET ${driver.escape('authorId')} = ${ada.id} WHERE id = ${article.id}`,
    );
    ada.articles.push(article);
    const saving = manager().save(ada);
    await waitsOrEnds(dataSource, saving).finally(commit);
    await saving;
    expect(app.received()).toEqual([]);
  });

  it('are one change of each row, whatever the order of the lists', async () => {
    const [ada, bob] = [await author('Ada'), await author('Bob')];
    const [one, two, three] = [
      await written('One', ada),
      await written('Two', ada),
      await written('Three', bob),
    ];
    await manager().save(Author, [
      { id: ada.id, articles: [{ id: three.id }] },
      { id: bob.id, articles: [{ id: two.id }] },
    ]);
    const change = (title: string, from: Author) =>
      expect.stringMatching(`^article\\.changed {"title":"${title}","author":{"from":${from.id},`);
    expect(app.received().filter((text) => text.startsWith('article.changed'))).toEqual(
      expect.arrayContaining([change('One', ada), change('Two', ada), change('Three', bob)]),
    );
    expect(await manager().findOneByOrFail(Article, { id: one.id })).toBeDefined();
  });

  it('are nothing when the transaction takes them back, or is rolled back', async () => {
    const ada = await author('Ada');
    const article = await written('One', ada);
    await app.dataSource.transaction(async (within) => {
      await within.save(Author, { id: ada.id, articles: [] });
      await within.save(Author, { id: ada.id, articles: [{ id: article.id }] });
    });
    const failing = app.dataSource.transaction(async (within) => {
      await within.save(Author, { id: ada.id, articles: [] });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(app.received()).toEqual([]);
  });

  it('are told from a changed column of the same row at once', async () => {
    const [from, to] = [await written('From'), await written('To')];
    const comment = await manager().save(Comment, { text: 'a', article: from });
    app.received();
    // Without the article, as it is loaded by default.
    const loaded = await manager().findOneByOrFail(Comment, { id: comment.id });
    loaded.text = 'b';
    await manager().save(Article, { id: to.id, comments: [loaded] });
    expect(app.received()).toEqual([
      `comment.changed {"text":{"from":"a","to":"b"},"article":{"from":${from.id},"to":${to.id}}}`,
    ]);
    const second = await manager().findOneByOrFail(Comment, { id: comment.id });
    await manager().save(Article, { id: from.id, comments: [second] });
    expect(app.received()).toEqual([
      `comment.changed {"text":"b","article":{"from":${to.id},"to":${from.id}}}`,
    ]);
  });

  it('are removals when the relation removes rows that a list has lost', async () => {
    const article = await manager().save(Article, {
      title: 'One',
      comments: [{ text: 'a' }, { text: 'b' }],
    });
    expect(app.received()).toEqual([
      'article.created {"title":"One"}',
      'comment.created {"text":"a"}',
      'comment.created {"text":"b"}',
    ]);
    const [kept] = article.comments;
    await manager().save(Article, { id: article.id, comments: [kept!] });
    expect(app.received()).toEqual(['comment.removed {"text":"b","of":"One"}']);
  });

  it('are removals once when the relation removes such rows softly', async () => {
    const article = await written('One');
    await manager().save(Note, { text: 'n', article });
    await manager().save(Article, { id: article.id, notes: [] });
    expect(app.received()).toEqual(['note.removed {"text":"n"}']);
    await manager().save(Article, { id: article.id, notes: [] });
    expect(app.received()).toEqual([]);
  });

  it('are told for a one-to-one relation', async () => {
    const ada = await author('Ada');
    const profile = await manager().save(Profile, { text: 'p' });
    await manager().save(Author, { id: ada.id, profile: { id: profile.id } });
    await manager().save(Author, { id: ada.id, profile: null });
    expect(app.received()).toEqual([
      `profile.changed {"text":"p","changes":{"author":{"from":null,"to":${ada.id}}}}`,
      `profile.changed {"text":"p","changes":{"author":{"from":${ada.id},"to":null}}}`,
    ]);
  });

  it('are not confused with an update that a query builder makes without listeners', async () => {
    const ada = await author('Ada');
    const [silent, told] = [await written('Silent', ada), await written('Told', ada)];
    await app.dataSource.transaction(async (within) => {
      await within
        .createQueryBuilder()
        .update(Article)
        .set({ author: null })
        .where({ id: silent.id })
        .callListeners(false)
        .execute();
      await within.save(Author, { id: ada.id, articles: [] });
    });
    expect(app.received().filter((text) => text.startsWith('article.changed'))).toEqual([
      `article.changed {"title":"Told","author":{"from":${ada.id},"to":null}}`,
    ]);
    expect(told.title).toBe('Told');
  });
});
