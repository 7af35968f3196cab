import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../errors/index.js';
import { PatternTrie } from './pattern-trie.js';
import { checkPattern, patternMatches } from './pattern.js';

// Few letters, so that patterns and names meet often.
const segment = fc.constantFrom('a', 'b', 'A', '-', '_1');
const names = fc.array(segment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('.'));
const patterns = fc
  .array(fc.oneof({ weight: 1, arbitrary: fc.constant('*') }, segment), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => parts.join('.'));

/** The definition, word for word. */
function reference(pattern: string, name: string): boolean {
  const wanted = pattern.split('.');
  const given = name.split('.');
  if (wanted.at(-1) === '*') {
    if (given.length < wanted.length) return false;
    given.length = wanted.length;
  }
  return (
    wanted.length === given.length && wanted.every((one, at) => one === '*' || one === given[at])
  );
}

/** Whether it takes less than a millisecond: once of several times, since the machine may be busy with something else. */
function isFast(work: () => void): boolean {
  for (let times = 0; times < 20; times++) {
    const start = performance.now();
    work();
    if (performance.now() - start < 1) return true;
  }
  return false;
}

describe('checkPattern', () => {
  it.each(['*', 'a', 'article.created', 'article.*', '*.created', '*.*', 'a.*.c', 'A-1._x.0'])(
    'takes %s',
    (pattern) => expect(() => checkPattern(pattern)).not.toThrow(),
  );

  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '**',
    'a.**',
    'a*',
    '*a.b',
    'a b',
    'a/b',
    'é',
    'a.{id}',
    'a\n',
    'a.*\n',
    '%',
    undefined,
    null,
    7,
    ['a'],
    {},
    'a'.repeat(257),
    'a.'.repeat(16) + 'a',
  ])('refuses %j', (pattern) => {
    expect(() => checkPattern(pattern)).toThrow(InvalidInputError);
  });

  it('takes the longest and names the field of the caller', () => {
    checkPattern('a'.repeat(256));
    checkPattern('a.'.repeat(15) + 'a');
    expect(() => checkPattern('a..b', 'event')).toThrow(
      expect.objectContaining({ field: 'event', reason: expect.stringContaining('dot-separated') }),
    );
  });
});

describe('patternMatches', () => {
  it('equals the definition', () => {
    fc.assert(
      fc.property(patterns, names, (pattern, name) => {
        expect(patternMatches(pattern, name)).toBe(reference(pattern, name));
      }),
      { numRuns: 5000, seed: 1 },
    );
  });

  it('takes less than a millisecond for any of 10,000 adversarial pairs', () => {
    const hostile = fc.array(fc.constantFrom('*', 'a', 'aa', '.', '..', '**'), { maxLength: 120 });
    const pairs = fc.sample(fc.tuple(hostile, hostile), { numRuns: 10_000, seed: 2 });
    const texts = pairs.map(([a, b]) => [a.join('.'), b.join('.')] as const);

    for (const [pattern, name] of texts) patternMatches(pattern, name); // warm
    const slow = texts.filter(([pattern, name]) => !isFast(() => patternMatches(pattern, name)));
    expect(slow.filter(([pattern]) => pattern.length < 1000)).toEqual([]);
  });
});

describe('a subscriber’s pattern', () => {
  it('is judged and found in less than a millisecond, for any of 10,000 random and adversarial ones', () => {
    const odd = fc.string({ unit: 'binary', maxLength: 400 });
    const dotted = fc
      .array(fc.constantFrom('*', 'a', '**', '', 'a*', 'é', 'aaaaaaaaaaaaaaaaaaaa', '__proto__'), {
        maxLength: 200,
        size: 'max',
      })
      .map((parts) => parts.join('.'));
    const repeated = fc
      .tuple(fc.constantFrom('*', '*.', 'a*', '.', 'a', '(a+)+', '\\'), fc.nat(60_000))
      .map(([part, count]) => part.repeat(count));
    const all = fc.sample(fc.oneof(patterns, odd, dotted, repeated), { numRuns: 10_000, seed: 4 });
    const trie = new PatternTrie<string>();
    const isPattern = (text: string) => {
      try {
        checkPattern(text);
        return true;
      } catch {
        return false;
      }
    };
    for (const text of all) if (isPattern(text)) trie.set(text, text);

    const isJudged = (text: string) => {
      if (!isPattern(text)) return;
      patternMatches(text, 'a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a');
      trie.matching(text);
    };
    const slow = all.filter((text) => !isFast(() => isJudged(text)));
    expect(slow).toEqual([]);
  });
});

describe('PatternTrie', () => {
  it('finds what a scan with the definition finds, also after patterns have gone', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(patterns, { maxLength: 30 }),
        fc.array(fc.nat(29), { maxLength: 10 }),
        fc.array(names, { minLength: 1, maxLength: 5 }),
        (all, gone, asked) => {
          const trie = new PatternTrie<string>();
          for (const pattern of all) trie.set(pattern, pattern);
          const removed = new Set(gone.map((at) => all[at]));
          for (const pattern of removed) if (pattern !== undefined) trie.delete(pattern);
          for (const name of asked) {
            const expected = all.filter((p) => !removed.has(p) && reference(p, name));
            expect(trie.matching(name).sort()).toEqual(expected.sort());
          }
        },
      ),
      { numRuns: 1000, seed: 3 },
    );
  });
});

it.each(['**', 'order.**', 'order.**.paid'])('says what to write in place of %s', (pattern) => {
  expect(() => checkPattern(pattern)).toThrow(
    'events must not hold "**": write "*", which stands for one or more segments at the end, and for one elsewhere, as in "article.*"',
  );
});
