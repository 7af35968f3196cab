import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subscriber } from '../../testing/conformance/subscriber-repository/subscribers.js';
import { patternMatches } from './pattern.js';
import { SubscriberIndex } from './subscriber-index.js';
import type { MatchCriteria } from '../model/subscriber.repository.js';
import type { Subscriber } from '../model/subscriber.js';

const EVENTS = ['a', 'a.b', 'a.c', 'b.b', 'a.b.c'];
const changes = fc.record({
  id: fc.nat(60).map(String),
  owner: fc.constantFrom(null, 'ann', 'ann', 'ann', 'bob', '__proto__'),
  events: fc.uniqueArray(fc.constantFrom('*', 'a.*', '*.b', 'a.b', 'a', 'a.*.c', '*.*'), {
    minLength: 1,
    maxLength: 4,
  }),
  enabled: fc.boolean(),
  gone: fc.nat(3).map((dice) => dice === 0),
});

describe('SubscriberIndex', () => {
  it('finds what a scan finds, through additions, replacements and removals', () => {
    fc.assert(
      fc.property(fc.array(changes, { minLength: 1, maxLength: 200 }), (all) => {
        const index = new SubscriberIndex();
        const model = new Map<string, Subscriber>();
        all.forEach(({ gone, id, ...different }, at) => {
          if (gone) {
            index.delete(id);
            model.delete(id);
          } else {
            const one = subscriber(id, different);
            index.set(one);
            model.set(id, one);
          }
          if (at % 20 === 0 || at === all.length - 1) expectAlike(index, [...model.values()]);
        });
      }),
      { numRuns: 200, seed: 4 },
    );
  });

  it('keeps hundreds of owners apart while their subscribers come and go', () => {
    const index = new SubscriberIndex();
    const model = new Map<string, Subscriber>();
    const steps = fc.record({
      id: fc.nat(1500).map(String),
      owner: fc
        .nat({ max: 17 })
        .chain((dice) => fc.nat({ max: dice * dice }))
        .map(String),
      events: fc.uniqueArray(fc.constantFrom('*', 'a.*', '*.b', 'a.b', 'b.*'), { minLength: 1 }),
      gone: fc.boolean(),
    });
    for (const { id, gone, ...different } of fc.sample(steps, { numRuns: 20_000, seed: 5 })) {
      if (gone) {
        index.delete(id);
        model.delete(id);
      } else {
        const one = subscriber(id, different);
        index.set(one);
        model.set(id, one);
      }
    }
    for (const owner of new Set([...model.values()].map((one) => one.owner))) {
      const criteria: MatchCriteria = { event: 'a.b', owner: owner, audience: 'owner' };
      const expected = [...model.values()].filter((one) => gets(one, criteria));
      expect(ids(index.match(criteria))).toEqual(ids(expected));
    }
  });

  it('finds every one of an owner that has thousands', () => {
    const index = new SubscriberIndex();
    const all = Array.from({ length: 3000 }, (_, at) =>
      subscriber(String(at), { owner: 'ann', events: at % 2 ? ['a.b', 'a.*'] : ['b.*'] }),
    );
    for (const one of all) index.set(one);
    expectAlike(index, all);
    for (const one of all.splice(0, 2990)) index.delete(one.id);
    expectAlike(index, all);
    for (const one of all.splice(0)) index.delete(one.id);
    expectAlike(index, []);
  });

  it('does not let a caller spoil the answer of the next', () => {
    const index = new SubscriberIndex();
    index.set(subscriber('one'));
    for (const audience of ['everyone', 'owner'] as const) {
      const criteria = { event: 'article.created', owner: null, audience };
      expect(() => (index.match(criteria) as Subscriber[]).pop()).toThrow(TypeError);
      expect(index.match(criteria)).toHaveLength(1);
    }
  });

  it('stays right when more event names are asked for than it remembers', () => {
    const index = new SubscriberIndex();
    index.set(subscriber('one', { events: ['user.*'] }));
    for (let at = 0; at < 2 * SubscriberIndex.MAX_CACHED_NAMES + 1; at++) {
      const found = index.match({ event: `user.${at}`, owner: null, audience: 'everyone' });
      if (found.length !== 1) expect(found).toHaveLength(1);
    }
    expect(index.match({ event: 'user.0', owner: null, audience: 'everyone' })).toHaveLength(1);
  });
});

function expectAlike(index: SubscriberIndex, all: readonly Subscriber[]): void {
  for (const event of EVENTS) {
    for (const owner of [null, 'ann', 'bob', 'carl', '__proto__']) {
      for (const audience of ['everyone', 'owner'] as const) {
        const criteria: MatchCriteria = { event, owner, audience };
        const wanted = ids(all.filter((one) => gets(one, criteria)));
        expect(index.hears(criteria)).toBe(wanted.length > 0);
        expect(ids(index.match(criteria))).toEqual(wanted);
      }
    }
  }
}

function gets(one: Subscriber, { event, owner, audience }: MatchCriteria): boolean {
  if (!one.enabled || !one.events.some((pattern) => patternMatches(pattern, event))) return false;
  return audience === 'everyone' || one.owner === null || one.owner === owner;
}

function ids(found: readonly Subscriber[]): string[] {
  return found.map(({ id }) => id).sort();
}
