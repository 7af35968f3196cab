import { describe, expect, it } from 'vitest';
import { AdaptiveLimit } from './adaptive-limit.js';

function learn(limit: AdaptiveLimit, times: number, milliseconds: number, wasFull = true): void {
  for (let n = 0; n < times; n++) limit.learn(milliseconds, true, wasFull);
}

describe('HostLimit', () => {
  it('begins with 64, or with what is allowed at most', () => {
    expect(new AdaptiveLimit(256).current).toBe(64);
    expect(new AdaptiveLimit(16).current).toBe(16);
  });

  it('gives a slow host that answers well more, up to the most', () => {
    const limit = new AdaptiveLimit(256);
    learn(limit, 400, 300);
    expect(limit.current).toBe(164);
    learn(limit, 4000, 300);
    expect(limit.current).toBe(256);
  });

  it('gives nothing to who does not use what there is', () => {
    const limit = new AdaptiveLimit(256);
    learn(limit, 400, 300, false);
    expect(limit.current).toBe(64);
  });

  it('gives a fast host no more than 64', () => {
    const limit = new AdaptiveLimit(256);
    learn(limit, 4000, 5);
    expect(limit.current).toBe(64);
  });

  it('takes back what makes a host slower', () => {
    const limit = new AdaptiveLimit(256);
    learn(limit, 400, 300);
    const limits = Array.from({ length: 200 }, () => {
      limit.learn(700, true, true);
      return limit.current;
    });
    expect(Math.min(...limits)).toBe(64);
  });

  it('takes back everything at a failure', () => {
    const limit = new AdaptiveLimit(256);
    learn(limit, 4000, 300);
    limit.learn(3000, false, true);
    expect(limit.current).toBe(64);
  });
});
