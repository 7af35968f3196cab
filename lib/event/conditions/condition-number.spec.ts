import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareNumbers } from './condition-number.js';

/** An integer and where its point is, in one of the spellings of the number that they make. */
const number = fc.record({
  integer: fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
  places: fc.integer({ min: 0, max: 12 }),
  zeros: fc.integer({ min: 0, max: 3 }),
  exponent: fc.boolean(),
});
type Parts = typeof number extends fc.Arbitrary<infer Value> ? Value : never;

function spell({ integer, places, zeros, exponent }: Parts): string {
  if (exponent) return `${integer}${zeros > 0 ? '.0' : ''}e-${places}`;
  const digits = (integer < 0n ? -integer : integer).toString().padStart(places + 1, '0');
  const point = digits.length - places;
  const padding = '0'.repeat(zeros);
  return `${integer < 0n ? '-' : ''}${padding}${digits.slice(0, point)}.${digits.slice(point)}${padding}`;
}

const scaled = ({ integer, places }: Parts) => integer * 10n ** BigInt(12 - places);

describe('compareNumbers', () => {
  it('orders decimal texts and objects exactly', () => {
    fc.assert(
      fc.property(number, number, (one, other) => {
        const expected = scaled(one) < scaled(other) ? -1 : scaled(one) > scaled(other) ? 1 : 0;
        const object = { toFixed: () => spell(other), toString: () => spell(other) };
        expect(Math.sign(compareNumbers(spell(one), spell(other))!)).toBe(expected);
        expect(Math.sign(compareNumbers(spell(one), object)!)).toBe(expected);
      }),
      { seed: 31, numRuns: 2_000 },
    );
  });

  it('finds a number equal to each of its spellings', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(compareNumbers(value, String(value))).toBe(0);
        expect(compareNumbers(value, value.toExponential())).toBe(0);
      }),
      { seed: 32 },
    );
  });

  it.each([
    '',
    '.',
    'x',
    '1x',
    ' 1',
    '1e',
    '0x10',
    '1_000',
    'NaN',
    'Infinity',
    '--1',
    null,
    true,
    {},
    NaN,
  ])('gives %j no order', (value) => {
    expect(compareNumbers(value, 1)).toBeUndefined();
    expect(compareNumbers('1', value)).toBeUndefined();
  });

  it('takes no time for huge exponents and long texts', () => {
    const started = process.cpuUsage().user;

    expect(compareNumbers('1e999999999', '1e999999998')).toBeGreaterThan(0);
    expect(compareNumbers('-1e999999999', 5)).toBeLessThan(0);
    expect(compareNumbers('9'.repeat(1_000_000), 1)).toBeUndefined();
    expect(compareNumbers('9'.repeat(10_000), 1)).toBeGreaterThan(0);
    expect(process.cpuUsage().user - started).toBeLessThan(200_000);
  });
});
