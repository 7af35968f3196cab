import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from './retry-after.js';

// A Sunday.
const NOW = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('parseRetryAfter', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    ['007', 7000],
    ['Sun, 06 Nov 1994 08:50:37 GMT', 60_000],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
    ['Sat, 05 Nov 1994 08:49:37 GMT', 0],
  ])('reads %s', (value, expected) => {
    expect(parseRetryAfter(value, NOW)).toBe(expected);
  });

  it.each([
    '',
    ' 5',
    '5 ',
    '-5',
    '+5',
    '5.5',
    '1e3',
    '0x10',
    '٣',
    '5, 6',
    '5s',
    'soon',
    '1994-11-06T08:50:37Z',
    'Sun, 06 Nov 1994 08:50:37',
    'Sun, 06 Nov 1994 08:50:37 UTC',
    'Sun, 6 Nov 1994 08:50:37 GMT',
    'sun, 06 nov 1994 08:50:37 gmt',
    'Mon, 06 Nov 1994 08:50:37 GMT',
    'Wed, 31 Feb 2100 08:50:37 GMT',
    'Sun, 06 Nox 1994 08:50:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Nov 1994 08:50:61 GMT',
    'Sun Nov  6 08:50:37 1994',
    'Sunday, 06-Nov-94 08:50:37 GMT',
    'Invalid Date',
    '784111777\n',
  ])('does not read %j', (value) => {
    expect(parseRetryAfter(value, NOW)).toBeNull();
  });

  it('reads back what HTTP writes, for every second', () => {
    const second = fc.integer({ min: 0, max: 4_102_444_800 });
    fc.assert(
      fc.property(second, second, (then, now) => {
        const wait = Math.max(0, (then - now) * 1000);
        expect(parseRetryAfter(new Date(then * 1000).toUTCString(), now * 1000)).toBe(wait);
      }),
    );
  });

  it('answers any text with null or a time that is not negative', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(parseRetryAfter(value, NOW) ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
