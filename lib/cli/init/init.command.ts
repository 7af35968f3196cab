import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type { Command, ExitCode } from '../terminal/command.js';
import type { Terminal } from '../terminal/terminal.js';
import { UsageError } from '../terminal/usage.error.js';
import { exampleFiles } from './example-files.js';
import {
  applyChanges,
  changedSince,
  differenceOf,
  type FileChange,
  readText,
  reversed,
} from './file-changes.js';
import {
  addModule,
  addRawBody,
  extensionOf,
  importedNames,
  NotUnderstood,
  type TypeScript,
} from './source-edits.js';

/** What was changed, for `--undo`. */
const RECORD = 'node_modules/.cache/nestjs-thorn/init.json';

export const initCommand: Command = {
  name: 'init',
  operands: '[folder]',
  summary: 'Adds webhooks to a NestJS application: the module, an example event and a listener',
  details: [
    'Shows what it would change, and asks. Changes src/app.module.ts and src/main.ts, and adds src/webhooks/. What it does',
    'not understand it leaves as it is. Without a folder, the application is here.',
  ].join('\n'),
  options: {
    yes: { type: 'boolean', short: 'y', help: 'does not ask' },
    undo: { type: 'boolean', help: 'takes back what it has changed' },
  },
  most: 1,
  async run([given = '.'], { yes, undo }, terminal) {
    const folder = resolve(given);
    const changes = undo === true ? await undoing(folder) : await adding(folder);
    for (const change of changes) for (const line of differenceOf(change)) terminal.out(line);
    if (yes !== true && !(await isAgreed(terminal))) {
      terminal.note('Nothing was changed.');
      return 1;
    }
    return undo === true ? takeBack(folder, changes, terminal) : add(folder, changes, terminal);
  },
};

async function isAgreed(terminal: Terminal): Promise<boolean> {
  return /^y(es)?$/i.test((await terminal.ask('Change these files? [y/N] ')).trim());
}

async function add(
  folder: string,
  changes: readonly FileChange[],
  terminal: Terminal,
): Promise<ExitCode> {
  const record = { path: RECORD, before: null, after: JSON.stringify(changes) };
  await applyChanges(folder, [record, ...changes]);
  terminal.note(
    'Done. Start the application, then: curl -X POST localhost:3000/greetings\n' +
      'Its log shows the verified webhook. npx thorn init --undo takes it all back.',
  );
  if ((await majorOf(folder, 'core')) === 11 && (await majorOf(folder, 'typeorm')) === 12) {
    // Both may be together, so npm takes the newest one as a peer.
    terminal.note(
      'Jest cannot load @nestjs/typeorm 12, which npm brought along: npm install @nestjs/typeorm@11',
    );
  }
  return 0;
}

/** The major of a package of Nest; NaN where there is none. */
async function majorOf(folder: string, name: string): Promise<number> {
  const text = await readText(join(folder, `node_modules/@nestjs/${name}/package.json`));
  const [, major] = /"version"\s*:\s*"(\d+)/.exec(text ?? '') ?? [];
  return Number(major);
}

async function takeBack(
  folder: string,
  changes: readonly FileChange[],
  terminal: Terminal,
): Promise<ExitCode> {
  const text = await readText(join(folder, RECORD));
  await applyChanges(folder, [...changes, { path: RECORD, before: text, after: null }]);
  terminal.note('Everything is as it was before.');
  return 0;
}

async function undoing(folder: string): Promise<readonly FileChange[]> {
  const text = await readText(join(folder, RECORD));
  if (text === null) {
    throw new UsageError(
      'there is nothing to undo here: thorn init has not run, or node_modules is new',
    );
  }
  const changes = reversed(JSON.parse(text) as readonly FileChange[]);
  const others = await changedSince(folder, changes);
  if (others.length === 0) return changes;
  throw new UsageError(`${others.join(', ')} changed since: undo it by hand, or with git`);
}

async function adding(folder: string): Promise<readonly FileChange[]> {
  const compiler = compilerOf(folder);
  const source = await sourceRoot(folder);
  const edit = async (
    name: string,
    change: (compiler: TypeScript, file: string, text: string) => string,
  ): Promise<FileChange> => {
    const path = `${source}/${name}`;
    const before = await readText(join(folder, path));
    if (before === null) {
      throw new UsageError(
        `there is no ${path} in ${folder}: run it in the folder of a NestJS application`,
      );
    }
    try {
      return { path, before, after: change(compiler, name, before) };
    } catch (error) {
      if (!(error instanceof NotUnderstood)) throw error;
      throw new UsageError(`nothing was changed: ${path} ${error.message}`);
    }
  };
  const module = await edit('app.module.ts', addModule);
  const main = await edit('main.ts', addRawBody);
  const extension = extensionOf(importedNames(compiler, 'app.module.ts', module.before!));
  const added = Object.entries(exampleFiles(extension)).map(([name, after]) => ({
    path: `${source}/${name}`,
    before: null,
    after,
  }));
  const existing = await changedSince(folder, added);
  if (existing.length > 0)
    throw new UsageError(`nothing was changed: ${existing[0]} exists already`);
  return [module, main, ...added].filter(({ before, after }) => before !== after);
}

function compilerOf(folder: string): TypeScript {
  try {
    return createRequire(join(folder, 'package.json'))('typescript') as TypeScript;
  } catch {
    throw new UsageError(`there is no TypeScript in ${folder}: run npm install there first`);
  }
}

/** The folder of the sources, as the Nest CLI knows it. */
async function sourceRoot(folder: string): Promise<string> {
  const text = await readText(join(folder, 'nest-cli.json'));
  const [, root] = /"sourceRoot"\s*:\s*"([^"]+)"/.exec(text ?? '') ?? [];
  return root?.replace(/\/+$/, '') ?? 'src';
}
