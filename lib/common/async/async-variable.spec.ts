import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { AsyncVariable, followCallers, isInVariable } from './async-variable.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

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
    expect(isInVariable()).toBe(false);
  });

  it('tells whether the caller is in a value of any', () => {
    expect(isInVariable()).toBe(false);
    expect(new AsyncVariable<number>().run(1, isInVariable)).toBe(true);
  });

  it('remembers no value that a later one has replaced', async () => {
    const [variable, other] = [new AsyncVariable<object>(), new AsyncVariable<string>()];
    await other.run('b', async () => {
      const unfollow = followCallers();
      const entered: WeakRef<object>[] = [];
      for (let at = 0; at < 3; at++) {
        await variable.enterAfter(twoTurns(), newValue(entered));
        expect(variable.get() === entered[at]!.deref()).toBe(true);
      }
      await setImmediate();
      collectGarbage();
      expect(entered[1]!.deref()).toBeUndefined();
      expect(variable.get() === undefined).toBe(false);
      unfollow();
    });
  });
});

function newValue(entered: WeakRef<object>[]): object {
  const value = {};
  entered.push(new WeakRef(value));
  return value;
}

async function twoTurns(): Promise<void> {
  await Promise.resolve();
  await Promise.resolve();
}
