import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.js';

function* sumOf(values: readonly unknown[]): Generator<unknown, number, unknown> {
  let sum = 0;
  for (const value of values) {
    try {
      sum += (yield value) as number;
    } catch {
      sum += 100;
    }
  }
  return sum;
}

describe('eventually', () => {
  it('answers at once when nothing has to be waited for', () => {
    expect(eventually(sumOf([1, 2]))).toBe(3);
  });

  it('waits for promises, and gives what they resolve to', async () => {
    await expect(eventually(sumOf([1, Promise.resolve(2), 3]))).resolves.toBe(6);
  });

  it('throws what a promise rejects with where it was yielded', async () => {
    const rejected = Promise.reject(new Error('refused'));
    await expect(eventually(sumOf([1, rejected, 2]))).resolves.toBe(103);
  });

  it('passes on what the generator throws, at once or later', async () => {
    function* failing(first: unknown): Generator<unknown, never, unknown> {
      yield first;
      throw new Error('failed');
    }
    expect(() => eventually(failing(1))).toThrow('failed');
    await expect(eventually(failing(Promise.resolve()))).rejects.toThrow('failed');
  });
});
