import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const SPEC = `
import { Logger } from '@nestjs/common';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(() => new Logger('Start').warn('starts for all'));
it('passes', () => new Logger('App').warn('of the passing test'));
describe('a failing suite', () => {
  it('fails', () => {
    new Logger('App').error('of the failing test');
    process.stderr.write('a line without Nest\\n', () => expect(1).toBe(1));
    expect(1).toBe(2);
  });
});
`;

/** Runs the repository's own settings on one spec. */
const CONFIG = `
import all from '../../vitest.config.js';
const { projects: [project], globalSetup, reporters, ...test } = all.test;
const { setupFiles, provide } = project.test;
export default { ...all, test: { ...test, reporters: ['default'], provide, setupFiles: setupFiles.map((file) => file.replace(/^test/, '../../test')), include: ['*.spec.ts'] } };
`;

let directory: string;
let output: string;

beforeAll(() => {
  const cache = join(process.cwd(), '.cache');
  mkdirSync(cache, { recursive: true });
  directory = mkdtempSync(join(cache, 'quiet-logs-'));
  writeFileSync(join(directory, 'logs.spec.ts'), SPEC);
  writeFileSync(join(directory, 'vitest.config.ts'), CONFIG);
  const vitest = join(process.cwd(), 'node_modules', 'vitest', 'vitest.mjs');
  const { stdout, stderr } = spawnSync(process.execPath, [vitest, 'run', '--root', directory], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  output = stdout + stderr;
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('shows the logs of a test that fails', () => {
  expect(output).toContain('1 failed | 1 passed');
  expect(output).toContain('of the failing test');
  expect(output).toContain('a line without Nest');
  expect(output).toContain('starts for all');
});

it('hides the logs of a test that passes', () => {
  expect(output).not.toContain('of the passing test');
});
