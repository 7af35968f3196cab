import { Logger } from '@nestjs/common';
import { afterEach, expect, it } from 'vitest';
import { SystemClock } from '../../common/index.js';
import { InMemoryReceivedMessages } from './in-memory-received-messages.js';
import { ProcessingAttempts } from './processing-attempts.js';

afterEach(() => Logger.overrideLogger(new Logger()));

it('logs that a claim could not be released, without passwords from the error', async () => {
  const lines: string[] = [];
  const write = (line: unknown): unknown => lines.push(String(line));
  Logger.overrideLogger({ log: write, warn: write, error: write });
  const store = new InMemoryReceivedMessages();
  store.release = () =>
    Promise.reject(new Error('cannot reach redis://user:s3cret@example.com/?password=s3cret'));
  const durations = { lease: 60_000, retention: 60_000 };
  const attempts = new ProcessingAttempts(store, durations, null, new SystemClock());
  await (await attempts.ofMessage('store', 'msg_1')).release();

  expect(lines).toEqual([
    'A message of the receiver "store" stays claimed for 60 s at most: cannot reach redis://example.com/',
  ]);
});
