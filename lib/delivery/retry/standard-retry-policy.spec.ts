import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ThornConfigurationError } from '../../errors/index.js';
import type { RetrySettings } from '../../message/index.js';
import type { AttemptOutcome } from './retry-policy.js';
import { STANDARD_SCHEDULE, StandardRetryPolicy } from './standard-retry-policy.js';

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
