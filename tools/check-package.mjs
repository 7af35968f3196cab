// Usage: node tools/check-package.mjs
//
// Packs the built package as npm would, and checks what users get: that nothing is in it that does not belong there, that
// every entry point and the command are, that links of its pages are absolute, what publint and arethetypeswrong say, and
// that the main entry point loads no package that can wait.
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, posix } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { targetsOf } from './imports.mjs';
import { PAGES, relativeLinks } from './packed-pages.mjs';

/** Half of the time that the library would take to load. */
const LOADED_LATER = ['axios', 'undici'];
const FOLDER = '.cache/pack';
const BELONGS = [
  /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|AGENTS\.md)$/,
  /^docs\/(?:errors|migrations|tutorial\/drizzle|tutorial\/prisma)\.md$/,
  /^dist\/package\.json$/,
  /^dist\/schematics\/(?:collection|schema)\.json$/,
  /^dist\/(?:[\w.-]+\/)*[\w.-]+\.(?:js|d\.ts)$/,
  /^dist\/(?:[\w.-]+\/)*index\.(?:mjs|d\.mts)$/,
];
const LIST_LOADED = `require('./dist/index.js'); console.log(Object.keys(require.cache).join('\\n'))`;
const DOES_NOT = /\.(?:spec|test-d)\./;

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
/** @type {string[]} */
const faults = [];

// With the package of another version in it, the checks of the installed one would not know which to take.
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const [packed] = JSON.parse(
  execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', FOLDER], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
);
const files = new Set(packed.files.map((/** @type {{ path: string }} */ { path }) => path));

for (const file of files) {
  if (!BELONGS.some((rule) => rule.test(file)) || DOES_NOT.test(file)) {
    faults.push(`${file} does not belong into the package`);
  }
}
const targets = Object.values(manifest.exports).flatMap(targetsOf);
const commands = Object.values(manifest.bin ?? {}).map((file) => `./${file}`);
const collection = JSON.parse(readFileSync(manifest.schematics, 'utf8'));
const schematics = Object.values(collection.schematics).flatMap(({ factory, schema }) => [
  `./${posix.join('dist/schematics', schema)}`,
  `./${posix.join('dist/schematics', factory.split('#')[0])}.js`,
]);
for (const target of [...targets, ...commands, manifest.schematics, ...schematics]) {
  if (!files.has(target.slice(2))) faults.push(`${target} is not in the package`);
}
for (const command of commands) {
  if (readFileSync(command, 'utf8').startsWith('#!/usr/bin/env node\n')) continue;
  faults.push(`${command} does not begin with #!/usr/bin/env node`);
}

for (const page of PAGES) {
  const archive = join(FOLDER, packed.filename);
  const text = execFileSync('tar', ['xzOf', archive, `package/${page}`], { encoding: 'utf8' });
  for (const link of relativeLinks(text)) {
    faults.push(`${page}: ${link} leads nowhere in the package: see tools/packed-pages.mjs`);
  }
}

const { messages } = await publint({ strict: true });
for (const message of messages) faults.push(`publint: ${formatMessage(message, manifest)}`);

const tarball = readFileSync(join(FOLDER, packed.filename));
const analysis = await checkPackage(createPackageFromTarballData(tarball));
if (!analysis.types) faults.push('arethetypeswrong: there are no types');
else {
  for (const problem of analysis.problems) {
    const where = 'entrypoint' in problem ? problem.entrypoint : '';
    const how = 'resolutionKind' in problem ? problem.resolutionKind : '';
    faults.push(`arethetypeswrong: ${problem.kind} ${where} ${how}`.trimEnd());
  }
}

const loaded = execFileSync(process.execPath, ['-e', LIST_LOADED], { encoding: 'utf8' }).split(
  '\n',
);
for (const name of LOADED_LATER) {
  if (!loaded.some((file) => file.includes(`/node_modules/${name}/`))) continue;
  faults.push(`the main entry point loads ${name}: load it where it is first needed`);
}

for (const fault of faults) console.error(fault);
const size = Math.round(packed.size / 1024);
console.log(`package: ${files.size} files, ${size} KiB packed, ${faults.length} faults`);
process.exitCode = faults.length > 0 || files.size === 0 ? 1 : 0;
