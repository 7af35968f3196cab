import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WRITTEN } from './written-objects.mjs';

const PACKAGE = {
  name: 'a-library',
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  dependencies: { undici: '^7' },
  peerDependencies: { '@nestjs/common': '^12', '@nestjs/swagger': '^12', typeorm: '^1' },
  peerDependenciesMeta: { '@nestjs/swagger': { optional: true }, typeorm: { optional: true } },
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'thorn-checks-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('check-imports', () => {
  it('passes imports that go down, sideways through an index, and to declared packages', () => {
    expect(
      checkImports({
        'lib/index.ts': `export * from './thorn.module.js';`,
        'lib/thorn.module.ts': `import './capture/index.js'; import '@nestjs/swagger';`,
        'lib/capture/index.ts': `import '../event/index.js'; import '../dispatch/inside.js';`,
        'lib/dispatch/inside.ts': `import { Agent } from 'undici'; import 'node:fs';`,
        'lib/event/index.ts': `import type { A } from '../message/index.js';`,
        'lib/message/index.ts': `export interface A {}`,
      }),
    ).toEqual({ status: 0, faults: [] });
  });

  it.each([
    [
      'an import upwards',
      { 'lib/common/a.ts': `import '../api/b.js';`, 'lib/api/b.ts': '' },
      'lib/common/a.ts:1 "common" may not import from "api", a floor above it',
    ],
    [
      'a type-only import upwards',
      { 'lib/event/a.ts': `\ntype B = import('../capture/b.js').B;`, 'lib/capture/b.ts': '' },
      'lib/event/a.ts:2 "event" may not import from "capture", a floor above it',
    ],
    [
      'an import of the module from below',
      {
        'lib/api/a.ts': `export * from '../thorn.module-options.js';`,
        'lib/thorn.module-options.ts': '',
      },
      'lib/api/a.ts:1 "api" may not import from "thorn.module", a floor above it',
    ],
    [
      "a sideways import into another folder's internals",
      { 'lib/event/a.ts': `import '../message/b.js';`, 'lib/message/b.ts': '' },
      'lib/event/a.ts:1 "event" is on the same floor as "message" and may import its index.ts only',
    ],
    [
      'an import from the folder that stands apart',
      { 'lib/delivery/a.ts': `import '../receiver/index.js';`, 'lib/receiver/index.ts': '' },
      'lib/delivery/a.ts:1 "delivery" may not import from "receiver", which stands apart',
    ],
    [
      'a folder that is on no floor',
      { 'lib/utils/a.ts': `import '../common/b.js';`, 'lib/common/b.ts': '' },
      'lib/utils/a.ts:1 "utils" is on no floor: add it to tools/floors.mjs',
    ],
    [
      'a cycle',
      {
        'lib/event/a.ts': `import './b.js';`,
        'lib/event/b.ts': `import './c.js';`,
        'lib/event/c.ts': `import './a.js';`,
      },
      'cycle: event/a.ts → event/b.ts → event/c.ts → event/a.ts',
    ],
    [
      'a cycle of types alone',
      {
        'lib/event/a.ts': `import type { B } from './b.js';`,
        'lib/event/b.ts': `export type { A } from './a.js';`,
      },
      'cycle: event/a.ts → event/b.ts → event/a.ts',
    ],
    [
      'a package that is not declared',
      { 'lib/event/a.ts': `const it = await import('vitest/node');` },
      'lib/event/a.ts:1 names "vitest", which is neither a dependency nor a peer in package.json',
    ],
    [
      'a value of typeorm outside of its folder',
      {
        'lib/typeorm/a.ts': `import { Entity, type DataSource } from 'typeorm';`,
        'lib/portal/b.ts': `import { IsNull } from 'typeorm';`,
      },
      'lib/portal/b.ts:1 names "typeorm", which only lib/typeorm knows: use SqlClient of lib/database',
    ],
    [
      'a type of typeorm outside of its folder',
      { 'lib/portal/a.ts': `import type { DataSource } from 'typeorm';` },
      'lib/portal/a.ts:1 names "typeorm", which only lib/typeorm knows: use SqlClient of lib/database',
    ],
    [
      'a path that leaves the library',
      { 'lib/event/a.ts': `import '../../test/b.js';`, 'test/b.ts': '' },
      'lib/event/a.ts:1 reaches "../../test/b.js", outside of lib',
    ],
    [
      'a file that is not there',
      { 'lib/event/a.ts': `import './b.js';` },
      'lib/event/a.ts:1 imports "./b.js", which does not exist',
    ],
    [
      'an import into a higher inner floor',
      { 'lib/outbox/tables/a.ts': `import '../wait/b.js';`, 'lib/outbox/wait/b.ts': '' },
      'lib/outbox/tables/a.ts:1 "outbox/tables" may not import from "outbox/wait", a floor above it',
    ],
    [
      'a cycle among rooms that share a floor',
      {
        'lib/outbox/wait/a.ts': `import '../retry/b.js';`,
        'lib/outbox/retry/b.ts': `import '../wait/a.js';`,
      },
      'cycle: outbox/retry/b.ts → outbox/wait/a.ts → outbox/retry/b.ts',
    ],
    [
      'an index inside a folder',
      { 'lib/outbox/tables/index.ts': '' },
      'lib/outbox/tables/index.ts is an index below a top folder: import the files themselves',
    ],
  ])('refuses %s', (_what, files, fault) => {
    expect(checkImports(files)).toEqual({ status: 1, faults: [fault] });
  });

  it('leaves specs alone, and refuses to pass when it finds nothing to check', () => {
    const spec = { 'lib/common/a.spec.ts': `import '../api/b.js'; import 'vitest';` };
    expect(checkImports({ ...spec, 'lib/api/b.ts': '' })).toEqual({ status: 0, faults: [] });
    rmSync(join(root, 'lib'), { recursive: true });
    expect(checkImports(spec).status).toBe(1);
  });

  function checkImports(files: Record<string, string>) {
    const build = { include: ['lib'], exclude: ['lib/**/*.spec.ts'] };
    return check('check-imports.mjs', { ...files, 'tsconfig.build.json': JSON.stringify(build) });
  }
});

