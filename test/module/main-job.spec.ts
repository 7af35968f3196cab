import type { INestApplication } from '@nestjs/common';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  inline,
  outbox,
  type Subscriber,
  Subscribers,
  WebhookDispatcher,
} from '../../lib/index.js';
import {
  Article,
  User,
  blogDatabases,
  createBlogDatabase,
  startBlog,
} from '../support/apps/blog.js';
import { Receiver } from '../support/receiver.js';

const strategies = { outbox, inline };
/** On the lowest version of every peer on MariaDB as well, for the driver. */
const databases =
  inject('packages') === '' ? blogDatabases : [...blogDatabases, 'mariadb' as const];
const cases = databases.flatMap((type) =>
  Object.entries(strategies).map(([name, strategy]) => ({ type, name, strategy })),
);

describe.each(cases)(
  'from an entity to a signed webhook, on $type with $name',
  ({ type, strategy }) => {
    let app: INestApplication;
    let dataSource: DataSource;
    let drop: () => Promise<void>;
    let receiver: Receiver;
    let subscriber: Subscriber;
    let author: User;

    beforeAll(async () => {
      const database = await createBlogDatabase(type);
      drop = database.drop;
      ({ app, dataSource } = await startBlog(database.options, { dispatch: strategy() }));
      author = await dataSource.manager.save(User, { name: 'ada' });
    });

    afterAll(async () => {
      await app?.close();
      await drop?.();
    });

    beforeEach(async () => {
      receiver = await Receiver.start();
      subscriber = await app
        .get(Subscribers)
        .create({ url: `${receiver.url}?u=1`, events: ['article.*'] });
    });

    afterEach(async () => {
      await app.get(Subscribers).delete(subscriber.id, 'any');
      await receiver.stop();
    });

    it('sends a creation in the envelope of Standard Webhooks, signed so that its libraries verify it', async () => {
      const article = await dataSource.manager.save(Article, {
        title: 'On Computable Numbers',
        author,
      });
      const [request] = await receiver.waitFor(1);

      expect(receiver.json()).toEqual({
        type: 'article.created',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        ref: `https://blog.example.com/articles/${article.id}`,
        owner: String(author.id),
        data: { title: 'On Computable Numbers', author: 'ada' },
      });
      const headers = request!.headers as Record<string, string>;
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'hook-event': 'article.created',
        'hook-subscription': subscriber.id,
        'hook-delivery': expect.stringMatching(/^dlv_/),
        'webhook-id': expect.stringMatching(/^msg_/),
        'user-agent': expect.stringMatching(/^nestjs-thorn/),
      });
      expect(request!.path).toBe('/hooks?u=1');
      const secret = subscriber.secrets[0]!.value;
      const body = request!.body.toString();
      expect(new StandardWebhook(secret).verify(body, headers)).toEqual(receiver.json());
      expect(new SvixWebhook(secret).verify(body, headers)).toEqual(receiver.json());
      expect(headers).not.toHaveProperty('hook-hmac');
      expect(() => new StandardWebhook(secret).verify(`${body} `, headers)).toThrow();
    });

    it('sends changes, publication only when it happens, and removal with the last row', async () => {
      const articles = dataSource.getRepository(Article);
      const article = await articles.save(articles.create({ title: 'one', author }));
      await receiver.waitFor(1);
      article.title = 'two';
      await dataSource.manager.save(article);
      await receiver.waitFor(2);
      article.state = 'PUBLISHED';
      await dataSource.manager.save(article);
      await receiver.waitFor(4);
      article.title = 'three';
      await dataSource.manager.save(article);
      await receiver.waitFor(5);
      await dataSource.manager.remove(article);
      await receiver.waitFor(6);

      expect([
        receiver.events[0],
        receiver.events[1],
        receiver.events[4],
        receiver.events[5],
      ]).toEqual(['article.created', 'article.changed', 'article.changed', 'article.removed']);
      expect(receiver.events.slice(2, 4).sort()).toEqual(['article.changed', 'article.published']);
      expect(receiver.json(5).data).toEqual({ title: 'three', author: 'ada' });
    });

    it('sends no event that was rolled back, whole or to a savepoint', async () => {
      await dataSource
        .transaction(async (manager) => {
          await manager.save(Article, { title: 'never', author });
          throw new Error('changed my mind');
        })
        .catch(() => undefined);
      await dataSource.transaction(async (manager) => {
        await manager.save(Article, { title: 'outer', author });
        await manager
          .transaction(async (inner) => {
            await inner.save(Article, { title: 'inner', author });
            throw new Error('only this part');
          })
          .catch(() => undefined);
      });
      await dataSource.manager.save(Article, { title: 'last', author });
      await receiver.waitFor(2);

      const titles = receiver.requests.map(
        (_, index) => (receiver.json(index).data as { title: string }).title,
      );
      expect(titles.sort()).toEqual(['last', 'outer']);
    });

    it('delivers to the owner and to subscribers without an owner, and to no others', async () => {
      const subscribers = app.get(Subscribers);
      const theirs = await subscribers.create({
        url: `${receiver.url}/theirs`,
        events: ['*'],
        owner: String(author.id),
      });
      const others = await subscribers.create({
        url: `${receiver.url}/others`,
        events: ['*'],
        owner: 'somebody else',
      });
      await dataSource.manager.save(Article, { title: 'for ada', author });
      await receiver.waitFor(2);
      await dataSource.manager.save(Article, { title: 'of nobody', author: null });
      await receiver.waitFor(3);
      await app.get(WebhookDispatcher).send('article.noticed', { all: true });
      await receiver.waitFor(6);

      const paths = receiver.requests.map(({ path }) => path);
      expect(paths.slice(0, 2).sort()).toEqual(['/hooks/theirs', '/hooks?u=1']);
      expect(paths[2]).toBe('/hooks?u=1');
      expect(paths.slice(3).sort()).toEqual(['/hooks/others', '/hooks/theirs', '/hooks?u=1']);
      await Promise.all([theirs, others].map(({ id }) => subscribers.delete(id, 'any')));
    });
  },
);
