import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

/** How programs import this package: from its sources, since the built package may be missing or old. */
const ITSELF = /^nestjs-thorn(?:\/(?<entry>\w+))?$/;

/** A program of the tests in a process of its own. */
export interface Child {
  readonly process: ChildProcess;
  /** The lines that it has printed so far. */
  lines(): readonly string[];
  /** Resolves when it has printed the line. */
  printed(line: string): Promise<void>;
  /** Sends a signal that ends it, and resolves when it has ended. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  readonly exited: Promise<number | null>;
}

/**
 * Makes a file that Node can run of a program and what it imports from this repository.
 *
 * @param instead packages, and what is imported in their place
 * @param folder from which the packages are found
 */
export async function bundleProgram(
  entry: string,
  instead: Readonly<Record<string, string>> = {},
  folder: string = join('.cache', 'test'),
): Promise<string> {
  const directory = join(process.cwd(), folder);
  mkdirSync(directory, { recursive: true });
  const name = `${entry.replaceAll(/\W/g, '-')}-${process.pid}`;
  const bundle = await rolldown({
    input: entry,
    platform: 'node',
    // Packages stay where they are; only what decorators are compiled to becomes part of the file.
    external: (id) => !/^(?:[./]|@oxc-project\/runtime\/)/.test(id) && !ITSELF.test(id),
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    tsconfig: false,
    // Nest reads constructor parameter types from decorator metadata.
    transform: { target: 'es2022', decorator: { legacy: true, emitDecoratorMetadata: true } },
    plugins: [
      {
        name: 'instead',
        resolveId: (id) => {
          if (id in instead) return { id: instead[id]!, external: true };
          const itself = ITSELF.exec(id);
          return itself && resolve('lib', itself.groups?.['entry'] ?? '.', 'index.ts');
        },
      },
    ],
  });
  await bundle.write({
    ...{ dir: directory, format: 'esm', entryFileNames: `${name}.mjs` },
    // What a program imports only where it needs it stays apart, as do the packages of it: they take long to load.
    chunkFileNames: `${name}-[name].mjs`,
  });
  return join(directory, `${name}.mjs`);
}

/** @param variables of its environment, beside ours */
export function startChild(
  file: string,
  argument: string,
  variables: Readonly<Record<string, string>> = {},
): Child {
  const child = spawn(process.execPath, [file, argument], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...variables },
  });
  let output = '';
  const checks = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    for (const check of checks) check();
  });
  // Not inherited: the lines belong to the test that runs meanwhile, and are shown when it fails.
  child.stderr.on('data', (chunk: Buffer) => void process.stderr.write(chunk));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return {
    process: child,
    exited,
    lines: () => output.split('\n'),
    printed: (line) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (!output.split('\n').includes(line)) return;
          checks.delete(check);
          resolve();
        };
        checks.add(check);
        check();
        void exited.then(() =>
          reject(new Error(`The process ended before it printed ${line}: ${output}`)),
        );
      }),
    end: (signal) => {
      child.kill(signal);
      return exited;
    },
  };
}
