import { describe, expect, it } from 'vitest';
import { Batcher, type BatcherOptions } from './batcher.js';

const OPTIONS = { idsOf: (item: string) => item.split(','), size: 500 };
const nextTurn = () => new Promise(setImmediate);

/** A batcher whose batches end, or fail, when the test says so. */
function heldBatcher(options: Partial<BatcherOptions<string>> = {}) {
  const batches: { readonly items: readonly string[]; end(): void; fail(): void }[] = [];
  const batcher = new Batcher<string, number>(
    (items) =>
      new Promise((resolve, reject) => {
        const number = batches.length;
        batches.push({ items, end: () => resolve(number), fail: () => reject(new Error('no')) });
      }),
    { ...OPTIONS, ...options },
  );
  return { batcher, batches, items: () => batches.map((batch) => batch.items) };
}

describe('Batcher', () => {
  it('processes together what is added in one turn, and next what is added meanwhile', async () => {
    const { batcher, batches, items } = heldBatcher();
    const first = Promise.all([batcher.add('a'), batcher.add('b,c')]);
    await nextTurn();
    const second = Promise.all([batcher.add('d'), batcher.add('e')]);
    await nextTurn();
    expect(items()).toEqual([['a', 'b,c']]);
    batches[0]!.end();
    expect(await first).toEqual([0, 0]);
    await nextTurn();
    batches[1]!.end();
    expect(await second).toEqual([1, 1]);
    expect(items()).toEqual([
      ['a', 'b,c'],
      ['d', 'e'],
    ]);
  });

  it('processes as many batches at the same time as allowed', async () => {
    const { batcher, batches, items } = heldBatcher({ concurrency: 2 });
    const added = [];
    for (const item of ['a', 'b', 'c', 'd']) {
      added.push(batcher.add(item));
      await nextTurn();
    }
    expect(items()).toEqual([['a'], ['b']]);
    for (const batch of batches) batch.end();
    await nextTurn();
    expect(items()).toEqual([['a'], ['b'], ['c', 'd']]);
    batches[2]!.end();
    expect(await Promise.all(added)).toEqual([0, 1, 2, 2]);
  });

  it('never puts the same id into one batch twice', async () => {
    const batches: (readonly string[])[] = [];
    const batcher = new Batcher<string, number>(async (items) => batches.push(items), OPTIONS);
    await Promise.all(['a', 'a,b', 'c'].map((item) => batcher.add(item)));
    expect(batches).toEqual([['a', 'c'], ['a,b']]);
  });

  it('limits the ids in a batch, but keeps an item together', async () => {
    const batches: (readonly string[])[] = [];
    const process = async (items: readonly string[]) => batches.push(items);
    const batcher = new Batcher<string, number>(process, { ...OPTIONS, size: 3 });
    await Promise.all(['a,b', 'c,d', 'e,f,g,h', 'i'].map((item) => batcher.add(item)));
    expect(batches).toEqual([['a,b', 'i'], ['c,d'], ['e,f,g,h']]);
  });

  it('fails the items of a batch, and goes on with the next', async () => {
    const { batcher, batches } = heldBatcher();
    const failed = Promise.allSettled([batcher.add('a'), batcher.add('b')]);
    await nextTurn();
    const next = batcher.add('c');
    batches[0]!.fail();
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await nextTurn();
    batches[1]!.end();
    expect(await next).toBe(1);
  });

  it('with failing: all, also fails the items that wait', async () => {
    const { batcher, batches, items } = heldBatcher({ failing: 'all' });
    const first = batcher.add('a');
    await nextTurn();
    const all = Promise.allSettled([first, batcher.add('b')]);
    batches[0]!.fail();
    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await batcher.idle();
    expect(items()).toEqual([['a']]);
  });

  it('with failing: each, lets an item that cannot be processed fail alone', async () => {
    const processed: string[] = [];
    const batcher = new Batcher<string, void>(
      async (items) => {
        if (items.includes('bad')) throw new Error('no');
        processed.push(...items);
      },
      { ...OPTIONS, failing: 'each' },
    );
    const results = await Promise.allSettled(['a', 'bad', 'b'].map((item) => batcher.add(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await batcher.add('c');
    expect(processed).toEqual(['a', 'b', 'c']);
  });

  it('is idle when everything that was added is processed', async () => {
    const { batcher, batches } = heldBatcher();
    void batcher.add('a');
    let isIdle = false;
    const idle = batcher.idle().then(() => (isIdle = true));
    await nextTurn();
    expect(isIdle).toBe(false);
    batches[0]!.end();
    await idle;
  });
});