describe('check-replaced', () => {
  const REFUSED: readonly (readonly [name: string, code: string, object: string])[] = [
    ['a method that is replaced', 'manager.save = () => {};', 'manager'],
    ['a method of a prototype', 'Manager.prototype.save = () => {};', 'Manager.prototype'],
    ['a property', `manager.name = 'a';`, 'manager'],
    ['a property of what was made by its class', `new Manager().name = 'a';`, 'new Manager()'],
    ['a property by its key', `manager['name'] = 'a';`, 'manager'],
    ['a sum', 'manager.depth += 1;', 'manager'],
    ['a step', 'manager.depth++;', 'manager'],
    ['a removal', 'delete (manager as { name?: string }).name;', '(manager as { name?: string })'],
    ['Reflect', `Reflect.set(manager, 'name', 'a');`, 'manager'],
    ['Object.assign()', `Object.assign(manager, { name: 'a' });`, 'manager'],
    ['Object.defineProperty()', `Object.defineProperty(manager, 'name', {});`, 'manager'],
    ['a destructuring assignment', `({ name: manager.name } = { name: 'a' });`, 'manager'],
    ['one of a list', `[manager.name] = ['a'];`, 'manager'],
    ['the variable of a loop', `for (manager.name of ['a']) ;`, 'manager'],
    ['a list of it', `manager.hooks.push('a');`, 'manager'],
    ['a list that was taken out', `{ const { hooks } = manager; hooks.push('a'); }`, 'manager'],
    [
      'a cast',
      `(manager as unknown as { own: number }).own = 1;`,
      '(manager as unknown as { own: number })',
    ],
    [
      'a type made of its type',
      `(null! as Omit<Manager, 'save'>).name = 'a';`,
      `(null! as Omit<Manager, 'save'>)`,
    ],
    [
      'an interface that extends one',
      `interface Own extends Hooks {} (null! as Own).name = 'a';`,
      '(null! as Own)',
    ],
    ["an object of Node's", 'process.exitCode = 1;', 'process'],
    ['what may be of any class', `declare const it: object; Reflect.set(it, 'a', 1);`, 'it'],
  ];
  const PASSED = `
      const hooks: Hooks = {}; hooks.after = () => {}; manager.save();
      const own: { list: string[] } = { list: [] }; own.list.push('a'); own.list.length = 0;
      class Mine extends Manager { set() { this.name = 'a'; this.depth++; } }
      const record = Object.create(null) as Record<string, unknown>; record['a'] = 1;
      const bytes = new Uint8Array(1); bytes[0] = 1;`;
  const files = (sources: Readonly<Record<string, string>>) => ({
    'tsconfig.build.json': JSON.stringify({
      include: ['lib'],
      compilerOptions: { module: 'nodenext', types: ['node'], strict: true },
    }),
    'node_modules/orm/package.json': JSON.stringify({ name: 'orm', types: 'index.d.ts' }),
    'node_modules/orm/index.d.ts':
      'export declare class Manager { name: string; depth: number; hooks: string[]; save(): void }\n' +
      'export interface Hooks { after?(): void; name?: string }',
    ...Object.fromEntries(
      Object.entries(sources).map(([file, code]) => [
        file,
        `import { Manager, type Hooks } from 'orm';\ndeclare const manager: Manager;\n${code}`,
      ]),
    ),
  });
  /** By a file's name; all files are checked at once, since to load the types takes longer than to check. */
  let faults: readonly string[] | undefined;
  const fileOf = (name: string) => `lib/capture/${name.replaceAll(/\W/g, '-')}.ts`;
  const faultsOf = (name: string) => {
    const sources = [...REFUSED, ['what is made here', PASSED] as const].map(
      ([one, code]) => [fileOf(one), code] as const,
    );
    faults ??= check('check-replaced.mjs', files(Object.fromEntries(sources))).faults;
    return faults.flatMap((fault) => {
      const [file, line] = fault.split(/:(.*)/s) as [string, string];
      return file === fileOf(name) ? line : [];
    });
  };

  it.each(REFUSED)('refuses %s', (name, _code, object) => {
    expect(faultsOf(name)).toEqual([
      `3 writes a property of what another package has made: ${object}`,
    ]);
  });

  it('passes what is made here, lists of its own, and a class that extends one', () => {
    expect(faultsOf('what is made here')).toEqual([]);
  });

  it('passes the expressions that are listed, which the guide explains, and nothing else in their files', () => {
    const guide = readFileSync('docs/operations.md', 'utf8');
    const [, section = ''] = /## What it touches in your application\n([^]*?)\n## /.exec(guide)!;
    const text = section.replaceAll(/\s+/g, ' ');
    for (const { says } of WRITTEN) expect(text).toContain(says);
    const { file } = WRITTEN.find(({ code }) => code[0] === 'process.exitCode')!;
    const others = (code: string) => check('check-replaced.mjs', files({ [file]: code })).faults;
    expect(others('process.exitCode = 1;')).toEqual([]);
    expect(others(`process.exitCode = 1; manager.name = 'a';`)).toEqual([
      expect.stringContaining('writes a property of what another package has made: manager'),
    ]);
    // One that is listed and no longer there.
    expect(others('')).toEqual([expect.stringContaining('process.exitCode')]);
  });
});

