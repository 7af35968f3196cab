import {
  type SuiteContext,
  LATER,
  addSecret,
  matched,
  matches,
  secretOf,
  set,
  subscriber,
} from './subscribers.js';

/** A change of secrets starts from the stored secrets, and no change is lost. */
export function secretsTests({ test, expect }: SuiteContext): void {
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
    const found = await matches(repository);
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
}
