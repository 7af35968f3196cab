import { expect, it } from 'vitest';
import { InvalidInputError } from '../../errors/index.js';
import { InMemoryReceivedMessages } from './in-memory-received-messages.js';

const HOUR = 3_600_000;
const times = { leasedUntil: HOUR, keptUntil: HOUR };
const claimOf = (id: number) => ({ receiver: 'store', id: `msg_${id}`, token: `try-${id}` });

it('holds the newest messages, and never drops one that is being processed', async () => {
  const store = new InMemoryReceivedMessages(10);
  const running = claimOf(0);
  await store.claim(running, { now: 0, ...times });
  for (let id = 1; id <= 100; id++) {
    await store.claim(claimOf(id), { now: id, ...times });
    await store.complete(claimOf(id), { now: id, ...times });
  }

  expect(store.size).toBe(10);
  expect(await store.claim(running, { now: 101, ...times })).toBe('in-progress');
  expect(await store.claim(claimOf(100), { now: 101, ...times })).toBe('processed');
  expect(await store.claim(claimOf(1), { now: 101, ...times })).toBe('claimed');
});

it('drops expired messages by itself', async () => {
  const store = new InMemoryReceivedMessages();
  for (let id = 1; id <= 100; id++) {
    await store.claim(claimOf(id), { now: id, ...times });
    await store.complete(claimOf(id), { now: id, ...times });
  }
  await store.claim(claimOf(0), { now: HOUR, leasedUntil: 2 * HOUR, keptUntil: 2 * HOUR });

  expect(store.size).toBe(1);
});

it('refuses an invalid capacity', () => {
  for (const capacity of [0, -1, 1.5, Number.NaN]) {
    expect(() => new InMemoryReceivedMessages(capacity)).toThrow(InvalidInputError);
  }
});
