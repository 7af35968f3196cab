import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { bundleProgram } from '../services/child.js';
import { freePort } from '../services/free-port.js';
import { Program } from '../services/program.js';
import { writeNestApplication } from '../support/fixtures/nest-application.js';
import { installSchematic, nestAdd } from '../support/nest-add.js';
import { blocksOf } from './blocks.js';

const SOURCES = {
  'nestjs-thorn': resolve('lib/index.ts'),
};
const blocks = blocksOf('docs/getting-started.md');
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => code.trim().split('\n'));

let folder: string | undefined;
const programs: Program[] = [];
afterEach(async () => {
  for (const program of programs.splice(0)) {
    program.kill('SIGKILL');
    await program.ended;
  }
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

describe('five minutes', () => {
  it.each([inject('nestMajor')])(
    'lead from `nest new` of Nest %i to a webhook on the screen',
    { timeout: 180_000 },
    async (major) => {
      const [create, enter, add, generate, listen, start, ask, ...rest] = commands;
      expect([enter, add, start, rest]).toEqual([
        ...['cd shop', 'npx nest add nestjs-thorn', 'npm start'],
        [],
      ]);
      expect(create).toMatch(/^npx @nestjs\/cli new shop /);
      expect(generate).toBe('npx nest generate controller greetings --no-spec');
      folder = writeNestApplication(major);
      await installSchematic(folder);
      expect(await nestAdd(folder)).toContain('Next:');
      saveController(folder, major);
      expect(mistakesIn(folder, major)).toEqual([]);

      const [, args = ''] = /^npx thorn (.+)$/.exec(listen!)!;
      const thorn = await bundleProgram('lib/cli/thorn.ts');
      // On a port of its own, since the tests run side by side.
      const listenPort = String(await freePort());
      const listener = new Program(thorn, [...args.split(' '), '--port', listenPort]);
      programs.push(listener);
      await listener.wrote(/listening on/);
      const module = join(folder, 'src/webhooks/webhooks.module.ts');
      writeFileSync(module, readFileSync(module, 'utf8').replace('4000', listenPort));

      const port = await freePort();
      const main = await bundleProgram(join(folder, 'src/main.ts'));
      programs.push(new Program(main, [], '', { PORT: String(port), NODE_ENV: 'development' }));
      const [, method, path] = /^curl -X (\w+) localhost:3000(\S+)$/.exec(ask!)!;
      // Nest says that it has started before it listens.
      const answer = await vi.waitFor(() =>
        fetch(`http://127.0.0.1:${port}${path}`, { method: method! }),
      );
      expect(answer.status).toBe(201);
      await listener.wrote(/"text": "Hello"/);
      const shown = blocks.find(({ language }) => language === 'text')!.code;
      expect(squeezed(listener.out)).toBe(squeezed(shown));
    },
  );
});

/** What `nest generate controller` makes, with the text of the page. */
function saveController(application: string, major: 11 | 12): void {
  const ending = major === 12 ? '.js' : '';
  const { code } = blocks.find(({ language }) => language === 'ts')!;
  const [, path] = /^\/\/ (\S+)\n/.exec(code)!;
  mkdirSync(dirname(join(application, path!)), { recursive: true });
  writeFileSync(join(application, path!), code);
  const root = join(application, 'src/app.module.ts');
  const text = readFileSync(root, 'utf8').replace(
    '[AppController]',
    '[AppController, GreetingsController]',
  );
  const from = `./greetings/greetings.controller${ending}`;
  writeFileSync(root, `import { GreetingsController } from '${from}';\n${text}`);
}

/** Without what differs from one webhook to the next. */
function squeezed(text: string): string {
  return text
    .slice(text.indexOf('POST'))
    .replace(/"\d{4}-.*?Z"/, 'TIME')
    .replace(/\n {2}answered.*/s, '')
    .trim();
}

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
