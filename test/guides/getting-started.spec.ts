import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { bundleProgram } from '../services/child.js';
import { freePort } from '../services/free-port.js';
import { Program } from '../services/program.js';
import { writeNestApplication } from '../support/fixtures/nest-application.js';
import { blocksOf } from './blocks.js';

const SOURCES = {
  'nestjs-thorn': resolve('lib/index.ts'),
  'nestjs-thorn/receiver': resolve('lib/receiver/index.ts'),
};
const blocks = blocksOf('docs/getting-started.md');
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => code.trim().split('\n'));

let folder: string | undefined;
let application: Program | undefined;
afterEach(async () => {
  application?.kill('SIGKILL');
  await application?.ended;
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

describe('five minutes', () => {
  it.each([inject('nestMajor')])(
    'lead from `nest new` of Nest %i to a verified webhook on the screen',
    { timeout: 180_000 },
    async (major) => {
      const [create, enter, install, init, start, ask, ...rest] = commands;
      expect([enter, start, rest]).toEqual(['cd shop', 'npm start', []]);
      expect(create).toMatch(/^npx @nestjs\/cli new shop /);
      expect(install).toMatch(/^npm install nestjs-thorn /);
      folder = writeNestApplication(major);

      const [, args] = /^npx thorn (.+)$/.exec(init!)!;
      const thorn = await bundleProgram('lib/cli/thorn.ts');
      const added = new Program(thorn, [...args!.split(' '), folder]);
      expect([await added.ended, added.notes]).toEqual([0, expect.stringContaining('Done.')]);
      expect(mistakesIn(folder, major)).toEqual([]);

      const port = await freePort();
      const main = await bundleProgram(join(folder, 'src/main.ts'));
      application = new Program(main, [], '', { PORT: String(port), NODE_ENV: 'development' });
      const [, method, path] = /^curl -X (\w+) localhost:3000(\S+)$/.exec(ask!)!;
      // Nest says that it has started before it listens.
      const answer = await vi.waitFor(() =>
        fetch(`http://127.0.0.1:${port}${path}`, { method: method! }),
      );
      expect(answer.status).toBe(201);
      const [line] = await application.wrote(/Verified greeting\.sent: .*\n/);
      expect(line).toContain('"data":{"text":"Hello"}');
    },
  );
});

/** What the compiler says with the settings of `nest new`. */
function mistakesIn(application_: string, major: 11 | 12): readonly string[] {
  const isCommonJs = major === 11;
  writeFileSync(join(application_, 'tsconfig.json'), '{}');
  const program = ts.createProgram([join(application_, 'src/main.ts')], {
    module: isCommonJs ? ts.ModuleKind.CommonJS : ts.ModuleKind.NodeNext,
    moduleResolution: isCommonJs
      ? ts.ModuleResolutionKind.Bundler
      : ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    paths: Object.fromEntries(Object.entries(SOURCES).map(([name, file]) => [name, [file]])),
    types: ['node'],
    ...{ strict: true, noEmit: true, skipLibCheck: true, isolatedModules: true },
    ...{ experimentalDecorators: true, emitDecoratorMetadata: true, esModuleInterop: true },
  });
  // Of these files alone: our own sources have a check of theirs, and take many times as long.
  return program
    .getSourceFiles()
    .filter(({ fileName }) => fileName.startsWith(application_))
    .flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ])
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
