import type { OwnerScope } from '../../../subscriber/index.js';
import type { SuiteContext } from './suite-context.js';
import { matched, subscriber } from './subscribers.js';

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