describe('check-published', () => {
  const checkPublished = (files: Record<string, string>) => check('check-published.mjs', files);
  const entry = {
    'dist/index.js': `export * from './a.js';`,
    'dist/index.d.ts': `export * from './a.js';`,
  };

  it('passes dependencies, required peers and what Node brings', () => {
    expect(
      checkPublished({
        ...entry,
        'dist/a.js': `import 'undici'; import '@nestjs/common/enums/x.js'; import 'fs'; import 'node:fs';`,
        'dist/a.d.ts': `/// <reference types="node" />\nexport type A = import('@nestjs/common').Type;`,
        'dist/unreachable.js': `import '@nestjs/swagger';`,
      }),
    ).toEqual({ status: 0, faults: [] });
    const late = { ...entry, 'dist/a.js': `require('typeorm');`, 'dist/a.d.ts': '' };
    expect(checkPublished(late)).toEqual({ status: 0, faults: [] });
  });

  it.each([
    ['an optional peer in code', 'dist/a.js', `import '@nestjs/swagger';`, '@nestjs/swagger'],
    ['one that is loaded late', 'dist/a.js', `await import('@nestjs/swagger');`, '@nestjs/swagger'],
    ['one that is required', 'dist/a.js', `require('@nestjs/swagger/plugin');`, '@nestjs/swagger'],
    ['one in types', 'dist/a.d.ts', `import type { A } from '@nestjs/swagger';`, '@nestjs/swagger'],
    ['one in an inferred type', 'dist/a.d.ts', `let a: import('pg').Pool;`, 'pg'],
    ['one that is augmented', 'dist/a.d.ts', `declare module 'bullmq' {}`, 'bullmq'],
    ['one for code alone in types', 'dist/a.d.ts', `import type { A } from 'typeorm';`, 'typeorm'],
  ])('refuses %s', (_what, file, text, name) => {
    const files = { ...entry, 'dist/a.js': '', 'dist/a.d.ts': '', [file]: text };
    expect(checkPublished(files)).toEqual({
      status: 1,
      faults: [`${file}:1 entry "." names "${name}"`],
    });
  });

  it('follows every condition of an entry', () => {
    const exports = {
      '.': {
        import: { types: './dist/index.d.mts', default: './dist/index.mjs' },
        require: { types: './dist/index.d.ts', default: './dist/index.js' },
      },
    };
    const files = {
      'dist/index.d.mts': `export * from './index.js';`,
      'dist/index.mjs': `import 'pg'; export { a } from './index.js';`,
      'dist/index.d.ts': `export type A = import('ws').A;`,
      'dist/index.js': `require('redis');`,
    };
    const manifest = JSON.stringify({ ...PACKAGE, exports });
    expect(checkPublished({ ...files, 'package.json': manifest }).faults.toSorted()).toEqual([
      ...['d.mts', 'd.ts'].map(() => 'dist/index.d.ts:1 entry "." names "ws"'),
      ...['mjs', 'js'].map(() => 'dist/index.js:1 entry "." names "redis"'),
      'dist/index.mjs:1 entry "." names "pg"',
    ]);
  });

  it('refuses a package that was not built', () => {
    expect(checkPublished({}).faults).toContain(
      'dist/index.js does not exist: run `npm run build` first',
    );
  });
});

