import { describe, expect, it } from 'vitest';
import { giveTimes, type Pace, type StartRequest } from './start-times.js';

const NOW = 1_700_000_000_000;
const LIMIT = { max: 5, per: 1000 };

/** A request of a limit of 5 a second. Default: for no times. */
function ask(different: Partial<StartRequest>): StartRequest {
  return { limit: LIMIT, waited: 0, fresh: 0, ...different };
}

function given(before: Pace | null, request: Partial<StartRequest>, now = NOW) {
  return giveTimes(before, ask(request), now);
}

describe('giveTimes', () => {
  it('spaces attempts evenly, the first at once', () => {
    const { pace, times } = given(null, { fresh: 3 });
    expect(times).toEqual({ starts: [NOW, NOW + 200, NOW + 400], dues: [] });
    expect(given(pace, { fresh: 1 }).times.starts).toEqual([NOW + 600]);
    expect(given(pace, { fresh: 2 }, NOW + 60_000).times.starts).toEqual([
      NOW + 60_000,
      NOW + 60_200,
    ]);
  });

  it('leaves what begins later than in three seconds to wait, due at full seconds before its turn', () => {
    const { times } = given(null, { fresh: 40 });
    expect(times.starts).toHaveLength(16);
    expect(times.dues).toHaveLength(24);
    expect(times.dues[0]).toBe(NOW + 2000);
    expect(times.dues.at(-1)).toBe(NOW + 6000);
  });

  it('lets fresh deliveries wait behind those that wait, which get the next times', () => {
    const { pace } = given(null, { fresh: 40 });
    const later = NOW + 2000;
    expect(given(pace, { fresh: 1 }, later).times).toEqual({ starts: [], dues: [NOW + 7000] });
    const { times } = given(pace, { waited: 5, fresh: 5 }, later);
    expect(times.starts).toEqual([3200, 3400, 3600, 3800, 4000].map((at) => NOW + at));
    expect(times.dues).toHaveLength(5);
  });

  it('sends at once again when what waited is over', () => {
    const { pace } = given(null, { fresh: 1000 });
    expect(given(pace, { fresh: 1 }, NOW + 10_000).times.starts).toEqual([NOW + 10_000]);
  });

  it('asks again within a minute, and then follows the limit that holds', () => {
    const slow = { limit: { max: 1, per: 3_600_000 } };
    const { pace, times } = given(null, { ...slow, fresh: 3 });
    expect(times.starts).toEqual([NOW]);
    expect(times.dues.every((due) => due > NOW && due <= NOW + 60_000)).toBe(true);
    expect(given(pace, { ...slow, waited: 1 }, NOW + 60_000).times.starts).toEqual([]);
    const [start] = given(pace, { waited: 2 }, NOW + 60_000).times.starts;
    expect(start ?? NOW + 60_000 + 5200).toBeLessThanOrEqual(NOW + 60_000 + 5200);
    const follow = given(
      given(pace, { waited: 2 }, NOW + 60_000).pace,
      { waited: 2 },
      NOW + 64_000,
    );
    expect(follow.times.starts).toHaveLength(2);
  });

  it('goes on within seconds when the clock was put back', () => {
    const { pace } = given(null, { fresh: 5 });
    const earlier = NOW - 86_400_000;
    const once = given(pace, { waited: 5 }, earlier);
    expect(given(once.pace, { waited: 5 }, earlier + 3000).times.starts.length).toBeGreaterThan(0);
  });

  it.each([1, 2, 3])('never gives more than the limit, with random requests %i', (seed) => {
    let state = seed;
    const random = (most: number) => {
      state = (state * 48_271) % 2_147_483_647;
      return state % most;
    };
    for (const limit of [
      LIMIT,
      { max: 3, per: 1000 },
      { max: 900, per: 7000 },
      { max: 2, per: 60_000 },
    ]) {
      let pace: Pace | null = null;
      let now = NOW;
      const starts: number[] = [];
      for (let round = 0; round < 400; round++) {
        now += random(900);
        const result = giveTimes(pace, { limit, waited: random(8), fresh: random(4) }, now);
        pace = result.pace;
        starts.push(...result.times.starts);
        expect(result.times.dues.every((due) => due > now && due <= now + 60_000)).toBe(true);
      }
      for (const [at, start] of starts.entries()) {
        const last = starts[at + limit.max];
        if (last !== undefined) expect(last - start).toBeGreaterThanOrEqual(limit.per);
      }
    }
  });
});
