import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textSearch } from './condition-operators.js';

describe('textSearch', () => {
  it('finds what the platform finds', () => {
    const few = fc.string({ unit: fc.constantFrom('a', 'b', '\u{1f600}'), maxLength: 200 });
    fc.assert(
      fc.property(few, few, fc.nat(200), fc.nat(200), (text, other, from, to) => {
        for (const part of [other, text.slice(from, to), text.slice(from, to) + 'a']) {
          expect(textSearch(part)(text)).toBe(text.includes(part));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('does not take the product of the lengths of two texts that are alike', () => {
    // The platform's own search takes longer for these than a test may.
    const text = 'a'.repeat(1_000_000);
    for (const length of [20_000, 30_000, 40_000]) {
      const half = 'a'.repeat(length);
      expect(textSearch(`${half}b${half}`)(text)).toBe(false);
    }
  });
});
