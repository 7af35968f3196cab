import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { STATES } from '../../lib/outbox/delivery-states.js';
import { CHANGES, deliveryLife } from './delivery-life.js';

const PAGE = 'docs/architecture.md';
const PART =
  /(?<=<!-- Generated from `lib\/outbox\/delivery-states.ts` by `npm run docs:life`. -->\n\n)[^]*?(?=\n## )/;

describe('the life of a delivery in docs/architecture.md', () => {
  it('is that of the code: npm run docs:life', async () => {
    const page = readFileSync(PAGE, 'utf8');
    const style = { ...(await resolveConfig('package.json')), parser: 'markdown' };
    const made = await format(deliveryLife(), style);
    if (process.env['THORN_WRITE_LIFE'] !== undefined) {
      writeFileSync(
        PAGE,
        page.replace(PART, () => made),
      );
      return;
    }
    expect(page.match(PART)?.[0]).toBe(made);
  });

  it('is the first thing there', () => {
    expect(readFileSync(PAGE, 'utf8').match(/^## .*$/gm)![0]).toBe('## The life of a delivery');
  });

  it.each(CHANGES)('finds %s, a function in a file of its name', async (name, { file, method }) => {
    const path = join('lib/outbox', file);
    expect(existsSync(path), path).toBe(true);
    const module = (await import(/* @vite-ignore */ resolve(path))) as Record<string, unknown>;
    if (method === undefined) {
      expect(file.split('/').at(-1)).toBe(`${dashed(name)}.ts`);
      expect(module[name]).toBeInstanceOf(Function);
    } else {
      const [owner, member] = method.split('.') as [string, string];
      const { prototype } = module[owner] as { prototype: Record<string, unknown> };
      expect(prototype[member]).toBeInstanceOf(Function);
    }
  });

  it('leads to each state, and from each', () => {
    const moves = CHANGES.flatMap(([, change]) => change.moves);
    expect(
      STATES.filter((state) => !moves.some(([from, to]) => from !== to && to === state)),
    ).toEqual([]);
    expect(
      STATES.filter((state) => !moves.some(([from, to]) => from !== to && from === state)),
    ).toEqual([]);
  });
});

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
