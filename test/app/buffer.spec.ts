import type { INestApplication } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Subscribers, WebhookDispatcher } from '../../lib/index.js';
import { Article, databases, freshDatabase, startBlog } from './blog.js';
import { Receiver } from './receiver.js';

describe.each(databases)('buffer scopes, on %s', (type) => {
  let app: INestApplication;
  let dataSource: DataSource;
  let dispatcher: WebhookDispatcher;
  let drop: () => Promise<void>;
  let receiver: Receiver;

  beforeAll(async () => {
    const database = await freshDatabase(type);
    drop = database.drop;
    ({ app, dataSource } = await startBlog(database.options));
    dispatcher = app.get(WebhookDispatcher);
    receiver = await Receiver.start();
    await app.get(Subscribers).create({ url: receiver.url, events: ['article.*'] });
  });

  beforeEach(() => {
    receiver.requests.length = 0;
  });

  afterAll(async () => {
    await app?.close();
    await receiver?.stop();
    await drop?.();
  });

  const save = (title: string) => dataSource.manager.save(Article, { title, author: null });

  it('hold what entities tell until the scope ends', async () => {
    await dispatcher.buffer(async (buffer) => {
      await save('one');
      await dispatcher.send('article.noticed');
      expect(buffer.size).toBe(2);
      expect(receiver.requests).toEqual([]);
    });

    expect(receiver.events.sort()).toEqual(['article.created', 'article.noticed']);
  });

  it('send nothing of a transaction that rolled back inside of them', async () => {
    await dispatcher.buffer(async (buffer) => {
      await dataSource
        .transaction(async (manager) => {
          await manager.save(Article, { title: 'never', author: null });
          throw new Error('no');
        })
        .catch(() => undefined);
      expect(buffer.size).toBe(0);
      await save('kept');
    });

    expect(receiver.requests.map((_, index) => receiver.json(index).data)).toEqual([
      { title: 'kept', author: null },
    ]);
  });

  it('drop what was committed but not flushed when they end with a throw', async () => {
    const failed = dispatcher.buffer(async (buffer) => {
      await save('flushed');
      await buffer.flush();
      await save('dropped');
      throw new Error('no');
    });

    await expect(failed).rejects.toThrow('no');
    expect(receiver.requests.map((_, index) => receiver.json(index).data)).toEqual([
      { title: 'flushed', author: null },
    ]);
    await expect(dataSource.getRepository(Article).countBy({ title: 'dropped' })).resolves.toBe(1);
  });

  it('are left by a transaction that was opened inside and outlives them', async () => {
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    let transaction: Promise<unknown> = Promise.resolve();

    await dispatcher.buffer(async () => {
      transaction = dataSource.transaction(async (manager) => {
        await manager.save(Article, { title: 'late', author: null });
        await finished;
      });
    });
    expect(receiver.requests).toEqual([]);
    finish();
    await transaction;
    await receiver.waitFor(1);

    expect(receiver.json().data).toEqual({ title: 'late', author: null });
  });

  it('send one body to all who asked for a content type', async () => {
    const form = await app.get(Subscribers).create({
      url: `${receiver.url}/form`,
      events: ['article.*'],
      contentType: 'application/x-www-form-urlencoded',
    });

    await dispatcher.send('article.noticed', { tags: ['a', 'b & c'], by: { name: 'ada' } });
    await app.get(Subscribers).delete(form.id, 'any');

    const request = receiver.requests.find(({ path }) => path === '/hooks/form')!;
    expect(request.headers['content-type']).toBe('application/x-www-form-urlencoded');
    const fields = new URLSearchParams(request.body.toString());
    expect(fields.get('event')).toBe('article.noticed');
    expect(fields.get('data[tags][1]')).toBe('b & c');
    expect(fields.get('data[by][name]')).toBe('ada');
  });
});
