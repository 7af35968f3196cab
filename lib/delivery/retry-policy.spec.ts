import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ThornConfigurationError } from '../errors/index.js';
import type { RetrySettings } from '../message/index.js';
import {
  type AttemptOutcome,
  STANDARD_SCHEDULE,
  StandardRetryPolicy,
  parseRetryAfter,
} from './retry-policy.js';

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;

describe('StandardRetryPolicy', () => {
  it('makes ten attempts: at once, then after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h', () => {
    const delays = delaysOf(new StandardRetryPolicy());

    expect(delays).toEqual([
      5000,
      300_000,
      HOUR / 2,
      2 * HOUR,
      5 * HOUR,
      10 * HOUR,
      14 * HOUR,
      20 * HOUR,
      24 * HOUR,
    ]);
  });

  it.each<[string, RetrySettings, number[]]>([
    ['never', false, []],
    ['no retry', { max: 0 }, []],
    ['the first two', { max: 2 }, [5000, 300_000]],
    ['Thorn’s: ten, a minute apart', { max: 10, delay: 60_000 }, Array(10).fill(60_000)],
    ['as many as scheduled, each at once', { delay: 0 }, Array(9).fill(0)],
    ['more than scheduled', { max: 11 }, [...STANDARD_SCHEDULE, 24 * HOUR, 24 * HOUR]],
  ])('an event may say: %s', (_, settings, expected) => {
    expect(delaysOf(new StandardRetryPolicy(), settings)).toEqual(expected);
  });

  it('an empty schedule retries nothing, unless an event says so', () => {
    const policy = new StandardRetryPolicy({ schedule: [] });

    expect(delaysOf(policy)).toEqual([]);
    expect(delaysOf(policy, { max: 2 })).toEqual([0, 0]);
  });

  it('only ever adds jitter, and no more than it says', () => {
    const jitter = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(jitter, random(), fc.nat({ max: 8 }), (jitter, random, index) => {
        const policy = new StandardRetryPolicy({ jitter });
        const delay = after(policy, index + 1, { random })!;
        const scheduled = STANDARD_SCHEDULE[index]!;
        expect(delay).toBeGreaterThanOrEqual(scheduled);
        expect(delay).toBeLessThanOrEqual(Math.ceil(scheduled * (1 + jitter)));
      }),
    );
  });

  it('honours Retry-After up to the cap and never below its own delay', () => {
    const cap = fc.nat({ max: 10 * HOUR });
    fc.assert(
      fc.property(cap, fc.nat({ max: 100_000 }), fc.boolean(), (retryAfterCap, seconds, asDate) => {
        const policy = new StandardRetryPolicy({ retryAfterCap });
        const retryAfter = asDate ? new Date(NOW + seconds * 1000).toUTCString() : String(seconds);
        const delay = after(policy, 1, { retryAfter });
        expect(delay).toBe(Math.max(5000, Math.min(seconds * 1000, retryAfterCap)));
      }),
    );
  });

  it('waits a day at most for an endpoint that says for ever, and ignores what it cannot read', () => {
    const policy = new StandardRetryPolicy();

    expect(after(policy, 1, { retryAfter: '9'.repeat(400) })).toBe(24 * HOUR);
    expect(after(policy, 1, { retryAfter: 'Fri, 31 Dec 9999 23:59:59 GMT' })).toBe(24 * HOUR);
    expect(after(policy, 1, { retryAfter: 'next week' })).toBe(5000);
    expect(after(policy, 1, { retryAfter: '-60' })).toBe(5000);
  });

  it('keeps the schedule that it was made with', () => {
    const schedule = [1, 2, 3];
    const policy = new StandardRetryPolicy({ schedule });
    schedule.push(4);

    expect(delaysOf(policy)).toEqual([1, 2, 3]);
  });

  it.each([
    ['schedule', { schedule: [-1] }],
    ['schedule', { schedule: [1.5] }],
    ['schedule', { schedule: [Number.NaN] }],
    ['schedule', { schedule: [31 * 24 * HOUR] }],
    ['schedule', { schedule: Array(101).fill(1) }],
    ['schedule', { schedule: '5s' as unknown as number[] }],
    ['jitter', { jitter: -0.1 }],
    ['jitter', { jitter: 1.1 }],
    ['jitter', { jitter: Number.NaN }],
    ['jitter', { jitter: '0.1' as unknown as number }],
    ['retryAfterCap', { retryAfterCap: -1 }],
    ['retryAfterCap', { retryAfterCap: Infinity }],
  ])('refuses a senseless %s: %j', (option, options) => {
    expect(() => new StandardRetryPolicy(options)).toThrow(
      expect.toSatisfy(
        (error) =>
          error instanceof ThornConfigurationError &&
          String(error.data['option']).startsWith(`retries.${option}`),
      ),
    );
  });
});

function random() {
  return fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
}

/** All delays of a delivery that fails and fails, without jitter. */
function delaysOf(policy: StandardRetryPolicy, settings?: RetrySettings): number[] {
  const delays: number[] = [];
  for (let attempt = 1; ; attempt++) {
    const delay = after(policy, attempt, { settings });
    if (delay === null) return delays;
    delays.push(delay);
  }
}

function after(
  policy: StandardRetryPolicy,
  attempt: number,
  {
    random = 0,
    retryAfter = null,
    settings,
  }: { random?: number; retryAfter?: string | null; settings?: RetrySettings | undefined } = {},
): number | null {
  const outcome: AttemptOutcome = { outcome: 'failed', status: 500, error: null, retryAfter };
  const next = policy.nextAttempt({ attempt, outcome, now: NOW, random, settings });
  return next === null ? null : next - NOW;
}

// A Sunday.
const ANSWERED_AT = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('parseRetryAfter', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    ['007', 7000],
    ['Sun, 06 Nov 1994 08:50:37 GMT', 60_000],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
    ['Sat, 05 Nov 1994 08:49:37 GMT', 0],
  ])('reads %s', (value, expected) => {
    expect(parseRetryAfter(value, ANSWERED_AT)).toBe(expected);
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
    expect(parseRetryAfter(value, ANSWERED_AT)).toBeNull();
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
        expect(parseRetryAfter(value, ANSWERED_AT) ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
