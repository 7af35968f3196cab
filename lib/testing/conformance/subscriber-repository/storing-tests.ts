import type { OwnerScope, Subscriber } from '../../../subscriber/index.js';
import { type SuiteContext, LATER, matched, subscriber } from './subscribers.js';

/** A subscriber is kept as it was given, and found, changed and deleted by its id. */
export function storingTests({ test, expect }: SuiteContext): void {
  test('gives back what was created, every field', async (repository) => {
    // Every value but the URL differs from that of `subscriber()`: a storage that drops a field would give back its default.
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
      expiresAt: new Date(1_800_000_000_456),
      key: 'Ünique 🎉',
      format: 'slack',
      headers: { 'X-Api-Key': 'a key', cookie: 'a=b' },
      auth: { type: 'basic', username: 'ä', password: ':' },
      timeout: 30_000,
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

  test('keeps one subscriber of a key for each owner, and answers the first', async (repository) => {
    const key = 'a key';
    const limits = { perOwner: 1, perHost: 1 };
    const owners = [null, 'ann', 'Ann'];
    for (const owner of owners) {
      const { id } = await repository.create(subscriber(`1 ${owner}`, { owner, key }), limits);
      const first = await repository.create(subscriber(`2 ${owner}`, { owner, key }), limits);
      expect(first.id).toBe(id);
      expect((await repository.findByKey(owner, key))?.id).toBe(id);
      expect(await repository.findByKey(owner, 'A key')).toBeNull();
    }
    expect(await repository.findByKey('bob', key)).toBeNull();
    expect((await repository.list('any', { limit: 10 })).items).toHaveLength(owners.length);
    await repository.delete('1 ann', 'any');
    expect((await repository.create(subscriber('3', { owner: 'ann', key }))).id).toBe('3');
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
      headers: { a: 'b' },
      auth: { type: 'bearer', token: 'a token' },
      timeout: 1000,
      expiresAt: new Date(1_800_000_000_000),
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
    // Characters that a database could treat as special stand for themselves.
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
}
