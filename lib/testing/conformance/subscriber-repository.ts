import type { Secret } from '../../message/index.js';
import type {
  MatchCriteria,
  OwnerScope,
  Subscriber,
  SubscriberRepository,
} from '../../subscriber/index.js';
import type { TestRunner } from './test-runner.js';

/** A storage that no other test uses, empty at first. */
export interface SubscriberStorage {
  /** A repository on the storage; called again, one as another process would have. */
  open(): SubscriberRepository;
  /** Lets the documented staleness pass. */
  letStalenessPass(): void | Promise<void>;
  close(): Promise<void>;
}

/** The implementation under test. */
export interface SubscriberRepositoryUnderTest {
  /** Name of the implementation in the report. */
  readonly name: string;
  /** True when several processes can use one storage; then they must see each other's changes. */
  readonly shared: boolean;
  /** Called once for each test. */
  makeStorage(): Promise<SubscriberStorage>;
}

/** Defines the tests that every {@link SubscriberRepository} must pass. */
export function subscriberRepositoryConformance(
  { name, shared, makeStorage }: SubscriberRepositoryUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const test = (
    title: string,
    body: (repository: SubscriberRepository, storage: SubscriberStorage) => Promise<void>,
  ) =>
    it(title, async () => {
      const storage = await makeStorage();
      try {
        await body(storage.open(), storage);
      } finally {
        await storage.close();
      }
    });

  describe(`${name}: storing`, () => {
    test('gives back what was created, every field', async (repository) => {
      const full = subscriber('full', {
        owner: 'ann',
        events: ['article.*', '*.removed'],
        contentType: 'application/x-www-form-urlencoded',
        digest: 'sha512',
        secrets: [
          { value: 'whsec_bmV3', expiresAt: null },
          { value: 'an older secret', expiresAt: 1_800_000_000_123 },
        ],
        exclude: ['article.secret'],
        filter: { title: { contains: 'ß' }, price: { gt: 5 } },
        rateLimit: { max: 100, per: 60_000 },
        ordered: true,
        onExhausted: 'hold',
        holdFor: 1_209_600_000,
        enabled: false,
        verification: 'verified',
        description: 'Grüße, "quoted" 🎉\n\\ and more',
        metadata: { team: 'a', constructor: 'b', '': '' },
        createdAt: new Date(1_700_000_000_001),
        updatedAt: new Date(1_700_000_000_999),
      });

      expect(await repository.create(full)).toEqual(full);
      expect(await repository.findById(full.id, 'any')).toEqual(full);
      expect((await repository.list('any', { limit: 10 })).items).toEqual([full]);
    });

    test('refuses a second subscriber of the same id', async (repository) => {
      await repository.create(subscriber('one', { url: 'https://example.com/first' }));

      await expect(repository.create(subscriber('one'))).rejects.toThrow();
      const kept = await repository.findById('one', 'any');
      expect(kept?.url).toBe('https://example.com/first');
    });

    test('is not changed by what the caller does to its objects later', async (repository) => {
      const events = ['article.created'];
      await repository.create(subscriber('one', { events }));
      events.push('*');

      expect((await repository.findById('one', 'any'))?.events).toEqual(['article.created']);
      expect(await matched(repository, { event: 'order.created' })).toEqual([]);
    });

    test('changes the named fields and no other', async (repository) => {
      const before = await repository.create(subscriber('one', { description: 'before' }));
      const updatedAt = new Date(1_700_000_500_000);

      const after = await repository.update('one', { enabled: false, updatedAt }, 'any');
      expect(after).toEqual({ ...before, enabled: false, updatedAt });
      const changes = {
        url: 'https://example.com/other',
        events: ['*'],
        exclude: ['*.removed'],
        filter: { a: { b: 1 } },
        rateLimit: { max: 1_000_000, per: 3_600_000 },
        ordered: true,
        onExhausted: 'hold',
        holdFor: 1,
        verification: 'pending',
        contentType: 'text/plain',
        digest: 'sha1',
        enabled: true,
        description: null,
        metadata: { a: 'b' },
        secrets: [{ value: 'another secret of mine', expiresAt: null }],
        updatedAt,
      } as const;
      await repository.update('one', changes, 'any');
      expect(await repository.findById('one', 'any')).toEqual({ ...before, ...changes });
      await repository.update('one', { rateLimit: null, updatedAt }, 'any');
      expect((await repository.findById('one', 'any'))?.rateLimit).toBeNull();
    });

    test('finds a text in the URL and in the description, page by page', async (repository) => {
      const at = (path: string) => `https://example.com/${path}`;
      const odd = { url: at('o'), description: '100%!' };
      await repository.create(subscriber('1', { url: at('Hooks-a'), owner: 'ann' }));
      await repository.create(subscriber('2', { url: at('x'), description: 'The HOOKS of b' }));
      await repository.create(subscriber('3', { url: at('hooks-c'), owner: 'ann' }));
      await repository.create(subscriber('4', { ...odd, owner: 'ann' }));
      const found = async (search: string, scope: OwnerScope = 'any') =>
        (await repository.list(scope, { limit: 10, search })).items.map(({ id }) => id);

      expect(await found('hooks')).toEqual(['1', '2', '3']);
      expect(await found('hooKS', { owner: 'ann' })).toEqual(['1', '3']);
      expect(await found('of B')).toEqual(['2']);
      const first = await repository.list('any', { limit: 2, search: 'hooks' });
      expect(first).toMatchObject({ items: [{ id: '1' }, { id: '2' }], next: '2' });
      const last = await repository.list('any', { limit: 2, search: 'hooks', after: first.next });
      expect(last).toMatchObject({ items: [{ id: '3' }], next: null });
      // What a database could take for anything stands for itself.
      for (const literal of ['%', '!', '0%!']) expect(await found(literal)).toEqual(['4']);
      for (const absent of ['_', 'h_oks', 'x%y', "'", '\\', 'null', '"']) {
        expect(await found(absent)).toEqual([]);
      }
    });

    test('answers null and false for an id that does not exist', async (repository) => {
      const updatedAt = new Date(1_700_000_500_000);
      expect(await repository.findById('none', 'any')).toBeNull();
      expect(await repository.update('none', { enabled: false, updatedAt }, 'any')).toBeNull();
      expect(await repository.delete('none', 'any')).toBe(false);
    });

    test('finds the subscriber of a retry while it is active', async (repository) => {
      const one = await repository.create(subscriber('one', { events: ['other'] }));
      await repository.create(subscriber('two', { enabled: false }));
      await repository.create(subscriber('three', { verification: 'pending' }));
      expect(await repository.findActive('one')).toEqual(one);
      for (const id of ['two', 'three', 'none']) expect(await repository.findActive(id)).toBeNull();

      const updatedAt = new Date(1_700_000_500_000);
      await repository.update('one', { enabled: false, updatedAt }, 'any');
      expect(await repository.findActive('one')).toBeNull();
      await repository.update('two', { enabled: true, updatedAt }, 'any');
      expect(await repository.findActive('two')).toMatchObject({ id: 'two', enabled: true });
    });

    test('deletes once', async (repository) => {
      await repository.create(subscriber('one'));

      expect(await repository.delete('one', 'any')).toBe(true);
      expect(await repository.delete('one', 'any')).toBe(false);
      expect(await repository.findById('one', 'any')).toBeNull();
    });

    test('deletes nothing when the check refuses', async (repository) => {
      const before = await repository.create(subscriber('one', { owner: 'ann' }));
      const seen: Subscriber[] = [];
      const refuse = (current: Subscriber) => {
        seen.push(current);
        throw new Error('not this one');
      };

      await expect(repository.delete('one', 'any', refuse)).rejects.toMatchObject({
        message: 'not this one',
      });
      expect(await repository.delete('one', { owner: 'bob' }, refuse)).toBe(false);
      expect(seen).toEqual([before]);
      expect(await repository.findById('one', 'any')).toEqual(before);
      expect(await repository.delete('one', 'any', () => undefined)).toBe(true);
    });

    test('checks a deletion against what no other write has changed', async (repository) => {
      for (let round = 0; round < 10; round++) {
        const id = `raced${round}`;
        await repository.create(subscriber(id));
        const check = ({ description }: Subscriber) => {
          if (description !== null) throw new Error('changed');
        };
        const changed = repository.update(id, { description: 'new', updatedAt: LATER }, 'any');
        const deleted = repository.delete(id, 'any', check).catch((error: Error) => error.message);

        // Either it was deleted as it was, or the change came first and it is still there.
        const [after, outcome] = await Promise.all([changed, deleted]);
        if (outcome === 'changed') expect(after).not.toBeNull();
        const left = await repository.findById(id, 'any');
        expect(left?.description ?? null).toBe(outcome === 'changed' ? 'new' : null);
      }
    });
  });

  describe(`${name}: terms`, () => {
    const limits = { perOwner: 3, perHost: 2 };
    const field = (error: unknown) => (error as { field?: string }).field;
    const fieldOf = (promise: Promise<unknown>) => promise.then(() => 'stored', field);
    const at = (host: string) => ({ owner: 'ann', url: `https://${host}.example.com/hooks` });

    test('lets an owner have so many, and so many of one host', async (repository) => {
      await repository.create(subscriber('a1', at('a')), limits);
      await repository.create(subscriber('a2', { ...at('a'), enabled: false }), limits);
      expect(await fieldOf(repository.create(subscriber('a3', at('a')), limits))).toBe('url');
      const port = { owner: 'ann', url: 'https://A.example.com:8443/' };
      expect(await fieldOf(repository.create(subscriber('a4', port), limits))).toBe('url');
      await repository.create(subscriber('b1', at('b')), limits);
      expect(await fieldOf(repository.create(subscriber('c1', at('c')), limits))).toBe('owner');
      // Neither others nor the ownerless are counted in.
      for (const id of ['x1', 'x2']) {
        await repository.create(subscriber(id, { ...at('a'), owner: 'Ann' }), limits);
      }
      for (const id of ['o1', 'o2', 'o3', 'o4']) {
        await repository.create(subscriber(id, { ...at('a'), owner: null }), limits);
      }
      expect((await repository.list({ owner: 'ann' }, { limit: 10 })).items).toHaveLength(3);

      await repository.delete('a1', 'any');
      await repository.create(subscriber('c1', at('c')), limits);
      // Without limits there are none.
      await repository.create(subscriber('c2', at('c')));
      expect(await fieldOf(repository.create(subscriber('d1', at('d')), limits))).toBe('owner');
    });

    test('counts a change of the host', async (repository) => {
      await repository.create(subscriber('a1', at('a')), limits);
      await repository.create(subscriber('a2', at('a')), limits);
      const before = await repository.create(subscriber('b1', at('b')), limits);
      const move = (id: string, url: string) =>
        fieldOf(repository.update(id, { url, updatedAt: LATER }, 'any', { limits }));

      expect(await move('b1', at('a').url)).toBe('url');
      expect(await repository.findById('b1', 'any')).toEqual(before);
      expect(await move('a1', `${at('a').url}/other`)).toBe('stored');
      expect(await move('a1', at('b').url)).toBe('stored');
      expect(await move('a2', at('b').url)).toBe('url');
    });

    test('lets one through of many for the last place', async (repository, storage) => {
      const other = shared ? storage.open() : repository;
      await repository.create(subscriber('a', at('a')), limits);
      await repository.create(subscriber('b', at('b')), limits);
      const results = await Promise.all(
        ['c', 'd', 'e', 'f'].map((id, index) =>
          fieldOf((index % 2 === 0 ? repository : other).create(subscriber(id, at(id)), limits)),
        ),
      );
      expect(results.sort()).toEqual(['owner', 'owner', 'owner', 'stored']);
      expect((await repository.list({ owner: 'ann' }, { limit: 10 })).items).toHaveLength(3);
    });

    test('lets one through of many for the last place at a host', async (repository, storage) => {
      const other = shared ? storage.open() : repository;
      const two = { perOwner: 100, perHost: 2 };
      await repository.create(subscriber('a', at('a')), two);
      const moving = ['m', 'n', 'o'];
      for (const id of moving) await repository.create(subscriber(id, at(id)), two);
      const results = await Promise.all([
        fieldOf(repository.create(subscriber('b', at('a')), two)),
        fieldOf(other.create(subscriber('c', at('a')), two)),
        ...moving.map((id, index) =>
          fieldOf(
            (index % 2 === 0 ? repository : other).update(
              id,
              { url: at('a').url, updatedAt: LATER },
              'any',
              { limits: two },
            ),
          ),
        ),
      ]);
      expect(results.sort()).toEqual(['stored', 'url', 'url', 'url', 'url']);
    });

    test('asks the check about what is stored, and changes nothing when it throws', async (repository) => {
      const before = await repository.create(subscriber('one', { owner: 'ann' }));
      const refusal = new Error('not this one');
      const seen: unknown[] = [];
      const check = (current: Subscriber) => {
        seen.push(current);
        throw refusal;
      };
      const change = { enabled: false, updatedAt: LATER };

      await expect(repository.update('one', change, 'any', { check })).rejects.toMatchObject({
        message: refusal.message,
      });
      expect(seen).toEqual([before]);
      expect(await repository.findById('one', 'any')).toEqual(before);
      expect(await repository.update('one', change, { owner: 'bob' }, { check })).toBeNull();
      expect(seen).toHaveLength(1);
    });

    test('lets one through of two that check for the same', async (repository, storage) => {
      const other = shared ? storage.open() : repository;
      const { updatedAt } = await repository.create(subscriber('one'));
      const change = (by: SubscriberRepository, description: string, time: number) =>
        by
          .update('one', { description, updatedAt: new Date(time) }, 'any', {
            check: (current) => {
              if (current.updatedAt.getTime() !== updatedAt.getTime()) throw new Error('changed');
            },
          })
          .then(
            () => 'written',
            (error: Error) => error.message,
          );
      const results = await Promise.all([
        change(repository, 'mine', 1_700_000_900_001),
        change(other, 'yours', 1_700_000_900_002),
      ]);
      expect(results.sort()).toEqual(['changed', 'written']);
    });
  });

  describe(`${name}: secrets`, () => {
    test('replaces them by what is made of the stored ones, and nothing else', async (repository) => {
      const before = await repository.create(subscriber('one', { owner: 'ann' }));

      const after = await repository.changeSecrets(
        'one',
        (secrets, current) => {
          expect(current).toEqual(before);
          return [secretOf('newer'), ...secrets];
        },
        LATER,
        { owner: 'ann' },
      );
      expect(after).toEqual({
        ...before,
        secrets: [secretOf('newer'), ...before.secrets],
        updatedAt: LATER,
      });
      expect(await repository.findById('one', 'any')).toEqual(after);
      const found = await repository.match({
        event: 'article.created',
        owner: null,
        audience: 'everyone',
      });
      expect(found).toEqual([after]);
    });

    test('passes on what the change throws, and changes nothing then', async (repository) => {
      const before = await repository.create(subscriber('one'));
      const refusal = new Error('not this one');

      await expect(
        repository.changeSecrets(
          'one',
          () => {
            throw refusal;
          },
          LATER,
          'any',
        ),
      ).rejects.toMatchObject({ message: refusal.message });
      expect(await repository.findById('one', 'any')).toEqual(before);
    });

    test('answers null for no id and outside of the scope, without asking for a change', async (repository) => {
      const before = await repository.create(subscriber('one', { owner: 'ann' }));
      let asked = 0;
      const change = () => {
        asked++;
        return [secretOf('newer')];
      };

      expect(await repository.changeSecrets('none', change, LATER, 'any')).toBeNull();
      for (const owner of ['bob', 'Ann', '', null]) {
        expect(await repository.changeSecrets('one', change, LATER, { owner })).toBeNull();
      }
      expect(asked).toBe(0);
      expect(await repository.findById('one', 'any')).toEqual(before);
    });

    test('loses none of many changes at once, nor another field’s update', async (repository) => {
      await repository.create(subscriber('one'));
      const names = Array.from({ length: 20 }, (_, at) => `secret-${at}`);

      await Promise.all([
        ...names.map((each) => addSecret(repository, 'one', each)),
        set(repository, 'one', { description: 'changed' }),
      ]);
      const stored = await repository.findById('one', 'any');
      expect(stored?.secrets.map(({ value }) => value).sort()).toEqual(
        [...names, 'whsec_c2VjcmV0'].sort(),
      );
      expect(stored?.description).toBe('changed');
    });

    test('does not bring back what is deleted meanwhile', async (repository) => {
      for (let round = 0; round < 20; round++) {
        const id = `sub-${round}`;
        await repository.create(subscriber(id));
        await Promise.all([
          addSecret(repository, id, 'newer'),
          repository.delete(id, 'any'),
          addSecret(repository, id, 'newest'),
        ]);

        expect(await repository.findById(id, 'any')).toBeNull();
      }
      expect(await matched(repository, {})).toEqual([]);
    });
  });

  describe(`${name}: owners`, () => {
    test('shows and changes nothing outside of the scope, on any method', async (repository) => {
      await repository.create(subscriber('of-ann', { owner: 'ann' }));
      await repository.create(subscriber('of-nobody', { owner: null }));
      const updatedAt = new Date(1_700_000_500_000);
      const foreign: [string, OwnerScope][] = [
        ['of-ann', { owner: 'bob' }],
        ['of-ann', { owner: 'Ann' }],
        ['of-ann', { owner: 'ann ' }],
        ['of-ann', { owner: '' }],
        ['of-ann', { owner: null }],
        ['of-nobody', { owner: 'ann' }],
        ['of-nobody', { owner: '' }],
        ['of-nobody', { owner: 'null' }],
        ['OF-ANN', { owner: 'ann' }],
      ];
      for (const [id, scope] of foreign) {
        expect(await repository.findById(id, scope)).toBeNull();
        expect(await repository.update(id, { enabled: false, updatedAt }, scope)).toBeNull();
        expect(await repository.delete(id, scope)).toBe(false);
        const { items } = await repository.list(scope, { limit: 10 });
        expect(items.map((item) => item.id)).not.toContain(id);
      }

      for (const [id, scope] of [
        ['of-ann', { owner: 'ann' }],
        ['of-nobody', { owner: null }],
      ] as const) {
        expect((await repository.findById(id, scope))?.enabled).toBe(true);
        expect((await repository.list(scope, { limit: 10 })).items).toHaveLength(1);
        expect(await repository.update(id, { enabled: false, updatedAt }, scope)).not.toBeNull();
        expect(await repository.delete(id, scope)).toBe(true);
      }
    });

    test('sends to everyone without a declared owner, else to the owner and the ownerless', async (repository) => {
      await repository.create(subscriber('ann', { owner: 'ann' }));
      await repository.create(subscriber('bob', { owner: 'bob' }));
      await repository.create(subscriber('app', { owner: null }));

      expect(await matched(repository, {})).toEqual(['ann', 'app', 'bob']);
      const audience = 'owner';
      expect(await matched(repository, { audience, owner: 'ann' })).toEqual(['ann', 'app']);
      expect(await matched(repository, { audience, owner: 'nobody' })).toEqual(['app']);
      expect(await matched(repository, { audience, owner: '' })).toEqual(['app']);
      expect(await matched(repository, { audience, owner: null })).toEqual(['app']);
      expect(await matched(repository, { audience, owner: '__proto__' })).toEqual(['app']);
    });
  });

  describe(`${name}: listing`, () => {
    test('pages in the order of the ids, complete and without repetition', async (repository) => {
      const ids = Array.from({ length: 7 }, (_, at) => `sub-${at}`);
      for (const id of [...ids].reverse()) await repository.create(subscriber(id));

      expect(await pages(repository, 3)).toEqual([ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]);
      expect(await pages(repository, 7)).toEqual([ids]);
      expect(await pages(repository, 8)).toEqual([ids]);
    });

    test('misses nothing that was there before, whatever is created and deleted meanwhile', async (repository) => {
      const ids = Array.from({ length: 9 }, (_, at) => `sub-${at}`);
      for (const id of ids) await repository.create(subscriber(id));
      let turn = 0;

      const seen = await pages(repository, 2, async (last) => {
        turn++;
        await repository.create(subscriber(`a-${turn}`));
        await repository.create(subscriber(`sub-${turn}-new`));
        await repository.delete(last, 'any');
      });
      expect(seen.flat().filter((id) => !id.endsWith('new'))).toEqual(ids);
      expect(new Set(seen.flat()).size).toBe(seen.flat().length);
    });

    test('finds the ids of an owner, and those on a host', async (repository) => {
      const create = (id: string, owner: string | null, url: string) =>
        repository.create(subscriber(id, { owner, url }));
      await create('one', 'ann', 'https://example.com/a?b=c.example');
      await create('two', 'ann', 'https://example.com:8443/');
      await create('three', 'Ann', 'https://EXAMPLE.com:443/b');
      await create('four', null, 'https://c.example/');
      const found = async (...terms: Parameters<SubscriberRepository['findIds']>) =>
        [...(await repository.findIds(...terms))].sort();

      expect(await found('any')).toEqual(['four', 'one', 'three', 'two']);
      expect(await found({ owner: 'ann' })).toEqual(['one', 'two']);
      expect(await found({ owner: null })).toEqual(['four']);
      expect(await found('any', 'example.com')).toEqual(['one', 'three']);
      expect(await found({ owner: 'ann' }, 'example.com:8443')).toEqual(['two']);
      expect(await found({ owner: 'ann' }, 'c.example')).toEqual([]);
    });

    test('ends at once when there is nothing', async (repository) => {
      expect(await repository.list('any', { limit: 5 })).toEqual({ items: [], next: null });
    });
  });

  describe(`${name}: matching`, () => {
    test('follows the patterns', async (repository) => {
      await repository.create(subscriber('all', { events: ['*'] }));
      await repository.create(subscriber('articles', { events: ['article.*'] }));
      await repository.create(subscriber('created', { events: ['*.created'] }));
      await repository.create(subscriber('inner', { events: ['a.*.c'] }));
      await repository.create(subscriber('exact', { events: ['article.created'] }));

      const event = (name_: string) => matched(repository, { event: name_ });
      expect(await event('article.created')).toEqual(['all', 'articles', 'created', 'exact']);
      expect(await event('article.tag.created')).toEqual(['all', 'articles']);
      expect(await event('article')).toEqual(['all']);
      expect(await event('a.b.c')).toEqual(['all', 'inner']);
      expect(await event('a.b.b.c')).toEqual(['all']);
      expect(await event('Article.created')).toEqual(['all', 'created']);
      expect(await event('articles.created')).toEqual(['all', 'created']);
    });

    test('names a subscriber once, however many of its patterns match', async (repository) => {
      await repository.create(subscriber('one', { events: ['article.*', 'article.created', '*'] }));
      await repository.create(
        subscriber('own', { owner: 'ann', events: ['article.*', 'article.created', '*'] }),
      );

      expect(await matched(repository, {})).toEqual(['one', 'own']);
      expect(await matched(repository, { audience: 'owner', owner: 'ann' })).toEqual([
        'one',
        'own',
      ]);
    });

    test('never matches a disabled one', async (repository) => {
      await repository.create(subscriber('off', { enabled: false }));
      await repository.create(subscriber('on'));
      expect(await matched(repository, {})).toEqual(['on']);

      await set(repository, 'on', { enabled: false });
      await set(repository, 'off', { enabled: true });
      expect(await matched(repository, {})).toEqual(['off']);
    });

    test('counts the disabled ones, if it counts them at all', async (repository) => {
      await repository.create(subscriber('on'));
      await repository.create(subscriber('off', { enabled: false }));
      const off = subscriber('later');
      await repository.create(off);
      const before = await repository.countDisabled();
      await repository.disable(off.id, new Date());

      expect([before, await repository.countDisabled()]).toEqual(
        before === null ? [null, null] : [1, 2],
      );
    });

    test('never matches one that is still to be verified', async (repository) => {
      await repository.create(subscriber('asked', { verification: 'pending' }));
      await repository.create(subscriber('verified', { verification: 'verified' }));
      expect(await matched(repository, {})).toEqual(['verified']);

      await set(repository, 'asked', { verification: 'verified' });
      await set(repository, 'verified', { verification: 'pending' });
      expect(await matched(repository, {})).toEqual(['asked']);
    });

    test('sees its own creations, changes and deletions at once', async (repository) => {
      expect(await matched(repository, {})).toEqual([]);
      await repository.create(subscriber('one'));
      expect(await matched(repository, {})).toEqual(['one']);
      await set(repository, 'one', { events: ['order.*'] });
      expect(await matched(repository, {})).toEqual([]);
      expect(await matched(repository, { event: 'order.created' })).toEqual(['one']);
      await set(repository, 'one', { url: 'https://example.com/moved' });
      const [found] = await repository.match({
        event: 'order.created',
        owner: null,
        audience: 'everyone',
      });
      expect(found?.url).toBe('https://example.com/moved');
      await repository.delete('one', 'any');
      expect(await matched(repository, { event: 'order.created' })).toEqual([]);
    });
  });

  describe(`${name}: races`, () => {
    test('disables once, however many ask for it at the same time', async (repository) => {
      for (let round = 0; round < 10; round++) {
        const { id } = await repository.create(subscriber(`sub-${round}`));
        const updatedAt = new Date();
        const answers = await Promise.all([
          repository.disable(id, updatedAt),
          repository.disable(id, updatedAt),
          repository.disable(id, updatedAt),
        ]);
        expect(answers.filter(Boolean)).toEqual([true]);
        expect((await repository.findById(id, 'any'))?.enabled).toBe(false);
        expect(await repository.disable(id, updatedAt)).toBe(false);
      }
      expect(await repository.disable('nobody', new Date())).toBe(false);
    });

    test('keeps both of two updates of different fields', async (repository) => {
      for (let round = 0; round < 20; round++) {
        const id = `sub-${round}`;
        await repository.create(subscriber(id));
        await Promise.all([
          set(repository, id, { description: 'changed' }),
          set(repository, id, { events: ['order.*'] }),
          set(repository, id, { url: `https://example.com/${round}` }),
        ]);

        const stored = await repository.findById(id, 'any');
        expect(stored).toMatchObject({
          description: 'changed',
          events: ['order.*'],
          url: `https://example.com/${round}`,
        });
        const found = await repository.match({
          event: 'order.created',
          owner: null,
          audience: 'everyone',
        });
        expect(found.find((one) => one.id === id)).toEqual(stored);
      }
    });

    test('does not bring back what is deleted during an update', async (repository) => {
      for (let round = 0; round < 20; round++) {
        const id = `sub-${round}`;
        await repository.create(subscriber(id));
        const [, deleted] = await Promise.all([
          set(repository, id, { description: 'changed' }),
          repository.delete(id, 'any'),
          set(repository, id, { enabled: true }),
        ]);

        expect(deleted).toBe(true);
        expect(await repository.findById(id, 'any')).toBeNull();
      }
      expect(await matched(repository, {})).toEqual([]);
    });

    test('tells one of two deletions alone that it was the one', async (repository) => {
      await repository.create(subscriber('one'));
      const both = [repository.delete('one', 'any'), repository.delete('one', 'any')];

      expect((await Promise.all(both)).sort()).toEqual([false, true]);
    });

    test('matches what was created while the first match is under way', async (repository) => {
      await repository.create(subscriber('before'));
      const [, created] = await Promise.all([
        matched(repository, {}),
        repository.create(subscriber('meanwhile')),
        repository.delete('before', 'any'),
      ]);

      expect(created.id).toBe('meanwhile');
      expect(await matched(repository, {})).toEqual(['meanwhile']);
    });
  });

  describe(`${name}: unheard events`, () => {
    const ofAnn = { event: 'article.created', owner: 'ann', audience: 'owner' } as const;

    test('counts every subscriber that names an event, active or not', async (repository) => {
      await matched(repository, {});
      await repository.create(subscriber('one', { events: ['article.*'], owner: 'ann' }));
      expect(repository.isUnheard(ofAnn)).toBe(false);

      await set(repository, 'one', { enabled: false });
      expect(repository.isUnheard(ofAnn)).toBe(false);
      await set(repository, 'one', { enabled: true, verification: 'pending' });
      expect(repository.isUnheard(ofAnn)).toBe(false);
      await set(repository, 'one', { verification: 'verified' });
      expect(repository.isUnheard(ofAnn)).toBe(false);

      await set(repository, 'one', { events: ['order.*'] });
      expect(repository.isUnheard({ ...ofAnn, event: 'order.created' })).toBe(false);
    });
  });

  if (!shared) return;
  describe(`${name}: several processes`, () => {
    const testBoth = (
      title: string,
      body: (
        here: SubscriberRepository,
        there: SubscriberRepository,
        pass: () => void | Promise<void>,
      ) => Promise<void>,
    ) =>
      test(title, (here, storage) => body(here, storage.open(), () => storage.letStalenessPass()));

    testBoth('disables in one of them alone', async (here, there) => {
      for (let round = 0; round < 10; round++) {
        const { id } = await here.create(subscriber(`sub-${round}`));
        const updatedAt = new Date();
        const answers = await Promise.all([
          here.disable(id, updatedAt),
          there.disable(id, updatedAt),
        ]);
        expect(answers.filter(Boolean)).toEqual([true]);
      }
    });

    testBoth('sees what another has created, changed and deleted', async (here, there, pass) => {
      await here.create(subscriber('one'));
      expect(await matched(there, {})).toEqual(['one']);

      await here.create(subscriber('two', { owner: 'ann' }));
      await pass();
      expect(await matched(there, {})).toEqual(['one', 'two']);

      await set(here, 'two', { enabled: false });
      await pass();
      expect(await matched(there, {})).toEqual(['one']);

      await here.delete('one', 'any');
      await set(here, 'two', { enabled: true });
      await pass();
      expect(await matched(there, {})).toEqual(['two']);
    });

    testBoth('counts subscribers of another for unheard events', async (here, there, pass) => {
      const criteria = { event: 'order.created', owner: null, audience: 'everyone' } as const;
      await matched(there, {});
      await here.create(subscriber('one', { events: ['order.*'], enabled: false }));
      await pass();
      expect(there.isUnheard(criteria)).toBe(false);
      await matched(there, {});
      expect(there.isUnheard(criteria)).toBe(false);
    });

    testBoth(
      'notices a deletion that a creation makes up for in number',
      async (here, there, pass) => {
        await here.create(subscriber('one'));
        await matched(there, {});

        await here.delete('one', 'any');
        await here.create(subscriber('two'));
        await pass();
        expect(await matched(there, {})).toEqual(['two']);
      },
    );

    testBoth('notices a change whose time lies in the past', async (here, there, pass) => {
      await here.create(subscriber('one'));
      await matched(there, {});

      await here.update('one', { events: ['order.*'], updatedAt: new Date(1000) }, 'any');
      await here.create(
        subscriber('old', { createdAt: new Date(1000), updatedAt: new Date(1000) }),
      );
      await pass();
      expect(await matched(there, {})).toEqual(['old']);
      expect(await matched(there, { event: 'order.created' })).toEqual(['one']);
    });

    testBoth('loses no secret that both change at the same time', async (here, there, pass) => {
      await here.create(subscriber('one'));
      await matched(there, {});
      const added = Array.from({ length: 20 }, (_, at) => `secret-${at}`);

      const answers = await Promise.all(
        added.map((each, at) => addSecret(at % 2 === 0 ? here : there, 'one', each)),
      );
      for (const [at, answer] of answers.entries()) {
        expect(answer?.secrets[0]?.value).toBe(added[at]);
      }
      const all = [...added, 'whsec_c2VjcmV0'].sort();
      await pass();
      for (const repository of [here, there]) {
        const [found] = await repository.match({
          event: 'article.created',
          owner: null,
          audience: 'everyone',
        });
        expect(found?.secrets.map(({ value }) => value).sort()).toEqual(all);
      }
    });

    testBoth('keeps updates of different fields made by both', async (here, there) => {
      await here.create(subscriber('one'));
      await Promise.all([
        set(here, 'one', { description: 'here' }),
        set(there, 'one', { url: 'https://example.com/there' }),
      ]);

      expect(await here.findById('one', 'any')).toMatchObject({
        description: 'here',
        url: 'https://example.com/there',
      });
    });
  });
}

