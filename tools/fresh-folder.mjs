// A folder where the packed package is installed beside nothing but what an application needs. What npm has in its cache is
// not asked of the registry again.
import { execFile } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { packedFile } from './packed-file.mjs';

const execute = promisify(execFile);

/** Where the packages of a major of NestJS are found here: the very same versions are installed. */
export const MAJORS = { 11: 'test/nest-11/node_modules', 12: 'node_modules' };

/**
 * @param {string} folder
 * @param {Readonly<Record<string, string>>} dependencies beside the packed package
 */
export async function install(folder, dependencies) {
  write(folder, 'package.json', {
    name: 'fresh',
    private: true,
    dependencies: { 'nestjs-thorn': `file:${packedFile()}`, ...dependencies },
  });
  const options = [
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--no-package-lock',
  ];
  await run(folder, 'npm', ['install', ...options]);
}

/**
 * Gives a folder `better-sqlite3`, which is compiled for this machine already: npm would take minutes to do that again.
 *
 * @param {string} folder
 */
export function copyCompiled(folder) {
  for (const name of ['better-sqlite3', 'bindings', 'file-uri-to-path']) {
    const path = join('node_modules', name);
    cpSync(resolve(path), join(folder, path), { recursive: true });
  }
}

/**
 * Compiles the application in a folder, as its `tsconfig.json` says.
 *
 * @param {string} folder
 */
export async function compile(folder) {
  await node(folder, [resolve('node_modules/typescript/bin/tsc'), '-p', '.']);
}

/**
 * The packages of NestJS and others, at the versions that are installed here.
 *
 * @param {string | number} major
 * @param {readonly string[]} nest without their scope
 * @param {readonly string[]} others
 * @returns {Record<string, string>}
 */
export function versions(major, nest, others) {
  const folder = /** @type {Record<string, string>} */ (MAJORS)[major] ?? 'node_modules';
  return Object.fromEntries([
    ...nest.map((name) => versionOf(folder, `@nestjs/${name}`)),
    ...others.map((name) => versionOf('node_modules', name)),
  ]);
}

/**
 * @param {string} folder
 * @param {string} name
 * @returns {[string, string]}
 */
function versionOf(folder, name) {
  const file = join(folder, name, 'package.json');
  return [name, JSON.parse(readFileSync(file, 'utf8')).version];
}

/**
 * @param {string} folder
 * @param {readonly string[]} args
 */
export function node(folder, args) {
  return run(folder, process.execPath, args);
}

/**
 * @param {string} folder
 * @param {string} command
 * @param {readonly string[]} args
 */
async function run(folder, command, args) {
  const options = { cwd: folder, maxBuffer: 1e8, timeout: 300_000 };
  const { stdout } = await execute(command, args, options);
  return stdout;
}

/**
 * @param {string} folder
 * @param {string} name
 * @param {unknown} value
 */
export function write(folder, name, value) {
  writeFileSync(join(folder, name), JSON.stringify(value, null, 2));
}