describe('write-entries', () => {
  it('makes ES modules of the same objects by name, which import NestJS first', () => {
    const exports = {
      './package.json': './package.json',
      '.': {
        import: { types: './dist/index.d.mts', default: './dist/index.mjs' },
        require: { types: './dist/index.d.ts', default: './dist/index.js' },
      },
    };
    write({
      'package.json': JSON.stringify({ ...PACKAGE, type: 'module', exports }),
      'dist/index.js': `exports.a = require('./inner/b.js').a; exports.c = 1;`,
      'dist/inner/b.js': `require('@nestjs/common/b.js'); require('@nestjs/swagger'); exports.a = {};`,
      'node_modules/@nestjs/common/b.js': '',
      'node_modules/@nestjs/swagger/index.js': '',
    });
    const script = fileURLToPath(new URL('write-entries.mjs', import.meta.url));
    expect(spawnSync(process.execPath, [script], { cwd: root }).status).toBe(0);

    const text = readFileSync(join(root, 'dist/index.mjs'), 'utf8');
    expect(text).toBe(`import '@nestjs/common';\nexport {\n  a,\n  c,\n} from './index.js';\n`);
    expect(readFileSync(join(root, 'dist/index.d.mts'), 'utf8')).toBe(
      `export * from './index.js';\n`,
    );
    expect(readFileSync(join(root, 'dist/package.json'), 'utf8')).toContain('commonjs');
  });
});

