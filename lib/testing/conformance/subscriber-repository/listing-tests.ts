import type { SubscriberRepository, OwnerScope } from '../../../subscriber/index.js';
import { type SuiteContext, pages, subscriber, matched } from './subscribers.js';

/** Lists are complete, page by page. */
export function listingTests({ test, expect }: SuiteContext): void {
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

  test('finds the ids of an owner', async (repository) => {
    await repository.create(subscriber('one', { owner: 'ann' }));
    await repository.create(subscriber('two', { owner: 'ann' }));
    await repository.create(subscriber('three', { owner: 'Ann' }));
    await repository.create(subscriber('four', { owner: null }));
    const found = async (scope: OwnerScope) => [...(await repository.findIds(scope))].sort();

    expect(await found('any')).toEqual(['four', 'one', 'three', 'two']);
    expect(await found({ owner: 'ann' })).toEqual(['one', 'two']);
    expect(await found({ owner: null })).toEqual(['four']);
  });

  test('finds several by their ids, as far as the scope contains them', async (repository) => {
    await repository.create(subscriber('one', { owner: 'ann' }));
    await repository.create(subscriber('two', { owner: 'bob' }));
    await repository.create(subscriber('three', { owner: 'ann' }));
    const found = async (...terms: Parameters<SubscriberRepository['findAll']>) =>
      (await repository.findAll(...terms)).map(({ id }) => id).sort();

    expect(await found(['one', 'two', 'none', 'ONE'], 'any')).toEqual(['one', 'two']);
    expect(await found(['one', 'two', 'three'], { owner: 'ann' })).toEqual(['one', 'three']);
    expect(await found([], 'any')).toEqual([]);
  });

  test('ends at once when there is nothing', async (repository) => {
    expect(await repository.list('any', { limit: 5 })).toEqual({ items: [], next: null });
  });
}

/** A scope shows and changes its own subscribers alone. */
export function ownersTests({ test, expect }: SuiteContext): void {
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
}
