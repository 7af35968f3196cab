import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FaultLog } from './fault-log.js';

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
  expect(error.mock.lastCall![1]).toContain('fault-log.spec.ts');
});
