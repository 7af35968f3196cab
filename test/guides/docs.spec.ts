import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blocksOf, pages, withWhatIsAdded } from './blocks.js';
import { mistakesOf } from './compile.js';

const blocks = pages().flatMap(blocksOf);

describe('the documentation', () => {
  const code = blocks.flatMap((block) => {
    if (block.language === 'diff') return { ...block, code: withWhatIsAdded(block) };
    return block.language === 'ts' ? block : [];
  });
  const mistakes = mistakesOf(code);

  it.each(code.map(({ place }) => place))('has TypeScript that compiles: %s', (place) => {
    expect(mistakes.get(place)).toEqual([]);
  });

  const scripts = blocks.filter(({ language }) => language === 'sh');
  it.each(scripts)('has commands that a shell reads: $place', ({ code: script }) => {
    expect(execFileSync('bash', ['-n'], { input: script, encoding: 'utf8' })).toBe('');
  });

  it.each(pages())('has links that lead somewhere: %s', (page) => {
    const links = [
      ...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g),
    ];
    const broken = links.filter(([, path, anchor]) => {
      const file = path === '' ? page : join(dirname(page), path!);
      if (!existsSync(file)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).has(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  it('notices a mistake', { timeout: 60_000 }, () => {
    const block = {
      place: 'x:1',
      page: 'x',
      language: 'ts',
      code: 'outbox({ perHost: "many" });\n',
    };
    expect(mistakesOf([block]).get('x:1')).toEqual([expect.stringContaining('not assignable')]);
  });
});

/** As GitHub makes them of headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
