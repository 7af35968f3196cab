// What Thorn, the library's predecessor for Django, does; a test for each point, whose title names it.
//
// Points that are not tested here, and where they are:
//
// | point                                               | where                                                  |
// | --------------------------------------------------- | ------------------------------------------------------ |
// | each per-event setting by itself                    | test/module/event-settings.spec.ts                        |
// | Celery: work in other processes, chunks of requests | the BullMQ strategy; the wire keeps connections itself |
// | retries: on, how many, how far apart                | the outbox; its schedule in lib/delivery/*retry*.spec  |
// | callbacks on_success, on_error, on_timeout          | the result of send() here; else lifecycle events       |
// | a dispatcher per event                              | one strategy per application                           |
// | Hook-HMAC by sha1 and sha512                        | lib/signing/standard-webhook-signer.spec.ts            |
// | rotation of secrets                                 | the REST API's secrets                                 |
import { type INestApplication, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { readFileSync } from 'node:fs';
import { createServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createHmac } from 'node:crypto';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Clock,
  defineEvents,
  disabled,
  inline,
  type NewSubscriber,
  type RecipientRules,
  type SendOptions,
  type Subscriber,
  Subscribers,
  type ThornModuleExtras,
  type ThornModuleOptions,
  WebhookDispatcher,
  WebhookEvent,
} from '../../lib/index.js';
import {
  DispatchStrategy,
  InMemorySubscriberRepository,
  SubscriberRepository,
  WebhookSigner,
} from '../../lib/extending/index.js';
import { watchLateness } from '../services/lateness.js';
import { createBlogDatabase, startBlog } from '../support/apps/blog.js';
import { Receiver } from '../support/receiver.js';
import {
  Account,
  Author,
  Orders,
  OrdersModule,
  Plain,
  Post,
  Tag,
} from './thorn-checklist.entities.js';
import { declarePaperEvents, operatorCases, Paper } from './thorn-operators.js';
import { RecordingInlineStrategy } from '../support/recording-inline.strategy.js';

declarePaperEvents();

let receiver: Receiver;
const closing: (() => unknown)[] = [];

async function start(
  thorn: ThornModuleOptions & ThornModuleExtras = {},
  imports: object[] = [],
): Promise<INestApplication> {
  const { options } = await createBlogDatabase('better-sqlite3');
  const entities = TypeOrmModule.forFeature([Account, Author, Paper, Plain, Post, Tag]);
  const given = {
    dispatch: inline(),
    envelope: 'thorn' as const,
    signing: { hookHmac: true },
    ...thorn,
  };
  return (await startBlog(options, given, [entities, OrdersModule, ...imports])).app;
}

/** An application for one test. */
async function startOnce(...args: Parameters<typeof start>): Promise<INestApplication> {
  const app = await start(...args);
  closing.push(() => app.close());
  return app;
}

beforeAll(async () => {
  receiver = await Receiver.start();
});

