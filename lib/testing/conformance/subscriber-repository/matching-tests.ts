import { type SuiteContext, matched, matches, set, subscriber } from './subscribers.js';

/**
 * Which subscribers get an event: by their patterns, whether they are enabled and verified, and after recent changes.
 */
export function matchingTests({ test, expect }: SuiteContext): void {
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
    expect(await matched(repository, { audience: 'owner', owner: 'ann' })).toEqual(['one', 'own']);
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
    const own = await repository.countDisabled({ owner: 'nobody' });
    expect(own).toBe(before === null ? null : 0);
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
    const [found] = await matches(repository, { event: 'order.created' });
    expect(found?.url).toBe('https://example.com/moved');
    await repository.delete('one', 'any');
    expect(await matched(repository, { event: 'order.created' })).toEqual([]);
  });
}

/** An event that a subscriber names is never called unheard. */
export function unheardEventsTests({ test, expect }: SuiteContext): void {
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
}
