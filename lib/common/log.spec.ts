import { runInNewContext } from 'node:vm';
import { describe, expect, it, afterEach, beforeEach, vi } from 'vitest';
import { stackFrames, errorText, FaultLog } from './log.js';
import { Logger } from '@nestjs/common';

describe('errorText', () => {
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

describe('stackFrames', () => {
  it('are where an error was thrown, without what it says', () => {
    const text =
      'GET https://example.com/?token=s3cret\n    at https://example.com/?token=s3cret\n  s3cret';
    const frames = stackFrames(new Error(text, { cause: new Error('s3cret') }));
    expect(frames).toContain('log.spec.ts');
    expect(frames!.split('\n').every((line) => line.startsWith('    at '))).toBe(true);
    expect(frames).not.toContain('s3cret');
  });

  it('are none for what has no stack', () => {
    expect(stackFrames('s3cret')).toBeUndefined();
    expect(stackFrames(Object.assign(new Error('s3cret'), { stack: 's3cret' }))).toBeUndefined();
  });
});

let lines: string[];
let faults: FaultLog;

beforeEach(() => {
  lines = [];
  faults = new FaultLog();
  vi.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => {
    lines.push(String(line));
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it('logs what repeats the 1st, 10th, 100th and 1,000th time', () => {
  for (let number = 0; number < 2000; number++) {
    faults.report('Writing failed', new Error('The disk is full'));
  }

  expect(lines).toEqual([
    'Writing failed: The disk is full',
    'Writing failed: The disk is full (10 times by now)',
    'Writing failed: The disk is full (100 times by now)',
    'Writing failed: The disk is full (1000 times by now)',
  ]);
});

it('takes errors that differ in ids and numbers alone for the same', () => {
  faults.report('Postponing msg_0199c1de-0000-7000-8000-000000000001 failed', new Error('in 3 ms'));
  faults.report(
    'Postponing msg_0199c1de-0000-7000-8000-000000000002 failed',
    new Error('in 40 ms'),
  );
  faults.report('Postponing msg_my-own failed', new Error('in 5 ms'));

  expect(lines).toHaveLength(1);
});

it('logs each of those that differ', () => {
  faults.report('Writing failed', new Error('The disk is full'));
  faults.report('Writing failed', new Error('The connection is closed'));
  faults.report('Reading failed', new Error('The disk is full'));

  expect(lines).toHaveLength(3);
});

it('counts from one after a minute without the error', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  faults.report('Writing failed', new Error('The disk is full'));
  vi.advanceTimersByTime(59_999);
  faults.report('Writing failed', new Error('The disk is full'));
  vi.advanceTimersByTime(60_000);
  faults.report('Writing failed', new Error('The disk is full'));

  expect(lines).toEqual(['Writing failed: The disk is full', 'Writing failed: The disk is full']);
});

it('logs with where the error comes from, and with the facts', () => {
  const error = vi.mocked(Logger.prototype.error);
  faults.report('Postponing failed', new Error('The disk is full'), { messageId: 'msg_1' });

  expect(error.mock.lastCall![0]).toMatchObject({ messageId: 'msg_1' });
  expect(error.mock.lastCall![1]).toContain('log.spec.ts');
});
