import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PAGES, relativeLinks, withAbsoluteLinks } from './packed-pages.mjs';

const AT = 'https://github.com/owner/name';
const REPOSITORY = { type: 'git', url: `git+${AT}.git` };
const MANIFEST = { name: 'a-library', version: '1.2.0', license: 'MIT', repository: REPOSITORY };
const CHANGELOG = '# Changelog\n\n## 1.2.0\n\nIt does more.\n\n## 1.1.0\n\nIt did less.\n';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'thorn-release-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string | object>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    const text = typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`;
    writeFileSync(join(root, name), text);
  }
}

function git(...args: string[]): string {
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
  return execFileSync('git', [...author, ...args], { cwd: root, encoding: 'utf8' });
}

function commit(): void {
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--allow-empty', '--message', 'all');
}

function run(script: string, args: readonly string[] = [], env: object = {}) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  // What a workflow of this repository says of itself is not of the one that is tried.
  const { GITHUB_REPOSITORY: _, GITHUB_REF_TYPE: __, GITHUB_REF_NAME: ___, ...rest } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], {
    cwd: root,
    env: { ...rest, ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('a release', () => {
  const check = (env: object = {}) => run('check-release.mjs', [], env);

  it('passes from the repository and the tag that it names', () => {
    write({ 'package.json': MANIFEST, 'CHANGELOG.md': CHANGELOG });
    commit();
    const passed = { status: 0, stdout: 'release: 1.2.0, 0 faults\n', stderr: '' };
    expect(check()).toEqual(passed);
    const tag = { GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: 'v1.2.0' };
    expect(check({ ...tag, GITHUB_REPOSITORY: 'Owner/name' })).toEqual(passed);
  });

  it.each([
    ['an unset repository', { repository: undefined }, {}, 'does not say where the repository is'],
    ['a repository elsewhere', { repository: 'https://example.com/a/b' }, {}, 'is not on GitHub'],
    [
      'the repository of somebody else',
      {},
      { GITHUB_REPOSITORY: 'other/name' },
      `says that the repository is ${AT}, but this is other/name`,
    ],
    [
      'a tag of another version',
      {},
      { GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: 'v1.1.0' },
      'The tag is v1.1.0, but package.json has the version 1.2.0',
    ],
    ['a version without changes', { version: '1.3.0' }, {}, 'below "## 1.3.0"'],
    ['a part of a known version', { version: '1.2' }, {}, 'below "## 1.2"'],
  ])('refuses %s', (_, change, env, message) => {
    write({ 'package.json': { ...MANIFEST, ...change }, 'CHANGELOG.md': CHANGELOG });
    commit();
    const refused = check(env);
    expect(refused.status).toBe(1);
    expect(refused.stderr.trim().split('\n')).toEqual([expect.stringContaining(message)]);
  });

  it('passes an entry with a date', () => {
    write({ 'package.json': MANIFEST, 'CHANGELOG.md': '## 1.2.0 - 2026-11-30\n\nx\n' });
    commit();
    expect(check()).toMatchObject({ status: 0, stderr: '' });
  });

  it('refuses an entry without a text', () => {
    write({
      'package.json': MANIFEST,
      'CHANGELOG.md': '# Changelog\n\n## 1.2.0\n\n## 1.1.0\n\nx\n',
    });
    commit();
    expect(check()).toMatchObject({ status: 1, stderr: expect.stringContaining('no entry') });
  });

  it('refuses what was not committed, and names it', () => {
    write({ 'package.json': MANIFEST, 'CHANGELOG.md': CHANGELOG });
    commit();
    write({ 'left-over.txt': 'x' });
    const { status, stderr } = check();
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(
        /^The working tree differs.*\n\?\? left-over\.txt\n$/,
      ) as string,
    });
  });
});

