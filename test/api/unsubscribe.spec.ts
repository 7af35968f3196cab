import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  generateSigningKeyPair,
  inline,
  type Subscriber,
  ThornConfigurationError,
  ThornModule,
  WebhookDispatcher,
} from '../../lib/index.js';
import { UnsubscribeLinks } from '../../lib/signing/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, owners, startApi } from '../support/apps/api-app.js';
import { type TestDatabase } from '../support/databases.js';
import { PAIRS } from '../support/places.js';

const SECRET = 'a secret of the application that has 32 characters at least';
const NEXT = 'another secret of the application, that replaces the one before';
const URL_OF_API = 'https://api.example.com/v1/hooks';

describe.each(PAIRS)(
  'the link to unsubscribe on $database and $platform',
  ({ create: createDatabase, platform }) => {
    let api: Api;
    let store: TestDatabase;
    let receiver: ScriptedReceiver;

    beforeAll(async () => {
      [store, receiver] = [await createDatabase(), await ScriptedReceiver.start()];
      api = await startApi(platform, {
        store,
        api: { ...owners, path: 'v1/hooks' },
        thorn: {
          recipients: LOOPBACK_RECIPIENTS,
          encryption: { keys: [{ id: 'one', key: Buffer.alloc(32, 7) }] },
          unsubscribe: { url: `${URL_OF_API}/`, secret: SECRET },
          subscribers: { 'article.created': `${receiver.url}/static` },
        },
      });
    });
    afterAll(async () => {
      await api.app.close();
      await receiver.stop();
      await store.drop();
    });
    afterEach(async () => {
      for (const { id } of await all()) await api.subscribers.delete(id, 'any');
      receiver.clear();
    });

    const all = async () => (await api.subscribers.list({ limit: 10 }, 'any')).items;
    const create = (owner: string | null, secret?: string): Promise<Subscriber> =>
      api.subscribers.create({
        url: `${receiver.url}/of-${owner}`,
        events: ['order.*'],
        owner,
        ...(secret !== undefined && { secret }),
      });
    /** The paths of the links by the id of the subscriber, as they came with one message. */
    async function links(count: number): Promise<Record<string, string>> {
      receiver.clear();
      await api.app.get(WebhookDispatcher).send('order.paid');
      const received = await receiver.waitFor(count);
      return Object.fromEntries(
        received.map(({ headers }) => {
          const link = String(headers['hook-unsubscribe']);
          expect(link.startsWith(`${URL_OF_API}/unsubscribe/`)).toBe(true);
          return [String(headers['hook-subscription']), new URL(link).pathname];
        }),
      );
    }
    const call = (method: string, path: string, given: object = {}) =>
      api.send(method, path, { as: 'nobody', ...given });

    it('comes with every webhook, and ends only its subscriber, once', async () => {
      const { privateKey } = generateSigningKeyPair();
      const [alice, bob, nobody] = [
        await create('alice'),
        await create('bob', privateKey),
        await create(null),
      ];
      const paths = await links(3);
      expect(Object.keys(paths).sort()).toEqual([alice.id, bob.id, nobody.id].sort());

      for (const [left, one] of [bob, alice, nobody].entries()) {
        expect((await call('POST', paths[one.id]!)).status).toBe(204);
        expect((await all()).map(({ id }) => id)).not.toContain(one.id);
        expect(await all()).toHaveLength(2 - left);
        expect(await call('POST', paths[one.id]!)).toMatchObject({
          status: 404,
          body: { title: 'Not Found' },
        });
      }
    });

    it('works with any body, for one of two simultaneous requests', async () => {
      const { id } = await create('alice');
      const path = (await links(1))[id]!;
      const both = await Promise.all([
        call('POST', path, { body: {} }),
        call('POST', `${path}/`, {
          body: Buffer.from('List-Unsubscribe=One-Click'),
          type: 'application/x-www-form-urlencoded',
        }),
      ]);
      expect(both.map(({ status }) => status).sort()).toEqual([204, 404]);
    });

    it('does nothing on a GET request', async () => {
      const { id } = await create('alice');
      const path = (await links(1))[id]!;
      expect((await call('GET', path)).status).toBe(404);
      expect((await call('HEAD', path)).status).toBe(404);
      expect(await all()).toHaveLength(1);
    });

    it('works for no other subscriber, and in no other form', async () => {
      const [alice, bob] = [await create('alice'), await create('bob')];
      // At one URL, so that it is the subscriber that counts.
      await api.subscribers.update(bob.id, { url: alice.url }, 'any');
      const paths = await links(2);
      const [base, proof] = [
        '/v1/hooks/unsubscribe',
        paths[alice.id]!.slice(paths[alice.id]!.lastIndexOf('/') + 1),
      ];
      const bobs = paths[bob.id]!.slice(paths[bob.id]!.lastIndexOf('/') + 1);
      for (const path of [
        `${bob.id}/${proof}`,
        `${alice.id}/${bobs}`,
        `${alice.id}/${proof.startsWith('A') ? 'B' : 'A'}${proof.slice(1)}`,
        `${alice.id}/${proof.slice(0, -1)}`,
        `${alice.id}/${proof}A`,
        `${alice.id}/${proof}=`,
        `${alice.id}/${proof.toUpperCase()}`,
        `${alice.id}/%00`,
        `%00/${proof}`,
        `sub_none/${proof}`,
        `${alice.id}/x`,
      ]) {
        expect({ path, status: (await call('POST', `${base}/${path}`)).status }).toEqual({
          path,
          status: 404,
        });
      }
      expect(await all()).toHaveLength(2);
    });

    it('expires when the subscriber changes its URL', async () => {
      const { id } = await create('alice');
      const before = (await links(1))[id]!;
      await api.subscribers.update(id, { url: `${receiver.url}/moved` }, 'any');
      expect((await call('POST', before)).status).toBe(404);
      const after = (await links(1))[id]!;
      expect(after).not.toBe(before);
      expect((await call('POST', after)).status).toBe(204);
    });

    it('is not sent to static subscribers', async () => {
      await api.app.get(WebhookDispatcher).send('article.created');
      const [arrived] = await receiver.waitFor(1);
      expect(arrived!.headers).not.toHaveProperty('hook-unsubscribe');
      expect(arrived!.headers).toHaveProperty('hook-subscription');
    });
  },
);

