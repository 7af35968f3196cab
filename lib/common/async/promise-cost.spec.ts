import { AsyncResource } from 'node:async_hooks';
import { setImmediate, setTimeout as passes } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { AsyncVariable, followCallers, isInVariable } from './async-variable.js';

/** Until Node 24 every promise gets properties of `node:async_hooks` while there is a value to hand on. */
const IS_HOOKED = Number(process.versions.node.split('.')[0]) < 24;
const isHooked = () => Object.getOwnPropertySymbols((async () => {})()).length > 0;

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
  const begin = async () => {
    await Promise.resolve();
    await Promise.resolve();
  };
  const enter = () => {
    unfollow = followCallers();
    return variable.enterAfter(begin(), 1);
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
  expect(isInVariable()).toBe(false);
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

it('follows callers until the last one who asked for it has ended that, each once', async () => {
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
