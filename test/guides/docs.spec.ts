import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
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

  it("has TypeScript that passes the typed lint of Nest's new applications", async () => {
    const files = [...mistakes.keys()].map((_, index) => `.cache/docs/block-${index}.ts`);
    const options = ['--type-aware', '--no-ignore', '-c', 'test/guides/scaffold-lint.json'];
    const said = await promisify(execFile)(process.execPath, [
      'node_modules/oxlint/bin/oxlint',
      ...options,
      '-f',
      'unix',
      ...files,
    ]).catch(({ stdout }: { stdout: string }) => ({ stdout }));
    const faults = said.stdout.replaceAll(
      /^\.cache\/docs\/block-(\d+)\.ts/gm,
      (_, index: string) => {
        return [...mistakes.keys()][Number(index)]!;
      },
    );
    expect(faults.trim()).toBe('');
  });

  const ofFiles = code.filter(
    (block) => /^@\w+/m.test(block.code) && /^(export )?class /m.test(block.code),
  );
  it.each(ofFiles)('names the file above a class: $place', ({ code: text }) => {
    expect(text).toMatch(/^\/\/ [\w./-]+\.ts\b/);
  });

  const scripts = blocks.filter(({ language }) => language === 'sh');
  it.each(scripts)('has commands that a shell reads: $place', ({ code: script }) => {
    expect(execFileSync('bash', ['-n'], { input: script, encoding: 'utf8' })).toBe('');
  });

  const others = ['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
  it.each([...pages(), ...others])('has links that lead somewhere: %s', (page) => {
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

  it('notices a mistake', () => {
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
