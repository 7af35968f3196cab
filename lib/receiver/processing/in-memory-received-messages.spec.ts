import { expect, it } from 'vitest';
import { InvalidInputError } from '../../errors/index.js';
import { InMemoryReceivedMessages } from './in-memory-received-messages.js';
import type { ClaimKind } from './received-messages.js';

const HOUR = 3_600_000;
const times = { leasedUntil: HOUR, keptUntil: HOUR };
const claimOf = (id: number, kind: ClaimKind = 'message') => ({
  ...{ kind, receiver: 'store', key: `${id}`, sequence: 1, token: `try-${id}` },
});

it('holds the newest messages and keys, and never drops one that is being processed', async () => {
  const store = new InMemoryReceivedMessages(10);
  for (const kind of ['key', 'message'] as const) {
    await store.claim(claimOf(0, kind), { now: 0, ...times });
    for (let id = 1; id <= 100; id++) {
      await store.claim(claimOf(id, kind), { now: id, ...times });
      await store.complete(claimOf(id, kind), { now: id, ...times });
    }
  }
  expect(store.size).toBe(20);
  for (const kind of ['key', 'message'] as const) {
    const stateOf = (id: number) => store.claim(claimOf(id, kind), { now: 101, ...times });
    expect(await stateOf(0)).toBe('in-progress');
    expect(await stateOf(100)).toBe('processed');
    expect(await stateOf(1)).toBe('claimed');
  }
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
