// What tools/try-package.mjs and tools/try-clients.mjs run in fresh applications: the entry points that need no other
// package, and those that are named, imported at once with NestJS itself, must be what require() finds.
import { createRequire } from 'node:module';

const ENTRIES = [
  'nestjs-thorn',
  'nestjs-thorn/extending',
  'nestjs-thorn/receiver',
  'nestjs-thorn/openapi',
  'nestjs-thorn/page',
  'nestjs-thorn/mcp',
  'nestjs-thorn/sql',
  'nestjs-thorn/testing',
  ...process.argv.slice(2),
];

const require = createRequire(import.meta.url);
const [, ...imported] = await Promise.all(['@nestjs/core', ...ENTRIES].map((name) => import(name)));
let names = 0;
for (const [index, entry] of ENTRIES.entries()) {
  const required = require(entry);
  const { 'module.exports': _cjs, default: _default, ...found } = imported[index];
  const all = new Set([...Object.keys(required), ...Object.keys(found)]);
  for (const name of all) {
    if (required[name] !== found[name])
      throw new Error(`there are two copies of ${name} of ${entry}`);
  }
  names += all.size;
}
process.stdout.write(`one copy of ${names} names\n`);
