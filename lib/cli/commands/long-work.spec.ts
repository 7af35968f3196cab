import { describe, expect, it } from 'vitest';
import { progressText } from './long-work.js';

describe('progressText', () => {
  it.each([
    [{ done: 0, total: null, elapsed: 0 }, '0, 0/s'],
    [{ done: 500, total: null, elapsed: 1000 }, '500, 500/s'],
    [{ done: 3, total: null, elapsed: 2000 }, '3, 1.5/s'],
    [{ done: 0, total: 10, elapsed: 1000 }, '0 of 10, 0 %, 0/s'],
    [{ done: 500, total: 2000, elapsed: 5000 }, '500 of 2000, 25 %, 100/s, 15 s left'],
    [{ done: 10, total: 1210, elapsed: 1000 }, '10 of 1210, 0 %, 10/s, 2 min 0 s left'],
    [{ done: 1, total: 7201, elapsed: 1000 }, '1 of 7201, 0 %, 1.0/s, 2 h 0 min left'],
    [{ done: 10, total: 10, elapsed: 1000 }, '10 of 10, 100 %, 10/s'],
    [{ done: 12, total: 10, elapsed: 1000 }, '12 of 10, 100 %, 12/s'],
  ])('says %j as "%s"', (state, text) => {
    expect(progressText(state)).toBe(text);
  });
});