describe('bundle', () => {
  it('joins files to those of the entries, whose modules run when they are first required', () => {
    const target = (name: string) => ({ require: { default: `./dist/${name}.js` } });
    write({
      'package.json': JSON.stringify({
        ...PACKAGE,
        type: 'module',
        exports: {
          './package.json': './package.json',
          '.': target('index'),
          './more': target('more'),
          './both': target('both'),
        },
      }),
      'dist/package.json': '{ "type": "commonjs" }',
      'dist/index.js': `exports.load = () => require('./inner/late.js'); exports.shared = require('./inner/b.js').shared;`,
      'dist/more.js': `require('not-installed'); exports.shared = require('./inner/b.js').shared;`,
      'dist/both.js': `exports.both = 1;`,
      'dist/schematics/nest-add.js': `exports.nestAdd = 1;`,
      'dist/inner/b.js': `require('../both.js'); exports.shared = class Shared {};`,
      'dist/inner/late.js': `globalThis.isLoaded = true;`,
      'node_modules/not-installed/index.js': '',
    });
    const script = fileURLToPath(new URL('bundle.mjs', import.meta.url));
    expect(spawnSync(process.execPath, [script], { cwd: root }).status).toBe(0);

    rmSync(join(root, 'node_modules'), { recursive: true });
    expect(readdirSync(join(root, 'dist/inner'))).toEqual([]);
    const program = `
      import { load, shared } from './dist/index.js';
      import { both } from './dist/both.js';
      const before = globalThis.isLoaded;
      load();
      const failure = await import('./dist/more.js').catch(({ code }) => code);
      console.log(before, globalThis.isLoaded, shared.name, both, failure);`;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(run.stdout).toBe('undefined true Shared 1 MODULE_NOT_FOUND\n');
  });
});

describe('check-commits', () => {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd: root,
      stdio: 'pipe',
    }).toString();
  const commit = (subject: string) => git('commit', '-q', '--allow-empty', '-m', subject);
  const checkCommits = (cwd: string, ...args: string[]) => {
    const script = fileURLToPath(new URL('check-commits.mjs', import.meta.url));
    const run = spawnSync(process.execPath, [script, ...args], { cwd, encoding: 'utf8' });
    return { status: run.status, out: run.stdout.trim(), faults: run.stderr.trim() };
  };
  beforeEach(() => void git('init', '-q'));

  it('passes conventional subjects in the imperative', () => {
    commit('feat(outbox): release messages in sets');
    commit('refactor!: address JSON columns by path');
    commit('test: 429 uses up no attempt');
    expect(checkCommits(root)).toEqual({
      status: 0,
      out: 'commits: 3 subjects checked, 0 faults',
      faults: '',
    });
  });

  it.each([
    ['Release messages in sets', 'does not read `type(scope): text`'],
    ['feature: release messages in sets', 'does not read `type(scope): text`'],
    [`fix: release ${'messages '.repeat(7)}in sets`, 'has 83 characters, at most 72 are allowed'],
    ['fix: Release messages in sets', 'begins with a capital after the colon'],
    ['fix: release messages in sets.', 'ends with a full stop'],
    ['fix: released messages in sets', 'is not in the imperative: "released"'],
    ['fix: releasing messages in sets', 'is not in the imperative: "releasing"'],
    ['fix: releases messages in sets', 'is not in the imperative: "releases"'],
    ['docs: what a relay carries', 'is not in the imperative: "what"'],
  ])('refuses the subject %s', (subject, fault) => {
    commit('fix: release messages in sets');
    commit(subject);
    const { status, faults } = checkCommits(root);
    expect(faults).toContain(fault);
    expect(faults.split('\n')).toHaveLength(1);
    expect(status).toBe(1);
  });

  it('checks a range alone, as a pull request has one', () => {
    commit('an old subject');
    commit('fix: release messages in sets');
    expect(checkCommits(root, 'HEAD~1..HEAD').status).toBe(0);
    expect(checkCommits(root, 'HEAD').status).toBe(1);
  });

  it('checks the commits of a shallow clone', () => {
    commit('an old subject');
    commit('fix: release messages in sets');
    git('clone', '-q', '--depth', '1', `file://${root}`, 'shallow');
    expect(checkCommits(join(root, 'shallow'))).toMatchObject({
      status: 0,
      out: 'commits: 1 subjects checked, 0 faults',
    });
  });
});

