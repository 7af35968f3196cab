import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { permitRequest } from '../../test/support/permit-requests.js';
import { maxWithin } from '../../test/support/attempt-starts.js';
import {
  grantPermits,
  parseWindow,
  type PermitGrants,
  type PermitRequests,
  RateLimiter,
  serializeWindow,
} from '../outbox/index.js';
import { FallbackRateLimiter } from './fallback-rate-limiter.js';

const START = 1_700_000_000_000;
const RATE = { max: 20, per: 2000 };
const DURATION = 60_000;

/** Keeps windows in memory, as text. */
class InMemoryRateLimiter extends RateLimiter {
  readonly #windows = new Map<string, string>();

  forget(): void {
    this.#windows.clear();
  }

  override async grant(requests: PermitRequests, now: number): Promise<PermitGrants> {
    return new Map(
      [...requests].map(([id, request]) => {
        const known = parseWindow(this.#windows.get(id) ?? '');
        const { window, answer } = grantPermits(known, request, now);
        this.#windows.set(id, serializeWindow(window));
        return [id, answer];
      }),
    );
  }
}

/** Processes that share two limiters. Each sees when the first one is down for itself. */
function processes(count: number, isDown: (process: number, now: number) => boolean) {
  const [first, second] = [new InMemoryRateLimiter(), new InMemoryRateLimiter()];
  const starts: number[] = [];
  const limiters = Array.from({ length: count }, (_, process) => {
    const reached: RateLimiter = {
      grant: async (requests, now) => {
        if (isDown(process, now)) throw new Error('down');
        return first.grant(requests, now);
      },
    };
    return new FallbackRateLimiter(reached, second, () => undefined);
  });
  return {
    starts,
    /** Ends the connections to the first limiter. */
    disconnect(isForgetful: boolean): void {
      if (isForgetful) first.forget();
      for (const limiter of limiters) limiter.connectionLost();
    },
    /** @param place part of the time that the permits last, after which their attempts start */
    async ask(process: number, now: number, waited: number, place = 0): Promise<number> {
      const requests = new Map([['sub_1', permitRequest(RATE.max, RATE.per, { waited })]]);
      const { permits } = (await limiters[process]!.grant(requests, now)).get('sub_1')!;
      let granted = 0;
      for (const { from, until, count: permitted } of permits) {
        const earliest = Math.max(now, from);
        const start = Math.min(until - 1, Math.floor(earliest + place * (until - earliest)));
        for (let n = 0; n < permitted; n++) starts.push(start);
        granted += permitted;
      }
      return granted;
    },
  };
}

const outage = fc.record({
  begins: fc.integer({ min: 1000, max: 20_000 }),
  lasts: fc.integer({ min: 1, max: 30_000 }),
  isForgetful: fc.boolean(),
  /** Milliseconds that each process takes longer to connect again. */
  lags: fc.array(fc.nat({ max: 1000 }), { minLength: 3, maxLength: 3 }),
});
const step = fc.record({
  wait: fc.oneof(fc.nat({ max: 400 }), fc.nat({ max: 8000 })),
  process: fc.nat({ max: 2 }),
  waited: fc.nat({ max: 30 }),
  place: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe('a rate limit with two limiters', () => {
  it('lets no more than max begin in any per when the first limiter goes and comes back', async () => {
    await fc.assert(
      fc.asyncProperty(
        outage,
        fc.array(step, { minLength: 20, maxLength: 200 }),
        async ({ begins, lasts, isForgetful, lags }, steps) => {
          const goes = START + begins;
          const returns = goes + lasts;
          const rig = processes(
            lags.length,
            (process, now) => now >= goes && now < returns + lags[process]!,
          );
          let now = START;
          for (const { wait, process, waited, place } of steps) {
            if (now < goes && now + wait >= goes) rig.disconnect(isForgetful);
            now += wait;
            if (now > START + DURATION) break;
            await rig.ask(process, now, waited, place);
          }
          expect(maxWithin(rig.starts, RATE.per)).toBeLessThanOrEqual(RATE.max);
        },
      ),
      { numRuns: 300, seed: 1 },
    );
  });

  it('keeps to the limit when one process alone fails for 3 s', async () => {
    const rig = processes(
      2,
      (process, now) => process === 0 && now >= START + 500 && now < START + 3500,
    );
    for (let now = START; now < START + 20_000; now += 100) {
      await rig.ask(0, now, 5);
      await rig.ask(1, now, 5);
    }
    expect(maxWithin(rig.starts, RATE.per)).toBeLessThanOrEqual(RATE.max);
  });

  it('grants the full rate again after a pause of per and 6 s at most', async () => {
    const returns = START + 10_000;
    const rig = processes(2, (_, now) => now >= START + 1000 && now < returns);
    let sinceReturn = 0;
    for (let now = START; now < returns + 20_000; now += 100) {
      const granted = (await rig.ask(0, now, 5)) + (await rig.ask(1, now, 5));
      if (now >= returns + RATE.per + 6500) sinceReturn += granted;
    }
    const seconds = (20_000 - RATE.per - 6500) / 1000;
    expect(sinceReturn).toBeGreaterThan(seconds * 10 * 0.9);
  });
});
