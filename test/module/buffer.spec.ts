import { describe, expect, it } from 'vitest';
import { Subscribers } from '../../lib/index.js';
import { Article, blogDatabases } from '../support/apps/blog.js';
import { useRunningBlog } from '../support/apps/running-blog.js';

describe.each(blogDatabases)('buffer scopes, on %s', (type) => {
  const blog = useRunningBlog(type, ['article.*']);

  const save = (title: string) => blog.dataSource.manager.save(Article, { title, author: null });

  it('hold events of entities until the scope ends', async () => {
    await blog.dispatcher.buffer(async (buffer) => {
      await save('one');
      await blog.dispatcher.send('article.noticed');
      expect(buffer.size).toBe(2);
      expect(blog.receiver.requests).toEqual([]);
    });

    expect(blog.receiver.events.sort()).toEqual(['article.created', 'article.noticed']);
  });

  it('send no event of a transaction that rolled back inside the scope', async () => {
    await blog.dispatcher.buffer(async (buffer) => {
      await blog.dataSource
        .transaction(async (manager) => {
          await manager.save(Article, { title: 'never', author: null });
          throw new Error('no');
        })
        .catch(() => undefined);
      expect(buffer.size).toBe(0);
      await save('kept');
    });

    expect(blog.receiver.requests.map((_, index) => blog.receiver.json(index).data)).toEqual([
      { title: 'kept', author: null },
    ]);
  });

  it('drop committed events that were not flushed when the scope throws', async () => {
    const failed = blog.dispatcher.buffer(async (buffer) => {
      await save('flushed');
      await buffer.flush();
      await save('dropped');
      throw new Error('no');
    });

    await expect(failed).rejects.toThrow('no');
    expect(blog.receiver.requests.map((_, index) => blog.receiver.json(index).data)).toEqual([
      { title: 'flushed', author: null },
    ]);
    await expect(
      blog.dataSource.getRepository(Article).countBy({ title: 'dropped' }),
    ).resolves.toBe(1);
  });

  it('release a transaction that was opened inside and outlives the scope', async () => {
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    let transaction: Promise<unknown> = Promise.resolve();

    await blog.dispatcher.buffer(async () => {
      transaction = blog.dataSource.transaction(async (manager) => {
        await manager.save(Article, { title: 'late', author: null });
        await finished;
      });
    });
    expect(blog.receiver.requests).toEqual([]);
    finish();
    await transaction;
    await blog.receiver.waitFor(1);

    expect(blog.receiver.json().data).toEqual({ title: 'late', author: null });
  });

  it('send one body to all subscribers of a content type', async () => {
    const form = await blog.app.get(Subscribers).create({
      url: `${blog.receiver.url}/form`,
      events: ['article.*'],
      contentType: 'application/x-www-form-urlencoded',
    });

    await blog.dispatcher.send('article.noticed', { tags: ['a', 'b & c'], by: { name: 'ada' } });
    await blog.app.get(Subscribers).delete(form.id, 'any');

    const request = blog.receiver.requests.find(({ path }) => path === '/hooks/form')!;
    expect(request.headers['content-type']).toBe('application/x-www-form-urlencoded');
    const fields = new URLSearchParams(request.body.toString());
    expect(fields.get('type')).toBe('article.noticed');
    expect(fields.get('data[tags][1]')).toBe('b & c');
    expect(fields.get('data[by][name]')).toBe('ada');
  });
});
