import { describe, expect, it } from 'vitest';
import { reasonOf } from './reason-of.js';

describe('reasonOf', () => {
  it.each<[unknown, string]>([
    [new Error('no\n  answer'), 'no answer'],
    [new TypeError(''), 'TypeError'],
    ['a text', 'a text'],
    [
      new Error('GET "https://user:s3cret@example.com/a?token=s3cret": 500 (really?)'),
      'GET "https://example.com/a": 500 (really?)',
    ],
    [undefined, 'something was thrown that is no error'],
    [Object.create(null), 'something was thrown that is no error'],
  ])('of %o is one line without secrets', (error, reason) => {
    expect(reasonOf(error)).toBe(reason);
  });

  it('ends long texts', () => {
    expect(reasonOf('x'.repeat(10_000))).toHaveLength(500);
  });
});