describe('the linter', () => {
  it.each([
    ['a promise that nobody waits for', `async function f() {}\nf();`, 'no-floating-promises'],
    ['any', `export const a: any = 1;`, 'no-explicit-any'],
    ['output to the console', `console.log(1);`, 'no-console'],
    ['a test that runs alone', `import { it } from 'vitest';\nit.only('', () => {});`, 'focused'],
  ])('refuses %s', (_what, text, rule) => {
    const config = readFileSync(new URL('../.oxlintrc.json', import.meta.url), 'utf8');
    const oxlint = fileURLToPath(new URL('../node_modules/.bin/oxlint', import.meta.url));
    write({ 'lib/a.ts': text, 'tsconfig.json': '{"include":["lib"]}', '.oxlintrc.json': config });
    const lint = spawnSync(oxlint, ['--type-aware', '-f', 'unix'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(lint.stdout).toContain(rule);
    expect(lint.status).toBe(1);
  });
});

/** Runs a check as the lint step does, on a package made of these files. */
function check(tool: string, files: Record<string, string>) {
  write({ 'package.json': JSON.stringify(PACKAGE), ...files });
  const script = fileURLToPath(new URL(tool, import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
  return { status, faults: stderr.split('\n').filter((line) => line !== '') };
}

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

describe('test-totals', () => {
  const totals = (...args: string[]) => {
    const script = fileURLToPath(new URL('test-totals.mjs', import.meta.url));
    return spawnSync(process.execPath, [script, ...args], { cwd: root }).stdout.toString();
  };

  it('counts skipped tests and files without any as failed', () => {
    const file = (...statuses: string[]) => ({
      assertionResults: statuses.map((status) => ({ status })),
    });
    const report = { testResults: [file('passed', 'passed'), file('failed', 'skipped'), file()] };
    write({ 'report.json': JSON.stringify(report) });
    expect(totals(join(root, 'report.json'))).toBe('2 3\n');
  });

  it('prints the ten slowest files of all reports, and the time of each project', () => {
    const file = (number: number, project: string, seconds: number) => ({
      name: join(root, `test/${number}.spec.ts`),
      ...{ startTime: 1000, endTime: 1000 + seconds * 1000 },
      assertionResults: [
        { status: 'passed', meta: {} },
        { status: 'passed', meta: { project } },
      ],
    });
    const fast = Array.from({ length: 9 }, (_, at) => file(at, 'current', 1));
    write({
      'one.json': JSON.stringify({ testResults: [...fast, file(9, 'current', 0.5)] }),
      'two.json': JSON.stringify({ testResults: [file(10, 'previous', 12.34)] }),
    });
    const lines = totals('--times', join(root, 'one.json'), join(root, 'two.json')).split('\n');
    expect(lines.slice(1, 3)).toEqual([
      'The slowest files:',
      '   12.3 s  test/10.spec.ts (previous)',
    ]);
    expect(lines).not.toContainEqual(expect.stringContaining('test/9.spec.ts'));
    expect(lines.slice(12)).toEqual([
      'By project:',
      '   12.3 s  previous, 2 tests',
      '    9.5 s  current, 20 tests',
      '',
    ]);
  });

  it('names what failed last, and why', () => {
    const file = { name: join(root, 'test/1.spec.ts'), startTime: 0, endTime: 1000 };
    const failed = {
      ...{ status: 'failed', fullName: 'the list is sorted', meta: { project: 'current' } },
      failureMessages: ['AssertionError: expected 1\n    at …'],
    };
    const broken = {
      ...{ name: join(root, 'test/2.spec.ts'), startTime: 0, endTime: 0, assertionResults: [] },
      message: 'Cannot find module',
    };
    write({
      'one.json': JSON.stringify({
        testResults: [{ ...file, assertionResults: [failed] }, broken],
      }),
    });
    expect(totals('--times', join(root, 'one.json')).trimEnd().split('\n').slice(-2)).toEqual([
      'failed: test/1.spec.ts (current): the list is sorted: AssertionError: expected 1',
      'did not run: test/2.spec.ts: Cannot find module',
    ]);
  });
});
