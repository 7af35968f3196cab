import { expect, it } from 'vitest';
import { KeyedMutex } from './waiting.js';

it('runs the tasks of a key in their order, those of another beside them, past failures', async () => {
  const turns = new KeyedMutex();
  const order: string[] = [];
  const gates = new Map<string, () => void>();
  const task = (name: string) => async () => {
    order.push(`${name} begins`);
    await new Promise<void>((resolve) => gates.set(name, resolve));
    order.push(`${name} ends`);
    if (name === 'first') throw new Error('first failed');
    return name;
  };

  const first = turns.run('a', task('first'));
  const second = turns.run('a', task('second'));
  const aside = turns.run('b', task('aside'));
  gates.get('aside')!();
  expect(await aside).toBe('aside');
  expect(order).toEqual(['first begins', 'aside begins', 'aside ends']);

  gates.get('first')!();
  await expect(first).rejects.toThrow('first failed');
  await expect.poll(() => gates.has('second')).toBe(true);
  gates.get('second')!();
  expect(await second).toBe('second');
  expect(order.slice(3)).toEqual(['first ends', 'second begins', 'second ends']);
});