/** A subscriber that listens to everything, with what a test wants to be different. */
export function subscriber(id: string, different: Partial<Subscriber> = {}): Subscriber {
  return {
    id,
    owner: null,
    url: 'https://example.com/hooks',
    events: ['article.*'],
    contentType: 'application/json',
    digest: 'sha256',
    secrets: [{ value: 'whsec_c2VjcmV0', expiresAt: null }],
    enabled: true,
    description: null,
    exclude: [],
    filter: null,
    rateLimit: null,
    ordered: false,
    onExhausted: 'skip',
    holdFor: null,
    verification: 'none',
    metadata: {},
    createdAt: new Date(1_700_000_000_000),
    updatedAt: new Date(1_700_000_000_000),
    ...different,
  };
}

/** The ids of those who match, sorted; `article.created` to everyone unless said otherwise. */
export async function matched(
  repository: SubscriberRepository,
  criteria: Partial<MatchCriteria>,
): Promise<string[]> {
  const found = await repository.match({
    event: 'article.created',
    owner: null,
    audience: 'everyone',
    ...criteria,
  });
  return found.map(({ id }) => id).sort();
}

const LATER = new Date(1_700_000_100_000);

function secretOf(value: string): Secret {
  return { value, expiresAt: null };
}

function addSecret(
  repository: SubscriberRepository,
  id: string,
  value: string,
): Promise<Subscriber | null> {
  return repository.changeSecrets(id, (secrets) => [secretOf(value), ...secrets], LATER, 'any');
}

function set(
  repository: SubscriberRepository,
  id: string,
  changes: Omit<Parameters<SubscriberRepository['update']>[1], 'updatedAt'>,
): Promise<Subscriber | null> {
  return repository.update(id, { ...changes, updatedAt: LATER }, 'any');
}

async function pages(
  repository: SubscriberRepository,
  limit: number,
  between: (last: string) => Promise<void> = async () => {},
): Promise<string[][]> {
  const seen: string[][] = [];
  let after: string | null = null;
  do {
    const page = await repository.list('any', { limit, after });
    seen.push(page.items.map(({ id }) => id));
    after = page.next;
    if (after !== null) await between(after);
  } while (after !== null);
  return seen;
}