beforeEach(() => {
  receiver.requests.length = 0;
  receiver.status = 204;
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

afterAll(() => receiver.stop());

describe('declaring', () => {
  let app: INestApplication;
  let watched: RecordingInlineStrategy;
  let dispatcher: WebhookDispatcher;
  let ada: Author;
  const repository = <Row extends object>(type: new () => Row) =>
    app.get(DataSource).getRepository(type);
  const bodyOf = async (event: string) => {
    await watched.idle();
    return receiver.json(receiver.events.indexOf(event));
  };
  /** The events that arrived, of those that are asked for. */
  const arrived = async (...events: string[]) => {
    await watched.idle();
    return receiver.events.filter((event) => events.includes(event)).sort();
  };

  beforeAll(async () => {
    app = await start({ dispatch: RecordingInlineStrategy });
    watched = app.get(DispatchStrategy);
    dispatcher = app.get(WebhookDispatcher);
    const account = await repository(Account).save({ user: 'u-ada' });
    ada = await repository(Author).save({ username: 'ada', account });
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
  });

  afterEach(() => watched.idle());

  afterAll(() => app?.close());

  it('create, change and delete', async () => {
    const post = await repository(Post).save({ title: 'one', author: ada });
    await repository(Post).save({ id: post.id, title: 'two' });
    await repository(Post).remove({ ...post });

    expect(await arrived('post.created', 'post.changed', 'post.removed')).toEqual([
      'post.changed',
      'post.created',
      'post.removed',
    ]);
  });

  it('custom event: must declare its trigger', () => {
    const declare = (options: object) => () =>
      (WebhookEvent as (name: string, options: object) => ClassDecorator)('a.b', options)(class {});

    expect(declare({})).toThrow(/`on` of .* must be 'create', 'change', 'delete'/);
    expect(declare({ on: 'publish' })).toThrow(/`on` of .* must be .* not 'publish'/);
  });

  it('plain event: sent by hand and by a method', async () => {
    await dispatcher.send('order.flagged', { any: ['payload', 7, null] });
    await app.get(Orders).cancel('7');

    expect((await bodyOf('order.flagged')).data).toEqual({ any: ['payload', 7, null] });
    expect((await bodyOf('order.cancelled')).data).toEqual({ id: '7' });
  });

  it('relation events: added, removed, cleared', async () => {
    const links = ['post.bare', 'post.tagged', 'post.untagged'];
    const ends = ['tag.abandoned', 'tag.unused', 'tag.used'];
    const [red, blue] = await repository(Tag).save([{ name: 'red' }, { name: 'blue' }]);
    const post = await repository(Post).save({ title: 'x', author: ada, tags: [red!, blue!] });

    expect(await arrived(...links, ...ends)).toEqual(['post.tagged', 'tag.used', 'tag.used']);
    receiver.requests.length = 0;
    await repository(Post).save({ id: post.id, tags: [red!] });
    expect(await arrived(...links, ...ends)).toEqual([
      'post.untagged',
      'tag.abandoned',
      'tag.unused',
    ]);
    receiver.requests.length = 0;
    await repository(Post).save({ id: post.id, tags: [] });
    expect(await arrived(...links, ...ends)).toEqual([
      'post.bare',
      'post.untagged',
      'tag.abandoned',
      'tag.unused',
    ]);
  });

  it('names with fields: filled from the instance, nested too, always one segment', async () => {
    const user = await repository(Author).save({ username: 'grace', account: ada.account });
    await repository(Author).save({ id: user.id, username: 'a.*' });
    await repository(Post).save({ title: 'x', author: ada });
    await watched.idle();

    expect(receiver.events).toContain('author.a_2e_2a');
    expect(receiver.events).toContain('post.by.ada');
  });

  it('payload: becomes data, per event or per entity, default empty', async () => {
    await repository(Post).save({ title: 'x', author: ada });
    await repository(Plain).save({});

    expect((await bodyOf('post.created')).data).toEqual({ title: 'x' });
    expect((await bodyOf('post.linked')).data).toEqual({ shout: 'X' });
    expect((await bodyOf('plain.made')).data).toEqual({});
  });

  it('headers: extra ones, never a system header', async () => {
    await repository(Post).save({ title: 'x', author: ada });
    await watched.idle();
    expect(receiver.requests.map(({ headers }) => headers['x-title'])).toContain('x');

    for (const name of ['Hook-Event', 'webhook-id', 'Content-Type', 'User-Agent', 'Host']) {
      await expect(
        dispatcher.send('a.b', {}, { headers: { [name]: 'forged' } }),
      ).rejects.toMatchObject({ field: 'headers' });
    }
  });

  it('sender_field: a nested path; the event reaches only that user’s subscriptions', async () => {
    const subscribe = (owner: string) =>
      app
        .get(Subscribers)
        .create({ url: `${receiver.url}/${owner}`, events: ['post.created'], owner });
    const [theirs, others] = [await subscribe('u-ada'), await subscribe('u-bob')];

    await repository(Post).save({ title: 'x', author: ada });
    await watched.idle();
    for (const { id } of [theirs, others]) await app.get(Subscribers).delete(id, 'any');

    const created = receiver.requests.filter(
      ({ headers }) => headers['hook-event'] === 'post.created',
    );
    expect(created.map(({ path }) => path).sort()).toEqual(['/hooks', '/hooks/u-ada']);
    expect((await bodyOf('post.created')).sender).toBe('u-ada');
  });

  it('get_absolute_url and model_reverser: ref from a template or a function', async () => {
    const { id } = await repository(Post).save({ title: 'x', author: ada });

    expect((await bodyOf('post.created')).ref).toBe(`https://blog.example.com/posts/${id}`);
    expect((await bodyOf('post.linked')).ref).toBe('https://elsewhere.example.com/x');
    await repository(Plain).save({});
    expect((await bodyOf('plain.made')).ref).toBeNull();
  });

  it.each([
    ['fields that stand together are joined by and', { title: 'hot', state: 'PUBLISHED' }, ['hot']],
    ['fields that stand together must all hold', { title: 'cold', state: 'PUBLISHED' }, []],
    ['Q: and', { title: 'odd', state: 'PUBLISHED' }, ['odd']],
    ['Q: or, not', { state: 'ARCHIVED' }, ['odd']],
    ['Q: neither', { state: 'PUBLISHED' }, []],
  ])('filters: %s', async (_, changes, events) => {
    const { id } = await repository(Post).save({ title: 'x', author: ada });
    await repository(Post).save({ id, ...changes });

    const expected = events.map((event) => `post.${event}`);
    expect(await arrived('post.hot', 'post.odd')).toEqual(expected);
  });

  it('signal_honors_transaction: sent on commit, dropped on rollback', async () => {
    await app
      .get(DataSource)
      .transaction(async (manager) => {
        await manager.save(Post, { title: 'never', author: ada });
        throw new Error('no');
      })
      .catch(() => undefined);
    await app.get(DataSource).transaction(async (manager) => {
      await manager.save(Post, { title: 'kept', author: ada });
      await watched.idle();
      expect(receiver.requests).toEqual([]);
    });

    expect((await bodyOf('post.created')).data).toEqual({ title: 'kept' });
    expect(await arrived('post.created')).toHaveLength(1);
  });

  it('propagate_errors: logged by default, and the change goes on', async () => {
    await repository(Post).save({ title: 'x', author: ada });
    expect(await arrived('post.created', 'post.broken')).toEqual(['post.created']);

    const saved = repository(Post).save({ title: 'strict', author: ada });
    await expect(saved).rejects.toThrow('cannot tell');
    await expect(repository(Post).existsBy({ title: 'strict' })).resolves.toBe(false);
  });

  it('per event: timeout, retry, recipient validators, subscribers, request_data, keep-alive', async () => {
    await repository(Post).save({ title: 'x', author: ada });

    expect((await bodyOf('post.settled')).data).toEqual({ title: 'x', version: 2 });
    const message = watched.messages.find(({ event }) => event === 'post.settled')!;
    expect(message.settings).toEqual({
      timeout: 5_000,
      keepAlive: false,
      retry: { max: 2, delay: 60_000 },
      recipients: { denyCidrs: ['10.0.0.0/8'] },
    });
    const at = receiver.events.indexOf('post.settled');
    expect(receiver.requests[at]!.headers.connection).toBe('close');
  });

  it('send_from_instance: as if the signal had fired', async () => {
    const { id } = await repository(Post).save({ title: 'x', author: ada });
    const post = await repository(Post).findOneByOrFail({ id });
    await watched.idle();
    receiver.requests.length = 0;
    await dispatcher.sendFor(post, 'post.changed');

    expect(receiver.json()).toMatchObject({
      event: 'post.changed',
      ref: `https://blog.example.com/posts/${post.id}`,
      sender: 'u-ada',
      data: { title: 'x' },
    });
  });

  it('callbacks per send: what send() resolves to', async () => {
    const { state, attempts } = await dispatcher.send('a.b');
    expect([state, attempts.map(({ outcome }) => outcome)]).toEqual(['delivered', ['succeeded']]);

    receiver.status = 503;
    const failed = (await dispatcher.send('a.b')).attempts;
    expect(failed).toMatchObject([{ outcome: 'failed', status: 503, error: null }]);
  });

  it('bulk updates and deletes: send the events of each row, and sendFor() sends by hand', async () => {
    const { id } = await repository(Post).save({ title: 'bulk', author: ada });
    await watched.idle();
    receiver.requests.length = 0;
    await repository(Post).update({ title: 'bulk' }, { state: 'ARCHIVED' });
    await repository(Post).delete({ title: 'of nobody' });
    expect(await arrived('post.changed', 'post.removed')).toEqual(['post.changed']);

    receiver.requests.length = 0;
    await expect(dispatcher.sendFor(Post, { where: { id } }, 'post.changed')).resolves.toEqual({
      rows: 1,
      sent: 1,
    });
    expect(await arrived('post.changed')).toEqual(['post.changed']);
  });

  it('envelope: event, ref, sender and data, and nothing else', async () => {
    const { id } = await repository(Post).save({ title: 'x', author: ada });

    expect(await bodyOf('post.created')).toEqual({
      event: 'post.created',
      ref: `https://blog.example.com/posts/${id}`,
      sender: 'u-ada',
      data: { title: 'x' },
    });
  });

  describe('operators', () => {
    let bob: Author;

    beforeAll(async () => {
      const account = await repository(Account).save({ user: 'u-bob', isStaff: true });
      bob = await repository(Author).save({ username: 'bob', account });
    });

    const cases = () =>
      operatorCases(
        () => bob,
        () => ada,
      );

    it.each(cases().map(([title], index) => [title, index] as const))(
      'operators: %s',
      async (_, index) => {
        const [, , before, after, sent] = cases()[index]!;
        const { id } = await repository(Paper).save({ ...before });
        await repository(Paper).save({ id, ...after });

        const event = `paper.${index}`;
        expect(await arrived(event)).toEqual(sent ? [event] : []);
      },
    );

    it('operators: on a create the previous value counts as absent', async () => {
      await repository(Paper).save({ pages: 9 });
      expect(await arrived('paper.made', 'paper.unequal')).toEqual(['paper.made']);
      receiver.requests.length = 0;
      await repository(Paper).save({ pages: 8 });
      expect(await arrived('paper.made', 'paper.unequal')).toEqual(['paper.unequal']);
    });
  });
});

describe('subscribers', () => {
  let app: INestApplication;
  let subscribers: Subscribers;
  const create = async (given: Partial<NewSubscriber> = {}): Promise<Subscriber> => {
    const subscriber = await subscribers.create({ url: receiver.url, events: ['*'], ...given });
    closing.push(() => subscribers.delete(subscriber.id, 'any'));
    return subscriber;
  };
  const send = (name: string, options?: SendOptions) =>
    app.get(WebhookDispatcher).send(name, {}, options);

  beforeAll(async () => {
    app = await start({
      events: defineEvents({
        'article.created': { description: 'An article was written.' },
        'article.tag.added': { description: 'An article has one more tag.' },
        'blog.created': { description: 'A blog was opened.' },
      }),
    });
    subscribers = app.get(Subscribers);
  });

  afterAll(() => app?.close());

  it('fields and their defaults', async () => {
    const subscriber = await create();

    expect(subscriber).toMatchObject({
      id: expect.stringMatching(/^sub_[0-9a-f-]{36}$/),
      owner: null,
      url: receiver.url,
      events: ['*'],
      contentType: 'application/json',
      digest: 'sha256',
      createdAt: expect.any(Date),
      updatedAt: expect.any(Date),
    });
    expect(subscriber.secrets).toHaveLength(1);
  });

  it('hmac_secret, hmac_digest and content_type can be chosen', async () => {
    const secret = 'x'.repeat(64);
    for (const digest of ['sha1', 'sha256', 'sha512'] as const) {
      await create({ url: `${receiver.url}/${digest}`, digest, secret });
    }
    await create({
      url: `${receiver.url}/form`,
      contentType: 'application/x-www-form-urlencoded',
      owner: 'ada',
    });
    await send('article.created');

    for (const { path, body, headers } of receiver.requests) {
      if (path.endsWith('form')) continue;
      const digest = path.slice('/hooks/'.length);
      expect(headers['hook-hmac']).toBe(createHmac(digest, secret).update(body).digest('base64'));
    }
    const form = receiver.requests.find(({ path }) => path.endsWith('form'))!;
    expect(new URLSearchParams(form.body.toString()).get('event')).toBe('article.created');
    expect(receiver.requests).toHaveLength(4);
  });

  it.each([
    ['article.created', 'article.created', true],
    ['article.created', 'blog.created', false],
    ['*', 'article.tag.added', true],
    ['article.*', 'article.created', true],
    ['article.*', 'blog.created', false],
    ['*.created', 'blog.created', true],
    ['*.created', 'article.tag.added', false],
  ])('a pattern: %s and %s: %s', async (pattern, event, matches) => {
    await create({ events: [pattern] });
    await send(event);

    expect(receiver.events).toEqual(matches ? [event] : []);
  });

  it('static ones in the settings: a URL, an object, a list, a function of event and owner', async () => {
    const url = (path: string) => `${receiver.url}/${path}`;
    const other = await startOnce({
      subscribers: {
        'a.url': url('url'),
        'a.object': { url: url('object'), secret: 'a secret of this length' },
        'a.list': [url('one'), { url: url('two') }],
        'a.function': function* (event, owner) {
          yield url(`${event}/${String(owner)}`);
        },
      },
    });
    for (const name of ['a.url', 'a.object', 'a.list', 'a.function']) {
      await other.get(WebhookDispatcher).send(name, {}, { owner: 'ada' });
    }

    const paths = receiver.requests.map(({ path }) => path.replace('/hooks/', '')).sort();
    expect(paths).toEqual(['a.function/ada', 'object', 'one', 'two', 'url']);
  });

  describe('REST', () => {
    const users: Record<string, string> = { 'Bearer of-ada': 'ada', 'Bearer of-bob': 'bob' };
    class TokenGuard {
      canActivate(context: { switchToHttp(): { getRequest<T>(): T } }): boolean {
        const request = context
          .switchToHttp()
          .getRequest<{ headers: Record<string, string>; user?: { id: string } }>();
        const id = users[request.headers['authorization'] ?? ''];
        if (id !== undefined) request.user = { id };
        return id !== undefined;
      }
    }
    @Module({ providers: [TokenGuard], exports: [TokenGuard] })
    class TokenModule {}

    let url: string;
    const call = async (method: string, path: string, body?: object, user = 'ada') => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer of-${user}`, 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        body: (text === '' ? null : JSON.parse(text)) as Record<string, unknown>,
      };
    };

    beforeAll(async () => {
      const api = await start({
        api: { guards: [TokenGuard], imports: [TokenModule], owner: ({ user }) => user.id },
      });
      await api.listen(0, '127.0.0.1');
      url = await api.getUrl();
    });

    const given = () => ({ event: 'post.*', url: `${receiver.url}?u=1` });

    it('REST: creating answers with the id, the secret and the subscription’s own URL', async () => {
      const { status, body } = await call('POST', '/hooks/', given());

      expect(status).toBe(201);
      expect(body).toMatchObject({
        id: expect.stringMatching(/^sub_/),
        secret: expect.stringMatching(/^whsec_/),
        self: `/hooks/${String(body['id'])}`,
      });
      await expect(call('GET', String(body['self']))).resolves.toMatchObject({ status: 200 });
    });

    it('REST: event and url are mandatory, content type, secret and digest are not', async () => {
      for (const field of ['event', 'url'] as const) {
        const { status, body } = await call('POST', '/hooks/', { ...given(), [field]: undefined });
        expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining(field)]);
      }
      const { body, status } = await call('POST', '/hooks/', {
        ...given(),
        contentType: 'application/x-www-form-urlencoded',
        secret: 'a secret of this length',
        digest: 'sha512',
      });
      expect(status).toBe(201);
      expect(body).toMatchObject({
        contentType: 'application/x-www-form-urlencoded',
        secret: 'a secret of this length',
        digest: 'sha512',
      });
    });

    it('REST: get, change, remove', async () => {
      const { body } = await call('POST', '/hooks', given());
      const path = `/hooks/${String(body['id'])}/`;

      const patched = await call('PATCH', path, { event: 'order.*' });
      const other = await call('PATCH', path, { digest: 'sha1' });
      expect([patched.status, other.status]).toEqual([200, 200]);
      const { secret: _, ...read } = (await call('GET', path)).body;
      expect(read).toMatchObject({ id: body['id'], events: ['order.*'], digest: 'sha1' });
      expect((await call('DELETE', path)).status).toBe(204);
      expect((await call('GET', path)).status).toBe(404);
    });

    it('REST: hides the subscriptions of others, and changes none of them', async () => {
      const { body } = await call('POST', '/hooks/', given());
      const path = `/hooks/${String(body['id'])}`;

      const listed = (await call('GET', '/hooks/', undefined, 'bob')).body;
      expect(listed['items']).toEqual([]);
      for (const [method, change] of [['GET'], ['PATCH', given()], ['DELETE']] as [
        string,
        object?,
      ][]) {
        expect((await call(method, path, change, 'bob')).status).toBe(404);
      }
      expect((await call('GET', path)).status).toBe(200);
    });

    it('REST: requires its guards', async () => {
      expect((await call('GET', '/hooks/', undefined, 'nobody')).status).toBe(403);
      await expect(start({ api: { owner: () => null } })).rejects.toThrow(/no guards/);
    });
  });
});

describe('delivery', () => {
  const receive = async (
    thorn: ThornModuleOptions & ThornModuleExtras = {},
    ...given: Partial<NewSubscriber>[]
  ) => {
    const app = await startOnce(thorn);
    const created: Subscriber[] = [];
    for (const one of given.length === 0 ? [{}] : given) {
      const subscriber = { url: receiver.url, events: ['*'], ...one };
      created.push(await app.get(Subscribers).create(subscriber));
    }
    return { app, created, dispatcher: app.get(WebhookDispatcher) };
  };

  it('request headers', async () => {
    const { dispatcher, created } = await receive();
    const { id } = await dispatcher.send('a.b', { x: 1 });

    const { headers, body } = receiver.requests[0]!;
    const secret = created[0]!.secrets[0]!.value;
    expect(headers).toMatchObject({
      'hook-event': 'a.b',
      'hook-delivery': expect.stringMatching(/^dlv_/),
      'hook-hmac': createHmac('sha256', secret).update(body).digest('base64'),
      'hook-subscription': created[0]!.id,
      'webhook-id': id,
      'user-agent': 'nestjs-thorn',
      'content-type': 'application/json',
    });
  });

  it('the payload is encoded once per content type, not once per subscriber', async () => {
    const encode = vi.fn((body: unknown) => JSON.stringify(body));
    const yaml = (path: string) => ({
      url: `${receiver.url}/${path}`,
      contentType: 'application/yaml',
    });
    const { dispatcher } = await receive(
      { codecs: { 'application/yaml': encode } },
      ...[yaml('1'), yaml('2'), yaml('3')],
    );
    await dispatcher.send('a.b');

    expect(receiver.requests).toHaveLength(3);
    expect(encode).toHaveBeenCalledTimes(1);
  });

  it('dispatchers: default, in the calling process, blocking', async () => {
    const { dispatcher } = await receive();
    await expect(dispatcher.send('a.b')).resolves.toMatchObject({ state: 'delivered' });

    expect(receiver.events).toEqual(['a.b']);
  });

  it('dispatchers: disabled', async () => {
    const { dispatcher } = await receive({ dispatch: disabled() });
    await expect(dispatcher.send('a.b')).resolves.toMatchObject({ state: 'discarded' });

    expect(receiver.events).toEqual([]);
  });

  it('dispatchers: a class of one’s own', async () => {
    const { app, dispatcher } = await receive({ dispatch: RecordingInlineStrategy });
    await dispatcher.send('a.b');

    const own: RecordingInlineStrategy = app.get(DispatchStrategy);
    expect(own.messages.map(({ event }) => event)).toEqual(['a.b']);
  });

  describe.each<[string, RecipientRules, string]>([
    ['internal addresses', { allowedPorts: 'any' }, 'http://127.0.0.1:8080/'],
    ['protocols', {}, 'ftp://example.com/'],
    ['protocols, https alone', { requireHttps: true }, 'http://example.com/'],
    ['ports, by default 80 and 443', {}, 'https://example.com:8443/'],
    ['ports', { allowedPorts: [8443] }, 'https://example.com/'],
    ['networks', { denyCidrs: ['93.184.0.0/16'] }, 'http://93.184.1.1/'],
  ])('recipient validators', (what, recipients, url) => {
    it(`recipient validators: ${what}, for all`, async () => {
      const app = await startOnce({ recipients });

      await expect(app.get(Subscribers).create({ url, events: ['*'] })).rejects.toMatchObject({
        field: 'url',
      });
    });

    it(`recipient validators: ${what}, for one event`, async () => {
      const app = await startOnce({ recipients: {} });
      const options = { recipients, subscribers: url };

      await expect(app.get(WebhookDispatcher).send('a.b', {}, options)).rejects.toMatchObject({
        field: 'subscribers',
      });
    });
  });

  describe('buffering', () => {
    it('a scope flushes at its end; nested ones with the outermost', async () => {
      const { dispatcher } = await receive();
      await dispatcher.buffer(async () => {
        await dispatcher.buffer(() => dispatcher.send('a.inner'));
        await dispatcher.send('a.outer');
        expect(receiver.events).toEqual([]);
      });

      expect(receiver.events.sort()).toEqual(['a.inner', 'a.outer']);
    });

    it('an explicit flush empties all', async () => {
      const { dispatcher } = await receive();
      await dispatcher.buffer(async () => {
        await dispatcher.send('a.outer');
        await dispatcher.buffer(async (inner) => {
          await dispatcher.send('a.inner');
          await inner.flush();
          expect(receiver.events.sort()).toEqual(['a.inner', 'a.outer']);
        });
      });

      expect(receiver.events).toHaveLength(2);
    });

    it('flushes periodically, by number', async () => {
      const { dispatcher } = await receive();
      const flushed: boolean[] = [];
      await dispatcher.buffer(
        async (buffer) => {
          for (let count = 0; count < 4; count++) {
            await dispatcher.send('a.b');
            flushed.push(await buffer.maybeFlush());
          }
        },
        { flushEvery: 2 },
      );

      expect(flushed).toEqual([false, true, false, true]);
    });

    it('flushes periodically, by time', async () => {
      const { dispatcher } = await receive({ clock: SteppingClock });
      const flushed: boolean[] = [];
      await dispatcher.buffer(
        async (buffer) => {
          for (const step of [1_000, 1_500, 1_000]) {
            SteppingClock.time += step;
            await dispatcher.send('a.b');
            flushed.push(await buffer.maybeFlush());
          }
        },
        { flushAfter: 2_000 },
      );

      expect(flushed).toEqual([false, true, false]);
      expect(receiver.events).toHaveLength(3);
    });
  });

  it('settings: 3 seconds for a request', async () => {
    const { dispatcher } = await receive({ timeout: 3000 });
    let answer: () => void = () => undefined;
    receiver.hold = new Promise((resolve) => (answer = resolve));
    closing.push(() => {
      receiver.hold = undefined;
      answer();
    });
    const lateness = watchLateness();
    const { attempts } = await dispatcher.send('a.b');

    expect(attempts).toMatchObject([{ error: { code: 'timeout' } }]);
    expect(attempts[0]!.duration).toBeGreaterThan(2_900);
    expect(attempts[0]!.duration - lateness()).toBeLessThan(4_500);
  });

  it('settings: redirects are not followed', async () => {
    const { dispatcher } = await receive();
    receiver.status = 302;
    const { attempts } = await dispatcher.send('a.b');

    expect(attempts).toMatchObject([{ outcome: 'failed', status: 302 }]);
    expect(receiver.requests).toHaveLength(1);
  });

  it('settings: event choices', async () => {
    const app = await startOnce({ eventTypes: ['post.created', 'plain.*'] });
    const subscribe = (events: string[]) =>
      app.get(Subscribers).create({ url: receiver.url, events });

    await expect(subscribe(['post.created', 'plain.made'])).resolves.toBeDefined();
    for (const pattern of ['post.removed', '*']) {
      await expect(subscribe([pattern])).rejects.toMatchObject({ field: 'events' });
    }
  });

  it('settings: subscriber model and signer are replaceable', async () => {
    class NoSigner extends WebhookSigner {
      override sign(): Record<string, string> {
        return { 'X-Signed': 'by nobody' };
      }
    }
    const { app, dispatcher } = await receive({
      signer: NoSigner,
      subscriberRepository: InMemorySubscriberRepository,
    });
    await dispatcher.send('a.b');

    expect(app.get(SubscriberRepository)).toBeInstanceOf(InMemorySubscriberRepository);
    expect(receiver.requests[0]!.headers).toMatchObject({ 'x-signed': 'by nobody' });
    expect(receiver.requests[0]!.headers).not.toHaveProperty('hook-hmac');
  });

  describe('faults not carried over', () => {
    it.each([300, 304, 400, 404, 410, 500, 503])(
      'counts an answer of %i as a failure',
      async (status) => {
        const { dispatcher } = await receive();
        receiver.status = status;

        await expect(dispatcher.send('a.b')).resolves.toMatchObject({
          attempts: [{ outcome: 'failed', status }],
        });
      },
    );

    it('verifies TLS', async () => {
      const secure = await selfSigned();
      const port = (secure.address() as AddressInfo).port;
      const { dispatcher } = await receive({}, { url: `https://127.0.0.1:${port}/` });

      await expect(dispatcher.send('a.b')).resolves.toMatchObject({
        attempts: [{ outcome: 'failed', error: { code: 'tls' } }],
      });
    });

    it('generates secrets of 32 random bytes, each different', async () => {
      const { created } = await receive({}, ...Array.from({ length: 50 }, () => ({})));
      const secrets = created.map(({ secrets: [first] }) => first!.value);

      expect(new Set(secrets).size).toBe(50);
      for (const secret of secrets) {
        expect(secret).toMatch(/^whsec_/);
        expect(Buffer.from(secret.slice('whsec_'.length), 'base64')).toHaveLength(32);
      }
    });

    it('does not send an event with an empty owner to everybody', async () => {
      const { app } = await receive(
        {},
        { url: `${receiver.url}/ada`, owner: 'u-ada', events: ['post.created'] },
        { url: `${receiver.url}/application`, events: ['post.created'] },
      );
      await app.get(DataSource).manager.save(Post, { title: 'x', author: null });
      await receiver.waitFor(1);
      await app.get(WebhookDispatcher).send('post.created', {}, { owner: null });

      const paths = receiver.requests.map(({ path }) => path);
      expect(paths).toEqual(['/hooks/application', '/hooks/application']);
    });

    it('matches more than one level with a wildcard', async () => {
      const added = defineEvents({ 'post.tag.added': { description: 'One more tag.' } });
      const { dispatcher } = await receive(
        { events: added },
        { events: ['post.*'] },
        { events: ['*.tag.added'] },
      );
      await dispatcher.send('post.by.ada.again');
      await dispatcher.send('post.tag.added');

      expect(receiver.events).toEqual(['post.by.ada.again', 'post.tag.added', 'post.tag.added']);
    });

    it('encodes the form content type', async () => {
      const { dispatcher } = await receive(
        {},
        { contentType: 'application/x-www-form-urlencoded' },
      );
      await dispatcher.send('a.b', { tags: ['x', { y: true }] });

      const form = new URLSearchParams(receiver.requests[0]!.body.toString());
      expect(form.get('data[tags][0]')).toBe('x');
      expect(form.get('data[tags][1][y]')).toBe('true');
    });

    it('rejects a setting that has no effect', async () => {
      const { dispatcher } = await receive();

      await expect(dispatcher.send('a.b', {}, { retry: { max: -1 } })).rejects.toMatchObject({
        field: 'retry.max',
      });
      await expect(dispatcher.send('a.b', {}, { retryMax: 3 } as object)).rejects.toMatchObject({
        field: 'retryMax',
      });
    });

    it('delivers over IPv6', async () => {
      const six = await Receiver.start('::1');
      closing.push(() => six.stop());
      const recipients = { allowCidrs: ['::1/128'], allowedPorts: 'any' } as const;
      const { dispatcher } = await receive({ recipients }, { url: six.url });
      const { attempts } = await dispatcher.send('a.b');

      expect(attempts).toMatchObject([{ outcome: 'succeeded', address: '::1' }]);
      expect(six.events).toEqual(['a.b']);
    });

    it('finishes deliveries under way when the application closes', async () => {
      const { app } = await receive();
      await app.get(DataSource).manager.save(Plain, {});
      await app.close();

      expect(receiver.events).toEqual(['plain.made']);
    });
  });
});

class SteppingClock extends Clock {
  static time = Date.now();

  override now(): number {
    return SteppingClock.time;
  }
}

async function selfSigned(): Promise<HttpsServer> {
  const file = (name: string) => readFileSync(`test/support/fixtures/tls/${name}`);
  const server = createServer(
    { key: file('self-signed.key'), cert: file('self-signed.pem') },
    (_, response) => response.writeHead(204).end(),
  );
  closing.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