describe('the option unsubscribe', () => {
  let receiver: ScriptedReceiver;
  beforeEach(async () => void (receiver = await ScriptedReceiver.start()));
  afterEach(() => receiver.stop());

  /** An application, and the link that it sends to a subscriber of that id; undefined for none. */
  async function linkOf(secret: string | readonly string[] | null): Promise<[Api, string?]> {
    const api = await startApi('express', {
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        ...(secret !== null && { unsubscribe: { url: 'http://localhost/hooks', secret } }),
      },
    });
    await api.subscribers.create({ url: receiver.url, events: ['*'], owner: 'alice' });
    receiver.clear();
    await api.app.get(WebhookDispatcher).send('order.paid');
    const [arrived] = await receiver.waitFor(1);
    const link = arrived!.headers['hook-unsubscribe'];
    return link === undefined ? [api] : [api, new URL(String(link)).pathname];
  }

  it('is off by default: no link, and no route', async () => {
    const [on, path] = await linkOf(SECRET);
    const [off, none] = await linkOf(null);
    try {
      expect(none).toBeUndefined();
      expect((await off.send('POST', path!, { as: 'nobody' })).status).toBe(404);
    } finally {
      await on.app.close();
      await off.app.close();
    }
  });

  it('accepts links signed with older secrets, and signs with the first', () => {
    const url = 'http://localhost/hooks';
    const [old, both, next] = [SECRET, [NEXT, SECRET], [NEXT]].map(
      (secret) => new UnsubscribeLinks({ url, secret }),
    );
    const subscriber = { id: 'sub_1', url: 'https://example.com/' };
    const proof = (link: string) => link.slice(link.lastIndexOf('/') + 1);
    expect(both!.isSigned('sub_1', proof(old!.of(subscriber)))).toBe(true);
    expect(next!.isSigned('sub_1', proof(old!.of(subscriber)))).toBe(false);
    expect(both!.of(subscriber)).toBe(next!.of(subscriber));
    expect(next!.of({ ...subscriber, id: 'a/b?c' })).toContain('/unsubscribe/a%2Fb%3Fc/');
  });

  it.each<[string, unknown]>([
    ['unsubscribe', true],
    ['unsubscribe.key', { url: 'http://localhost/hooks', secret: SECRET, key: 'x' }],
    ['unsubscribe.secret', { url: 'http://localhost/hooks' }],
    ['unsubscribe.secret', { url: 'http://localhost/hooks', secret: 'too short' }],
    ['unsubscribe.secret', { url: 'http://localhost/hooks', secret: [] }],
    ['unsubscribe.secret', { url: 'http://localhost/hooks', secret: [SECRET, 5] }],
    ['unsubscribe.url', { secret: SECRET }],
    ['unsubscribe.url', { secret: SECRET, url: '/hooks' }],
    ['unsubscribe.url', { secret: SECRET, url: 'https://example.com/hooks?a=b' }],
    ['unsubscribe.url', { secret: SECRET, url: 'ftp://example.com/hooks' }],
    ['unsubscribe.url', { secret: SECRET, url: 'https://me:pass@example.com/hooks' }],
  ])('rejects a wrong %s at start-up', async (option, unsubscribe) => {
    const started = Test.createTestingModule({
      imports: [
        ThornModule.forRoot({
          dataSources: [],
          dispatch: inline(),
          unsubscribe: unsubscribe as never,
        }),
      ],
    }).compile();
    await expect(started).rejects.toThrow(ThornConfigurationError);
    await expect(started).rejects.toThrow(`\`${option}\` `);
    await expect(started).rejects.not.toThrow(SECRET);
  });
});
