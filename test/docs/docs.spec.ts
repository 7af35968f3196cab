import { execFileSync } from 'node:child_process';
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
