import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { stackFrames, errorText } from './error-text.js';

describe('reasonOf', () => {
  it.each<[unknown, string]>([
    [new Error('no\n  answer'), 'no answer'],
    [new TypeError(''), 'TypeError'],
    ['a text', 'a text'],
    [
      new Error('GET "https://user:s3cret@example.com/a?token=s3cret": 500 (really?)'),
      'GET "https://example.com/a": 500 (really?)',
    ],
    [new Error('signed with whsec_MfKQ9r8GKYqrTwjU+/=, no'), 'signed with whsec_…, no'],
    [undefined, 'a value was thrown that is not an error'],
    [Object.create(null), 'a value was thrown that is not an error'],
  ])('of %o is one line without secrets', (error, reason) => {
    expect(errorText(error)).toBe(reason);
  });

  it('reads errors of another realm, as those of Node are in Jest', () => {
    expect(errorText(runInNewContext(`new Error('no answer')`))).toBe('no answer');
    expect(stackFrames(runInNewContext(`new Error('no answer')`))).toMatch(/^ +at /);
  });

  it('ends long texts', () => {
    expect(errorText('x'.repeat(10_000))).toHaveLength(500);
  });
});

describe('framesOf', () => {
  it('are where an error was thrown, without what it says', () => {
    const text =
      'GET https://example.com/?token=s3cret\n    at https://example.com/?token=s3cret\n  s3cret';
    const frames = stackFrames(new Error(text, { cause: new Error('s3cret') }));
    expect(frames).toContain('error-text.spec.ts');
    expect(frames!.split('\n').every((line) => line.startsWith('    at '))).toBe(true);
    expect(frames).not.toContain('s3cret');
  });

  it('are none for what has no stack', () => {
    expect(stackFrames('s3cret')).toBeUndefined();
    expect(stackFrames(Object.assign(new Error('s3cret'), { stack: 's3cret' }))).toBeUndefined();
  });
});
