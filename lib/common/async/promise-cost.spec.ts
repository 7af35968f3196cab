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

it('is entered by its caller alone, where callers are followed', async () => {
  const variable = new AsyncVariable<number>();
  const found: [string, number | undefined][] = [];
  const go = async (name: string, turns: readonly (() => unknown)[]) => {
    for (const turn of turns) {
      await turn();
      found.push([name, variable.get()]);
    }
  };
  const nothing = () => undefined;
  const enter = () => variable.enterWith(1);
  const wait = () => passes(1);
  const waiting = go('other', [wait, nothing, setImmediate, wait]);
  followCallers();
  await setImmediate();
  await Promise.all([
    go('other', [nothing, nothing, nothing, setImmediate, wait]),
    go('caller', [nothing, enter, nothing, setImmediate, wait]),
    go('other', [nothing, nothing, nothing, setImmediate, wait]),
    waiting,
  ]);
  await go('later', [nothing, wait]);
  const without = found.filter(([name]) => name !== 'caller').map(([, value]) => value);
  expect(without).toEqual(Array.from({ length: 16 }, () => undefined));
  const of = found.filter(([name]) => name === 'caller').map(([, value]) => value);
  expect(of).toEqual([undefined, 1, 1, 1, 1]);
  expect(isInVariable()).toBe(false);
});
