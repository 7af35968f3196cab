import type { Subscriber, SubscriberRepository } from '../../../subscriber/index.js';
import { type SuiteContext, LATER, subscriber } from './subscribers.js';

/** Limits of owners and hosts, and checks against the stored subscribers. */
export function termsTests({ test, expect, shared }: SuiteContext): void {
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
    // Subscribers of other owners and subscribers without an owner do not count.
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

  test('counts those alone whose key begins in a given way', async (repository) => {
    const ofAgents = { ...limits, perHost: 3, keyPrefix: 'agent:' };
    for (const id of ['a1', 'a2', 'a3']) await repository.create(subscriber(id, at('a')));
    const agent = (id: string) => subscriber(id, { ...at('a'), key: `agent:${id}` });
    for (const id of ['b1', 'b2', 'b3']) await repository.create(agent(id), ofAgents);
    expect(await fieldOf(repository.create(agent('b4'), ofAgents))).toBe('owner');
    const all = { perOwner: 7, perHost: 7 };
    expect(await fieldOf(repository.create(subscriber('c1', at('a')), all))).toBe('stored');
    expect(await fieldOf(repository.create(subscriber('c2', at('a')), all))).toBe('owner');
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
}
