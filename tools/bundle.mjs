// Usage: node tools/bundle.mjs
//
// A step of `npm run build`. The compiler writes a file for each source, and Node.js looks for, opens and compiles each
// of hundreds of files when an application starts. This joins them to one file for each entry point of package.json, each
// command and the schematic, and chunks of what they share. Every module stays a function of its own that runs when it is first required: order,
// names and laziness are those of the files.
//
// Those functions are written as `(function () {})`: V8 compiles such a function together with the file. It parses arrow
// functions in parentheses twice in Node.js 20 and 22, which costs a fifth of the CPU that `require('nestjs-thorn')` takes.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const dist = resolve('dist');
const entries = Object.values(manifest.exports)
  .filter((target) => typeof target !== 'string')
  .map((target) => resolve(target.require.default));
const commands = Object.values(manifest.bin ?? {}).map((file) => resolve(String(file)));
// `nest add` runs it: collection.json names the file.
const schematics = [resolve('dist/schematics/nest-add.js')];
const files = [...entries, ...commands, ...schematics];
const names = new Map(entries.map((file) => [file, Object.keys(require(file))]));

const bundle = await rolldown({
  input: Object.fromEntries(files.map((file) => [relative(dist, file).replace(/\.js$/, ''), file])),
  external: (id) => !id.startsWith('.') && !isAbsolute(id),
  platform: 'node',
  treeshake: false,
});
const { output } = await bundle.generate({
  format: 'cjs',
  exports: 'auto',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
});
/** How rolldown begins the function of a module. */
const MODULE = /(__commonJSMin\()\(\(([\w$]+(?:, [\w$]+)*)\) => \{/g;

for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  if (file.endsWith('.js')) rmSync(join(dist, file));
}
for (const one of output) {
  if (one.type !== 'chunk') throw new Error(`${one.fileName} is not code`);
  const file = join(dist, one.fileName);
  const exported = names.get(file);
  mkdirSync(dirname(file), { recursive: true });
  // Node.js reads the names of a CommonJS module from its text, so that an ES module can import them.
  const list =
    exported === undefined ? '' : `\n0 && (module.exports = { ${exported.join(', ')} });\n`;
  writeFileSync(file, one.code.replace(MODULE, '$1(function ($2) {') + list);
}
console.log(`bundle: ${output.length} files`);
