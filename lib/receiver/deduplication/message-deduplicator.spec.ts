import { Logger } from '@nestjs/common';
import { expect, it } from 'vitest';
import { SystemClock } from '../../common/index.js';
import { InMemoryReceivedMessages } from './in-memory-received-messages.js';
import { MessageDeduplicator } from './message-deduplicator.js';

it('logs that a claim could not be released, without passwords from the error', async () => {
  const lines: string[] = [];
  const write = (line: unknown): unknown => lines.push(String(line));
  Logger.overrideLogger({ log: write, warn: write, error: write });
  const store = new InMemoryReceivedMessages();
  store.release = () =>
    Promise.reject(new Error('cannot reach redis://user:s3cret@example.com/?password=s3cret'));
  const deduplicator = new MessageDeduplicator(
    store,
    { lease: 60_000, retention: 60_000 },
    new SystemClock(),
  );

  const attempt = await deduplicator.begin({ receiver: 'store', id: 'msg_1' });
  await attempt.release();
  expect(lines).toEqual([
    'A message of the receiver "store" stays claimed for 60 s at most: cannot reach redis://example.com/',
  ]);
});
