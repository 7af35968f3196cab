import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AsyncVariable } from './async-variable.js';

/** Until Node 24 every promise gets properties of `node:async_hooks` while there is a value to hand on. */
const IS_HOOKED = Number(process.versions.node.split('.')[0]) < 24;
const isHooked = () => Object.getOwnPropertySymbols((async () => {})()).length > 0;

describe('an async variable', () => {
  it('has its value in what is called, also later, and none outside', async () => {
    const variable = new AsyncVariable<string>();
    const seen = await variable.run('a', async () => {
      const before = variable.get();
      await setImmediate();
      return [before, variable.get()];
    });
    expect(seen).toEqual(['a', 'a']);
    expect(variable.get()).toBeUndefined();
  });

  it('keeps parallel callers apart', async () => {
    const variable = new AsyncVariable<number>();
    const one = (value: number) =>
      variable.run(value, async () => {
        await setImmediate();
        return variable.get();
      });
    expect(await Promise.all([1, 2, 3].map(one))).toEqual([1, 2, 3]);
  });

  it('knows nothing of the values of others, whichever is the inner one', () => {
    const [one, other] = [new AsyncVariable<string>(), new AsyncVariable<string>()];
    const values = () => [one.get(), other.get()];
    const seen: unknown[] = [];
    one.run('a', () => {
      seen.push(values());
      other.run('b', () => {
        seen.push(values());
        one.run('c', () => seen.push(values()));
        seen.push(values());
      });
      seen.push(values());
    });
    expect(seen).toEqual([
      ['a', undefined],
      ['a', 'b'],
      ['c', 'b'],
      ['a', 'b'],
      ['a', undefined],
    ]);
  });

  it('has a value of undefined, too', () => {
    const variable = new AsyncVariable<string | undefined>();
    const inner = variable.run('a', () => variable.run(undefined, () => variable.get()));
    expect(inner).toBeUndefined();
  });

  it('tells the end of its work before the caller is answered', async () => {
    const variable = new AsyncVariable<string>();
    const told: string[] = [];
    const end = () => void told.push('end');
    await variable.run('a', () => setImmediate(), end).then(() => told.push('answer'));
    variable.run('a', () => told.push('work'), end);
    const fails = () => {
      throw new RangeError();
    };
    expect(() => variable.run('a', fails, end)).toThrow(RangeError);
    await expect(variable.run('a', async () => fails(), end)).rejects.toThrow(RangeError);
    expect(told).toEqual(['end', 'answer', 'work', 'end', 'end', 'end']);
  });

  it('is there as long as one of those that overlap goes on', async () => {
    const [one, other] = [new AsyncVariable<number>(), new AsyncVariable<number>()];
    const goOn = async (variable: AsyncVariable<number>, turns: number) => {
      for (let turn = 0; turn < turns; turn++) await setImmediate();
      return variable.get();
    };
    const all = [3, 1, 5, 2].map((turns, at) => {
      const variable = at % 2 === 0 ? one : other;
      return variable.run(turns, () => goOn(variable, turns));
    });
    expect(await Promise.all(all)).toEqual([3, 1, 5, 2]);
  });

  it('makes no promise slower while no work with a value is under way', async () => {
    const variable = new AsyncVariable<number>();
    const found: boolean[] = [isHooked()];
    const outer = variable.run(1, async () => {
      await variable.run(2, async () => setImmediate());
      found.push(isHooked());
    });
    await outer;
    await setImmediate();
    found.push(isHooked());
    expect(found).toEqual([false, IS_HOOKED, false]);
  });
});
