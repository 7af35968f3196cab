import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { permitRequest } from '../../../test/support/permit-requests.js';
import { maxWithin } from '../../../test/support/attempt-starts.js';
import { grantPermits, type PermitGrant, type PermitRequest, waitUntil } from './permits.js';
import { expiresAt, type SlidingWindow, serializeWindow, parseWindow } from './sliding-window.js';

const START = 1_700_000_000_000;

/** As it is kept: what does not survive that is not relied upon. */
function give(window: SlidingWindow | null, ask: PermitRequest, now: number) {
  const { window: after, answer } = grantPermits(window, ask, now);
  return { window: parseWindow(serializeWindow(after))!, answer };
}

function startsOf({ permits }: PermitGrant, now: number, place: () => number): number[] {
  return permits.flatMap(({ from, until, count }) =>
    Array.from({ length: count }, () => {
      const earliest = Math.max(now, from);
      return Math.min(until - 1, Math.floor(earliest + place() * (until - earliest)));
    }),
  );
}

const limits = fc.record({
  max: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 1_000_000 })),
  per: fc.oneof(fc.constantFrom(1000, 60_000, 3_600_000), fc.integer({ min: 1000, max: 20_000 })),
});
const counts = fc.nat({ max: 60 });
const step = fc.record({
  // Parts of `per` that pass before it.
  wait: fc.oneof(
    fc.constant(0),
    fc.double({ min: 0, max: 0.2, noNaN: true }),
    fc.double({ min: 0, max: 3, noNaN: true }),
  ),
  waited: counts,
  fresh: counts,
  waitedRetries: counts,
  freshRetries: counts,
});

