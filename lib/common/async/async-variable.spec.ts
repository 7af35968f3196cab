import { AsyncResource } from 'node:async_hooks';
import { setImmediate, setTimeout as passes } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { AsyncVariable, followCallers } from './async-variable.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

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

  it('is entered by those who wait for a promise alone, also where nobody was followed before', async () => {
    const variable = new AsyncVariable<number>();
    const found: [string, number | undefined][] = [];
    const go = async (name: string, turns: readonly (() => unknown)[]) => {
      for (const turn of turns) {
        await turn();
        found.push([name, variable.get()]);
      }
    };
    const nothing = () => undefined;
    const wait = () => passes(1);
    let unfollow: () => void = nothing;
    const enter = () => {
      unfollow = followCallers();
      return variable.enterAfter(twoTurns(), 1);
    };
    const others = [nothing, nothing, nothing, nothing, setImmediate, nothing, wait];
    await Promise.all([
      ...Array.from({ length: 10 }, () => go('other', others)),
      go('caller', [nothing, enter, nothing, setImmediate, wait]),
      ...Array.from({ length: 10 }, () => go('other', others)),
    ]);
    await go('later', [nothing, wait]);
    const without = found.filter(([name]) => name !== 'caller').map(([, value]) => value);
    expect(without).toEqual(Array.from({ length: 142 }, () => undefined));
    const of = found.filter(([name]) => name === 'caller').map(([, value]) => value);
    expect(of).toEqual([undefined, 1, 1, 1, 1]);
    unfollow();
    await setImmediate();
    expect(isHooked()).toBe(false);
  });

  it('is not entered through what its caller shares with others', async () => {
    const variable = new AsyncVariable<number>();
    const shared = AsyncResource.bind(() => variable.get());
    const unfollow = followCallers();
    await variable.enterAfter(setImmediate(), 1);
    shared();
    expect(variable.get()).toBe(1);
    expect(shared()).toBeUndefined();
    unfollow();
  });

  it('follows callers until the last who has asked for it ends it, and counts nobody twice', async () => {
    const variable = new AsyncVariable<number>();
    const [unfollow, other] = [followCallers(), followCallers()];
    unfollow();
    unfollow();
    await variable.enterAfter(setImmediate(), 1);
    await setImmediate();
    expect(variable.get()).toBe(1);
    other();
    await setImmediate();
    expect(isHooked()).toBe(false);
  });

  it('leaves it to its caller to catch what a promise is rejected with', async () => {
    const uncaught: unknown[] = [];
    const note = (reason: unknown) => void uncaught.push(reason);
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', note);
    const failing = setImmediate().then(() => Promise.reject(new RangeError()));
    const unfollow = followCallers();
    void new AsyncVariable<number>().enterAfter(failing, 1);
    await passes(5);
    unfollow();
    process.off('unhandledRejection', note);
    for (const listener of others) process.on('unhandledRejection', listener);
    expect(uncaught).toEqual([expect.any(RangeError)]);
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
