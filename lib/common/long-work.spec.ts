import { describe, expect, it } from 'vitest';
import { type BatchedWork, runInBatches } from './long-work.js';

/** Work that never waits for anything, as on SQLite. */
const work = (batches: number): BatchedWork<{ done: number }> => ({
  nothing: { done: 0 },
  batch: async (after) => {
    const at = Number(after ?? 0) + 1;
    return { counts: { done: 1 }, next: at === batches ? null : String(at) };
  },
});

describe('long work', () => {
  it('goes through all batches, tells how far it is, and says when it is through', async () => {
    const seen: unknown[] = [];
    const options = { onProgress: (summary: object) => void seen.push(summary) };
    expect(await runInBatches(work(2), options)).toEqual({ done: 2, next: null });
    expect(seen).toEqual([
      { done: 1, next: '1' },
      { done: 2, next: null },
    ]);
  });

  it('lets a timer stop it, though it never waits', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 1);
    const { done, next } = await runInBatches(work(1_000_000), { signal: controller.signal });
    expect(next).toBe(String(done));
    expect(await runInBatches(work(done + 5), { after: next })).toEqual({
      done: 5,
      next: null,
    });
  });

  it('does nothing when it was stopped before', async () => {
    const signal = AbortSignal.abort();
    expect(await runInBatches(work(2), { signal, after: '1' })).toEqual({ done: 0, next: '1' });
  });
});
