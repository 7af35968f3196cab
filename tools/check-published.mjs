// Usage: node tools/check-published.mjs [folder of the built package]
//
// Follows every entry point of package.json through the built files, code and declarations, and checks that they name
// nothing but what a user has for sure: Node's modules, the dependencies and the required peers. An entry point that is
// about an optional peer may name that peer.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { importsOf, packageOf, packagesOf, targetsOf } from './imports.mjs';

/** @type {Readonly<Record<string, readonly string[]>>} */
const OPTIONAL_PEERS = {
  './bullmq': ['bullmq'],
  './microservices': ['@nestjs/microservices'],
  './prometheus': ['prom-client'],
  './opentelemetry': ['@opentelemetry/api'],
  './terminus': ['@nestjs/terminus'],
  './sql': ['better-sqlite3', 'mysql2', 'pg'],
  './typeorm': ['typeorm'],
};

/**
 * Loaded only where the application uses them: code names them within functions, declarations never.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const LAZY_PEERS = {
  '.': ['typeorm', '@nestjs/typeorm', 'drizzle-orm'],
  './typeorm': ['@nestjs/typeorm'],
};

const root = resolve(process.argv[2] ?? '.');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { required } = packagesOf(manifest);
/** @type {string[]} */
const faults = [];
let files = 0;

for (const [entry, target] of Object.entries(manifest.exports)) {
  const types = new Set([manifest.name, ...required, ...(OPTIONAL_PEERS[entry] ?? [])]);
  const code = new Set([...types, ...(LAZY_PEERS[entry] ?? [])]);
  for (const start of targetsOf(target)) {
    if (/\.m?[jt]s$/.test(start)) follow(join(root, start), entry, { types, code }, new Set());
  }
}

for (const fault of faults) console.error(fault);
console.log(`published: ${files} files checked, ${faults.length} faults`);
process.exitCode = faults.length > 0 || files === 0 ? 1 : 0;

/**
 * @param {string} file
 * @param {string} entry
 * @param {Readonly<Record<'types' | 'code', ReadonlySet<string>>>} allowed
 * @param {Set<string>} seen
 */
function follow(file, entry, allowed, seen) {
  if (seen.has(file)) return;
  seen.add(file);
  if (!existsSync(file)) {
    faults.push(`${relative(root, file)} does not exist: run \`npm run build\` first`);
    return;
  }
  files += 1;
  const isTypes = /\.d\.m?ts$/.test(file);
  for (const { specifier, line } of importsOf(file)) {
    const name = packageOf(specifier);
    if (name && !allowed[isTypes ? 'types' : 'code'].has(name)) {
      faults.push(`${relative(root, file)}:${line} entry "${entry}" names "${name}"`);
    }
    if (!specifier.startsWith('.')) continue;
    const next = resolve(dirname(file), specifier);
    follow(isTypes ? next.replace(/\.js$/, '.d.ts') : next, entry, allowed, seen);
  }
}
