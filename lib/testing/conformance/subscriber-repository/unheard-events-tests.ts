import type { SuiteContext } from './suite-context.js';
import { matched, set, subscriber } from './subscribers.js';

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