describe('set-repository', () => {
  const packageJson = () => readFileSync(join(root, 'package.json'), 'utf8');

  it.each([
    'owner/name',
    AT,
    `${AT}.git`,
    `${AT}/`,
    `git+${AT}.git`,
    'git@github.com:owner/name.git',
  ])('writes %s as npm does, and nothing else', (given) => {
    const { repository: _, ...before } = MANIFEST;
    write({ 'package.json': before, 'README.md': 'x' });
    expect(run('set-repository.mjs', [given])).toMatchObject({ status: 0, stderr: '' });
    const written = JSON.parse(packageJson()) as Record<string, unknown>;
    expect(written).toEqual(MANIFEST);
    expect(Object.keys(written)).toEqual(['name', 'version', 'license', 'repository']);
    expect(run('set-repository.mjs', ['other/name']).status).toBe(0);
    expect(packageJson()).toContain('git+https://github.com/other/name.git');
  });

  it.each([
    [''],
    ['name'],
    ['owner/name/more'],
    ['owner/..'],
    ['owner/.git'],
    ['https://example.com/owner/name'],
    ['https://github.com.example.com/owner/name'],
    ['https://github.com/owner'],
    ['https://user:password@github.com/owner/name'],
    ['owner/na me'],
    ['owner', 'name'],
  ])('refuses %s and writes nothing', (...given) => {
    write({ 'package.json': MANIFEST });
    const before = packageJson();
    const { status, stderr } = run('set-repository.mjs', given);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^This is not a repository on GitHub\. Nothing was written\. Write: npm run set-repository -- owner\/name\n$/,
    );
    expect(packageJson()).toBe(before);
  });
});

describe('the pages of the package', () => {
  const readme =
    '![A page](docs/a.png) [guide](docs/a.md#b), [below](#c), [other](https://example.com)';
  const guide = '[options](rest/a.md#b), [source](../lib/a.ts)';

  it('link to the repository at the version', () => {
    expect(withAbsoluteLinks('README.md', readme, MANIFEST)).toBe(
      `![A page](${AT}/raw/v1.2.0/docs/a.png) [guide](${AT}/blob/v1.2.0/docs/a.md#b), [below](#c), [other](https://example.com)`,
    );
    expect(withAbsoluteLinks('docs/errors.md', guide, MANIFEST)).toBe(
      `[options](${AT}/blob/v1.2.0/docs/rest/a.md#b), [source](${AT}/blob/v1.2.0/lib/a.ts)`,
    );
  });

  it('keep the texts of links without a repository', () => {
    expect(withAbsoluteLinks('README.md', readme, { version: '1.2.0' })).toBe(
      'A page guide, [below](#c), [other](https://example.com)',
    );
  });

  it('have pictures for light and dark, or their texts without a repository', () => {
    const picture = `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="docs/b.webp">
  <img src="docs/a.webp" alt="A page">
</picture>`;
    expect(relativeLinks(picture)).toEqual(['srcset="docs/b.webp"', 'src="docs/a.webp"']);
    const packed = withAbsoluteLinks('README.md', picture, MANIFEST);
    expect(packed).toContain(`srcset="${AT}/raw/v1.2.0/docs/b.webp"`);
    expect(packed).toContain(`src="${AT}/raw/v1.2.0/docs/a.webp" alt="A page"`);
    expect(relativeLinks(packed)).toEqual([]);
    expect(withAbsoluteLinks('README.md', picture, { version: '1.2.0' })).toBe('A page');
  });

  it('are made by npm around packing, and are left as they were', () => {
    const script = fileURLToPath(new URL('packed-pages.mjs', import.meta.url));
    const scripts = { prepack: `node ${script} write`, postpack: `node ${script} restore` };
    const files = ['CHANGELOG.md', 'docs/errors.md'];
    write({ 'package.json': { ...MANIFEST, files, scripts } });
    write(Object.fromEntries(PAGES.map((page) => [page, guide])));
    write({ 'README.md': readme });
    execFileSync('npm', ['pack', '--silent'], { cwd: root });
    const packed = (page: string) => {
      const args = ['xzOf', 'a-library-1.2.0.tgz', `package/${page}`];
      return execFileSync('tar', args, { cwd: root, encoding: 'utf8' });
    };
    expect(packed('README.md')).toContain(`(${AT}/blob/v1.2.0/docs/a.md#b)`);
    expect(packed('docs/errors.md')).toContain(`(${AT}/blob/v1.2.0/docs/rest/a.md#b)`);
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toBe(readme);
    expect(readFileSync(join(root, 'docs/errors.md'), 'utf8')).toBe(guide);
    const ours = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
    expect(ours.scripts).toMatchObject({
      prepublishOnly: 'node tools/check-release.mjs && npm run build',
      prepack: 'node tools/packed-pages.mjs write',
      postpack: 'node tools/packed-pages.mjs restore',
    });
  });
});
