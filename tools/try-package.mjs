// Usage: node tools/try-package.mjs [Nest's major ...]
//
// Installs the packed package into fresh applications of each major of NestJS, one that is compiled to CommonJS and one to
// ES modules, and lets them deliver a webhook. Run `npm run build` and `node tools/check-package.mjs` first. What npm has
// in its cache is not asked of the registry again.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where the packages of a major are found here: the very same versions are installed. */
const MAJORS = { 11: 'test/nest-11/node_modules', 12: 'node_modules' };

const KINDS = {
  commonjs: {
    type: 'commonjs',
    // As the applications of Nest 11 come.
    compilerOptions: {
      module: 'commonjs',
      moduleResolution: 'node10',
      ignoreDeprecations: '6.0',
    },
  },
  esm: {
    type: 'module',
    compilerOptions: { module: 'nodenext', moduleResolution: 'nodenext' },
  },
};

const PEERS = ['class-transformer', 'class-validator', 'reflect-metadata', 'rxjs'];
const NEST = ['common', 'core', 'platform-express', 'typeorm'];

const root = process.cwd();
const tarball = packedFile();
const asked = process.argv.slice(2);
const nestOf = /** @type {Record<string, string>} */ (MAJORS);
let failures = 0;

const majors = asked.length > 0 ? asked : Object.keys(MAJORS);
const runs = majors.flatMap((major) =>
  /** @type {(keyof typeof KINDS)[]} */ (Object.keys(KINDS)).map((kind) => ({
    major,
    kind,
    typeorm: 'typeorm',
  })),
);
// Where most applications are.
runs.push({ major: majors[0] ?? '11', kind: 'commonjs', typeorm: 'typeorm-03' });

for (const { major, kind, typeorm } of runs) {
  const folder = mkdtempSync(join(tmpdir(), 'thorn-fresh-'));
  const name = `Nest ${major}, ${typeorm}, ${kind}`;
  try {
    install(folder, nestOf[major] ?? 'node_modules', kind, typeorm);
    run(folder, process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', '.']);
    const said = run(folder, process.execPath, ['dist/main.js']);
    if (!said.includes('delivered order.placed')) throw new Error(said);
    const version = run(folder, process.execPath, ['node_modules/.bin/thorn', '--version']);
    console.log(`${name}: delivered; thorn ${version.trim()}`);
  } catch (error) {
    failures += 1;
    const { stdout = '', stderr = '', message } = /** @type {any} */ (error);
    console.error(`${name}: failed\n${message}\n${stdout}${stderr}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
process.exitCode = failures > 0 ? 1 : 0;

/**
 * @param {string} folder
 * @param {string} nest
 * @param {keyof typeof KINDS} kind
 * @param {string} typeorm what its package is called here
 */
function install(folder, nest, kind, typeorm) {
  const { type, compilerOptions } = KINDS[kind];
  const dependencies = {
    'nestjs-thorn': `file:${tarball}`,
    ...Object.fromEntries(NEST.map((name) => versionOf(nest, `@nestjs/${name}`))),
    ...Object.fromEntries(PEERS.map((name) => versionOf('node_modules', name))),
    typeorm: versionOf('node_modules', typeorm)[1],
  };
  mkdirSync(join(folder, 'src'));
  write(folder, 'package.json', { name: 'fresh', private: true, type, dependencies });
  write(folder, 'tsconfig.json', {
    compilerOptions: {
      ...compilerOptions,
      target: 'es2022',
      rootDir: 'src',
      outDir: 'dist',
      strict: true,
      esModuleInterop: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: ['src'],
  });
  cpSync('tools/fresh-application.ts', join(folder, 'src/main.ts'));
  run(folder, 'npm', [
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
  ]);
  // It is compiled for this machine already.
  for (const name of ['better-sqlite3', 'bindings', 'file-uri-to-path']) {
    cpSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), {
      recursive: true,
    });
  }
}

/**
 * @param {string} folder
 * @param {string} command
 * @param {string[]} args
 */
function run(folder, command, args) {
  return execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
}

/**
 * @param {string} folder
 * @param {string} name
 * @returns {[string, string]}
 */
function versionOf(folder, name) {
  const file = join(root, folder, name, 'package.json');
  return [name, JSON.parse(readFileSync(file, 'utf8')).version];
}

/**
 * @param {string} folder
 * @param {string} name
 * @param {unknown} value
 */
function write(folder, name, value) {
  writeFileSync(join(folder, name), JSON.stringify(value, null, 2));
}

function packedFile() {
  const file = readdirSync('.cache/pack').find((name) => name.endsWith('.tgz'));
  if (file === undefined) throw new Error('there is no package: run npm run check:published first');
  return resolve('.cache/pack', file);
}
