import { expect, it } from 'vitest';
import { SystemClock } from '../common/index.js';
import { InMemoryIdempotencyStore } from './in-memory-idempotency.store.js';

const rest = { headers: { etag: '"1"' }, status: 201 };

it('gives an answer again as it was, whatever became of the object', async () => {
  const store = new InMemoryIdempotencyStore(new SystemClock());
  const body = { list: [1] };
  expect(await store.begin('key', 'a')).toEqual({ state: 'fresh' });
  await store.finish('key', { body, ...rest });
  body.list.push(2);

  const answer = { body: { list: [1] }, ...rest };
  expect(await store.begin('key', 'a')).toEqual({ state: 'done', answer });
  expect(await store.begin('key', 'b')).toEqual({ state: 'different' });
});

it('forgets the oldest answers rather than to fill the memory', async () => {
  const store = new InMemoryIdempotencyStore(new SystemClock());
  const answer = { body: 'x'.repeat(1_000_000), ...rest };
  for (let at = 0; at < 20; at++) {
    await store.begin(`key-${at}`, 'a');
    await store.finish(`key-${at}`, answer);
  }

  expect((await store.begin('key-0', 'a')).state).toBe('fresh');
  for (const at of [6, 19]) expect((await store.begin(`key-${at}`, 'a')).state).toBe('done');
});
