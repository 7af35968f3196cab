import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';

/** Gives an application of the tests the package, as far as `nest add` needs it, with the schematic as the build writes it. */
export async function installSchematic(folder: string): Promise<void> {
  const directory = join(folder, 'node_modules/nestjs-thorn');
  mkdirSync(directory, { recursive: true });
  const bundle = await rolldown({
    input: 'lib/schematics/nest-add.ts',
    platform: 'node',
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    tsconfig: false,
  });
  await bundle.write({ dir: directory, format: 'cjs' });
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const manifest = { name: 'nestjs-thorn', version, schematics: './collection.json' };
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
  for (const name of ['collection.json', 'schema.json']) {
    writeFileSync(join(directory, name), readFileSync(join('lib/schematics', name)));
  }
}

/** Runs `nest add` in an application, as its user does. @returns what it prints */
export async function nestAdd(folder: string): Promise<string> {
  const nest = createRequire(import.meta.url).resolve('@nestjs/cli/bin/nest.js');
  const args = [nest, 'add', 'nestjs-thorn', '--skip-install'];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: folder });
  return stdout + stderr;
}
