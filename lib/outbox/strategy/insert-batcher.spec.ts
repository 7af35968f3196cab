import { describe, expect, it } from 'vitest';
import type { Message } from '../../message/index.js';
import { InsertBatcher } from './insert-batcher.js';

const messages = (...ids: string[]) => ids.map((id) => ({ id }) as Message);

describe('SharedInsert', () => {
  it('writes what comes at the same time together, and what comes meanwhile next', async () => {
    const sets: string[][] = [];
    const waiting: (() => void)[] = [];
    const shared = new InsertBatcher(async (all) => {
      sets.push(all.map(({ id }) => id));
      await new Promise<void>((resolve) => waiting.push(resolve));
      return sets.length;
    }, 1);
    const first = Promise.all([shared.insert(messages('a')), shared.insert(messages('b', 'c'))]);
    await new Promise(setImmediate);
    const second = Promise.all([shared.insert(messages('d')), shared.insert(messages('e'))]);
    await new Promise(setImmediate);
    expect(sets).toEqual([['a', 'b', 'c']]);
    waiting[0]!();
    expect(await first).toEqual([1, 1]);
    waiting[1]!();
    expect(await second).toEqual([2, 2]);
    expect(sets).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
  });

  it('never puts the same id into one statement twice', async () => {
    const sets: string[][] = [];
    const shared = new InsertBatcher(async (all) => sets.push(all.map(({ id }) => id)), 1);
    await Promise.all(['a', 'a', 'b'].map((id) => shared.insert(messages(id))));
    expect(sets).toEqual([['a', 'b'], ['a']]);
  });

  it('lets one that cannot be written fail alone', async () => {
    const written: string[] = [];
    const shared = new InsertBatcher(async (all) => {
      if (all.some(({ id }) => id === 'bad')) throw new Error('no');
      written.push(...all.map(({ id }) => id));
    }, 1);
    const results = await Promise.allSettled(
      ['a', 'bad', 'b'].map((id) => shared.insert(messages(id))),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(written).toEqual(['a', 'b']);
    await shared.insert(messages('c'));
    expect(written).toEqual(['a', 'b', 'c']);
  });

  it('keeps one caller’s messages together, and sets small', async () => {
    const sizes: number[] = [];
    const shared = new InsertBatcher(async (all) => sizes.push(all.length), 1);
    const many = (from: number) =>
      messages(...Array.from({ length: 300 }, (_, n) => `${from + n}`));
    await Promise.all([0, 1000, 2000].map((from) => shared.insert(many(from))));
    expect(sizes).toEqual([300, 300, 300]);
  });
});
