import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { INestApplication } from '@nestjs/common';
import type { ScriptedReceiver } from '../../lib/testing/index.js';
import { type Block, blocksOf } from './blocks.js';

const run = promisify(execFile);
const GENERAL = 'docs/tutorial.md';

/** The other tutorials send their reader to the guard of the first. */
function guard(): readonly Block[] {
  return blocksOf(GENERAL).filter(({ code }) => code.startsWith('// src/partner.guard.ts\n'));
}

/** A reader who does what a tutorial says, in its order. */
export class TutorialReader {
  readonly blocks: readonly Block[];
  /** Where the commands are run. */
  readonly directory = mkdtempSync(join(tmpdir(), 'thorn-tutorial-'));
  /** Where the files of the page are. */
  readonly root: string;

  constructor(page: string) {
    this.blocks = blocksOf(page);
    this.root = resolve('.cache/guides', page.replace(/^docs\/|\.md$/g, ''));
  }

  end(): void {
    rmSync(this.directory, { recursive: true });
  }

  get commands(): readonly string[] {
    return this.blocks.filter(({ language }) => language === 'sh').map(({ code }) => code);
  }

  /** The names of packages that a command installs. */
  get installed(): readonly string[] {
    const lines = this.commands.flatMap((command) => command.match(/^npm install .*/gm) ?? []);
    return lines.flatMap((line) => line.split(' ').slice(2));
  }

  /** The names of packages that files import. */
  get imported(): readonly string[] {
    const code = this.blocks.map((block) => block.code).join('\n');
    const names = [...code.matchAll(/(?:from|^import) '([^.'][^']*)'/gm)].map(([, name]) =>
      name!
        .split('/')
        .slice(0, name!.startsWith('@') ? 2 : 1)
        .join('/'),
    );
    const brought = new Set(['@nestjs/common', '@nestjs/core']);
    return [...new Set(names.filter((name) => !brought.has(name)))];
  }

  /** Writes the files, and starts the application. */
  async start(): Promise<INestApplication> {
    const pages = this.blocks[0]!.page === GENERAL ? this.blocks : [...guard(), ...this.blocks];
    for (const { code } of pages.filter(({ language }) => language === 'ts')) {
      const file = join(this.root, /^\/\/ (\S+)\n/.exec(code)![1]!);
      mkdirSync(dirname(file), { recursive: true });
      const text = code
        .replaceAll("'nestjs-thorn'", `'${resolve('lib/index.ts')}'`)
        .replaceAll(/'nestjs-thorn\/(\w+)'/g, (_, entry) => `'${resolve(`lib/${entry}/index.ts`)}'`)
        // The address is in the environment already.
        .replace("import 'dotenv/config';\n", '')
        // To be ended by the test.
        .replace(/^(\s+await app\.listen\(.*\);\n)/m, '$1  return app;\n')
        .replace(/^void bootstrap\(\);$/m, 'export const app = await bootstrap();');
      writeFileSync(file, text);
    }
    const main = join(this.root, 'src/main.ts');
    return ((await import(/* @vite-ignore */ main)) as { app: INestApplication }).app;
  }

  /**
   * Runs the commands that ask the application.
   *
   * @param after is called with each of them, before the next one
   * @returns the answers that they have printed
   */
  async follow(
    app: INestApplication,
    receiver: ScriptedReceiver,
    after: (step: string) => Promise<unknown> | undefined,
  ): Promise<readonly unknown[]> {
    const { port } = app.getHttpServer().address() as { port: number };
    const printed: string[] = [];
    let variables = '';
    for (const step of this.commands.filter((code) => code.includes('curl'))) {
      const script = step
        .replaceAll('localhost:3000', `127.0.0.1:${port}`)
        .replaceAll('127.0.0.1:4000', new URL(receiver.url).host);
      const cwd = this.directory;
      const { stdout } = await run('bash', ['-euc', `${variables}\n${script}`], { cwd });
      variables += `\n${(step.match(/^[A-Z]+=.*$/gm) ?? []).join('\n')}`;
      printed.push(stdout);
      await after(step);
    }
    return printed
      .flatMap((text) => text.replaceAll('}{', '}\n{').split('\n'))
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  }

  get subscriber(): { readonly secret: string } {
    return JSON.parse(readFileSync(join(this.directory, 'subscriber.json'), 'utf8')) as never;
  }
}
