import { type SuiteContext, matched, matches, set, subscriber } from './subscribers.js';

/** Changes at the same time. */
export function racesTests({ test, expect }: SuiteContext): void {
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
      const found = await matches(repository, { event: 'order.created' });
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
}
