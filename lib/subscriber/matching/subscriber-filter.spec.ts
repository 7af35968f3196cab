import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../event/index.js';
import { checkFilter, filterHolds, MAX_FILTER_LENGTH } from './subscriber-filter.js';

const data = {
  title: 'Hello',
  author: { id: 7 },
  tags: [{ name: 'a' }, { name: 'b' }],
  paid: null,
};

describe('filters', () => {
  it.each<[JsonValue | null, boolean]>([
    [null, true],
    [{ title: 'Hello' }, true],
    [{ title: { startsWith: 'He' }, author: { id: { gt: 6 } } }, true],
    [{ author: { id: { gt: 7 } } }, false],
    [{ tags: { name: 'b' } }, true],
    [{ tags: { name: 'c' } }, false],
    [{ missing: { deep: 1 } }, false],
    [{ OR: [{ title: 'Bye' }, { paid: null }] }, true],
    [{ NOT: { title: 'Hello' } }, false],
    [{ title: { gt: 5 } }, false],
    [{ title: { contains: 1 } }, false],
  ])('%j', (filter, holds) => {
    expect(filterHolds(checkFilter(filter), data)).toBe(holds);
  });

  it.each([null, undefined, 1, 'text', [], [[1]]])(
    'holds for nothing in data that is %j',
    (other) => {
      expect(filterHolds(checkFilter({ title: 'Hello' }), other)).toBe(false);
    },
  );

  it.each([
    [undefined],
    ['title'],
    [[]],
    [{}],
    [{ title: {} }],
    [{ OR: [] }],
    [{ title: { in: 5 } }],
    [{ title: { nowEq: 'x' } }],
    [{ title: { eq: 'x'.repeat(MAX_FILTER_LENGTH) } }],
    [{ a: { b: { c: { d: { e: { f: { g: { h: { i: 1 } } } } } } } } }],
    [JSON.parse(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`)],
    [JSON.parse('{"__proto__": {"eq": 1}}')],
  ])('refuses %#', (filter: unknown) => {
    expect(() => checkFilter(filter)).toThrow(expect.objectContaining({ field: 'filter' }));
  });
});