describe('a rate limit', () => {
  it('lets no more than max begin in any per, whoever asks when, and however late attempts begin', () => {
    fc.assert(
      fc.property(
        limits,
        fc.array(step, { minLength: 1, maxLength: 60 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        // Clocks of workers that differ by a second.
        fc.infiniteStream(fc.boolean()),
        ({ max, per }, steps, places, ahead) => {
          let window: SlidingWindow | null = null;
          let now = START;
          const starts: number[] = [];
          const place = () => places.next().value;
          for (const { wait, ...ask } of steps) {
            now += Math.floor(wait * per);
            const mine = now + (ahead.next().value ? 1000 : 0);
            const given = give(window, permitRequest(max, per, ask), mine);
            window = given.window;
            starts.push(...startsOf(given.answer, mine, place));
          }
          expect(maxWithin(starts, per)).toBeLessThanOrEqual(max);
        },
      ),
      { numRuns: 300, seed: 1 },
    );
  });

  it('uses 90 % of the rate when there is enough to send', () => {
    fc.assert(
      fc.property(limits, ({ max, per }) => {
        let window: SlidingWindow | null = null;
        let [begun, now] = [0, START];
        const end = START + 10 * per;
        while (now < end) {
          const { window: after, answer } = give(
            window,
            permitRequest(max, per, { waited: max }),
            now,
          );
          window = after;
          begun += answer.permits
            .filter(({ from }) => from < end)
            .reduce((sum, { count }) => sum + count, 0);
          now += per / 30;
        }
        expect(begun).toBeGreaterThanOrEqual(Math.floor(max * 10 * 0.9));
      }),
      { numRuns: 15, seed: 2 },
    );
  });

  it('gives a subscriber that nothing was sent to of late all of it at once', () => {
    const { answer } = give(null, permitRequest(100, 60_000, { fresh: 100 }), START);
    expect(answer.permits.reduce((sum, { count }) => sum + count, 0)).toBe(100);
    expect(answer.permits).toHaveLength(1);
  });

  it('names the times for attempts without a permit, one after the other at the rate', () => {
    const { window, answer } = give(null, permitRequest(10, 10_000, { fresh: 30 }), START);
    const first = waitUntil(answer.firsts, 0);
    expect(first).toBeGreaterThanOrEqual(START + 10_000);
    expect(first).toBeLessThan(START + 12_000);
    expect(waitUntil(answer.firsts, 19) - first).toBeGreaterThan(19 * 1000);
    expect(waitUntil(answer.firsts, 19) - first).toBeLessThan(19 * 1200);
    // They are spoken for: who comes now comes after them.
    const later = give(window, permitRequest(10, 10_000, { fresh: 1 }), START + 11_000);
    expect(later.answer.permits).toEqual([]);
    expect(waitUntil(later.answer.firsts, 0)).toBeGreaterThan(waitUntil(answer.firsts, 19));
    // A delivery that has waited gets its permit.
    const due = give(window, permitRequest(10, 10_000, { waited: 1 }), first - 1000);
    expect(due.answer.permits[0]!.from).toBeLessThanOrEqual(first);
  });

  it('grants a permit to attempts that have waited: few wait again', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 2000 }), ({ max, per }, count) => {
        fc.pre(count > max && (count / max) * per < 50 * 3_600_000);
        let { window, answer } = give(null, permitRequest(max, per, { fresh: count }), START);
        let left = count - answer.permits.reduce((sum, permit) => sum + permit.count, 0);
        let queue = Array.from({ length: left }, (_, index) => waitUntil(answer.firsts, index));
        let sentBack = 0;
        while (queue.length > 0) {
          const now = Math.min(...queue) - 1500;
          const ready = queue.filter((at) => at <= now + 2500);
          queue = queue.filter((at) => at > now + 2500);
          ({ window, answer } = give(
            window,
            permitRequest(max, per, { waited: ready.length }),
            now,
          ));
          left = ready.length - answer.permits.reduce((sum, permit) => sum + permit.count, 0);
          sentBack += left;
          for (let index = 0; index < left; index++) queue.push(waitUntil(answer.firsts, index));
        }
        expect(sentBack).toBeLessThanOrEqual(count / 2 + 5);
      }),
      { numRuns: 100, seed: 3 },
    );
  });

  it('lets first attempts go before others, and others wait while first attempts wait', () => {
    const both = give(null, permitRequest(10, 1000, { fresh: 500, freshRetries: 5 }), START);
    expect(waitUntil(both.answer.retries, 0)).toBeGreaterThan(waitUntil(both.answer.firsts, 400));
    const again = give(both.window, permitRequest(10, 1000, { waitedRetries: 3 }), START + 5000);
    expect(again.answer.permits).toEqual([]);
  });

  it('keeps to a new limit at once, whatever was given under the old one', () => {
    fc.assert(
      fc.property(limits, limits, fc.nat({ max: 2000 }), (old, fresh, later) => {
        const before = give(null, permitRequest(old.max, old.per, { fresh: 2000 }), START);
        const now = START + later;
        const ask = permitRequest(fresh.max, fresh.per, { fresh: 2000, since: 1 });
        const { window, answer } = give(before.window, ask, now);
        const starts = [
          ...startsOf(before.answer, START, () => 1).filter((at) => at > now - fresh.per),
          ...startsOf(answer, now, () => 0),
        ];
        const known = startsOf(before.answer, START, () => 1).length;
        expect(maxWithin(starts, fresh.per)).toBeLessThanOrEqual(Math.max(fresh.max, known));
        expect(answer.isChanged).toBe(old.max !== fresh.max || old.per !== fresh.per);
        // Who has not heard of it yet changes nothing.
        expect(
          give(window, permitRequest(old.max, old.per, { fresh: 1 }), now).window.limit,
        ).toEqual(fresh);
      }),
      { numRuns: 200, seed: 4 },
    );
  });

  it('goes on when a clock is put back by an hour, without sending more at once', () => {
    const before = give(null, permitRequest(10, 1000, { fresh: 10 }), START);
    const now = START - 3_600_000;
    const { answer, window } = give(before.window, permitRequest(10, 1000, { waited: 10 }), now);
    expect(answer.permits).toEqual([]);
    expect(expiresAt(window)).toBeLessThan(START);
    const later = give(window, permitRequest(10, 1000, { waited: 10 }), now + 4500);
    expect(later.answer.permits.reduce((sum, { count }) => sum + count, 0)).toBe(10);
  });
});
