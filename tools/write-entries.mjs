// Usage: node tools/write-entries.mjs
//
// The last step of `npm run build`. The compiler writes CommonJS, which every test runner and bundler can load. For each
// entry point of package.json this writes an ES module that re-exports the same objects by name, so that an application
// that loads the package both ways has one copy of everything.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, resolve } from 'node:path';
import { importsOf, packageOf, packagesOf } from './imports.mjs';

const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const { required } = packagesOf(manifest);

writeFileSync('dist/package.json', `${JSON.stringify({ type: 'commonjs' })}\n`);
for (const target of Object.values(manifest.exports)) {
  if (typeof target === 'string') continue;
  const main = resolve(target.require.default);
  const from = `./${basename(main)}`;
  // NestJS 12 is ESM. Node 20 cannot require() a module while an import() of it is under way, so it is imported first.
  // Optional peers are not: the entry itself says which are missing.
  const nest = [...packagesBelow(main)]
    .filter((name) => name.startsWith('@nestjs/') && required.has(name))
    .toSorted();
  const lines = [
    ...nest.map((name) => `import '${name}';`),
    'export {',
    ...Object.keys(require(main)).map((name) => `  ${name},`),
    `} from '${from}';`,
  ];
  writeFileSync(target.import.default, `${lines.join('\n')}\n`);
  writeFileSync(target.import.types, `export * from '${from}';\n`);
}

/**
 * The packages that a built file and all files below it load.
 *
 * @param {string} file
 * @param {Set<string>} found
 * @param {Set<string>} seen
 */
function packagesBelow(file, found = new Set(), seen = new Set()) {
  if (seen.has(file)) return found;
  seen.add(file);
  for (const { specifier } of importsOf(file)) {
    const name = packageOf(specifier);
    if (name) found.add(name);
    if (specifier.startsWith('.')) packagesBelow(resolve(dirname(file), specifier), found, seen);
  }
  return found;
}
