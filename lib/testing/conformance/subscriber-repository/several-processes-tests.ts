import type { SubscriberRepository } from '../../../subscriber/index.js';
import { type SuiteContext, addSecret, matched, matches, set, subscriber } from './subscribers.js';

/**
 * Several repositories on one storage see each other's changes. Only for storages that are `shared`. A call of `matched()` whose
 * answer no test reads fills the cache of the repository, so that the next change has to reach it.
 */
export function severalProcessesTests({ test, expect }: SuiteContext): void {
  const testBoth = (
    title: string,
    body: (
      here: SubscriberRepository,
      there: SubscriberRepository,
      pass: () => void | Promise<void>,
    ) => Promise<void>,
  ) => test(title, (here, storage) => body(here, storage.open(), () => storage.letStalenessPass()));

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

  testBoth('stores one subscriber of a key that both name at once', async (here, there) => {
    const limits = { perOwner: 20, perHost: 20 };
    for (let round = 0; round < 10; round++) {
      // The last one finds no slot but its own.
      const given = { owner: 'ann', key: `key ${round}` };
      const stored = await Promise.all(
        [here, there, here, there].map((one, at) =>
          one.create(subscriber(`${round} ${at}`, given), { ...limits, perOwner: round + 1 }),
        ),
      );
      expect(new Set(stored.map(({ id }) => id)).size).toBe(1);
      expect((await there.findByKey('ann', given.key))?.id).toBe(stored[0]!.id);
    }
    expect((await here.list('any', { limit: 100 })).items).toHaveLength(10);
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
    await here.create(subscriber('old', { createdAt: new Date(1000), updatedAt: new Date(1000) }));
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
      const [found] = await matches(repository);
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
}
