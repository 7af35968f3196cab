// Usage: node tools/try-package.mjs [Nest's major ...]
//
// Installs the packed package into fresh applications of each major of NestJS, one that is compiled to CommonJS and one to
// ES modules: they deliver a webhook, load each entry point both ways, and pass the tests of docs/testing.md in vitest. The
// application that `nest new` of Nest 11 makes passes them in Jest, and delivers whatever it is built with. Run
// `npm run build` and `node tools/check-package.mjs` first. What npm has in its cache is not asked of the registry again.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packedFile } from './packed-file.mjs';
import { addOrders, SCAFFOLD_PACKAGES, tryScaffold } from './scaffold.mjs';

const execute = promisify(execFile);

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

const PACKAGES = ['class-transformer', 'class-validator', 'reflect-metadata', 'rxjs', 'supertest'];
const NEST = ['common', 'core', 'platform-express', 'testing', 'typeorm'];

/** Nest reads constructor parameter types from decorator metadata. */
const VITEST = `export default {
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: { globals: true, include: ['src/**/*.spec.ts', 'test/**/*.e2e-spec.ts'] },
};
`;
const APP_MODULE = `import { Module } from '@nestjs/common';
import { OrdersModule } from './orders';

@Module({ imports: [OrdersModule] })
export class AppModule {}
`;

const root = process.cwd();
const tarball = packedFile();
const asked = process.argv.slice(2);
const majors = asked.length > 0 ? asked : Object.keys(MAJORS);
/** @typedef {{ major: string, typeorm: string, kinds: (keyof typeof KINDS)[], scaffold?: boolean }} Installation */
/** @type {Installation[]} */
const installations = [
  // Where most applications are.
  {
    major: majors[0] ?? '11',
    typeorm: 'typeorm-03',
    kinds: kinds('commonjs'),
    scaffold: majors[0] === '11',
  },
  ...majors.map((major) => ({ major, typeorm: 'typeorm', kinds: kinds('commonjs', 'esm') })),
];
let failures = 0;
// npm waits for its cache and the disk, and compilers compute: two at a time keep two cores busy.
await Promise.all([worker(), worker()]);
process.exitCode = failures > 0 ? 1 : 0;

async function worker() {
  for (let next = installations.shift(); next; next = installations.shift()) await attempt(next);
}

/** @param {Installation} installation */
async function attempt({ major, typeorm, kinds, scaffold = false }) {
  const folder = mkdtempSync(join(tmpdir(), 'thorn-fresh-'));
  const name = `Nest ${major}, ${typeorm}`;
  try {
    await install(
      folder,
      /** @type {Record<string, string>} */ (MAJORS)[major] ?? 'node_modules',
      typeorm,
      scaffold ? SCAFFOLD_PACKAGES : {},
    );
    for (const kind of kinds) {
      const application = makeApplication(folder, kind);
      await node(application, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.']);
      const said = await node(application, ['dist/main.js']);
      if (!said.includes('delivered order.placed')) throw new Error(`${kind}: ${said}`);
      console.log(`${name}, ${kind}: delivered`);
      console.log(`${name}, ${kind}: ${(await node(application, ['both-ways.mjs'])).trim()}`);
      const tests = makeTests(application, kind);
      await node(tests, [join(root, 'node_modules/vitest/vitest.mjs'), 'run']);
      console.log(`${name}, ${kind}: passes its tests in vitest`);
    }
    if (scaffold) {
      await tryScaffold(folder, node, (said) => console.log(`${name}, scaffold: ${said}`));
    }
    const version = await node(folder, ['node_modules/.bin/thorn', '--version']);
    console.log(`${name}: thorn ${version.trim()}`);
  } catch (error) {
    failures += 1;
    const { stdout = '', stderr = '', message } = /** @type {any} */ (error);
    console.error(`${name}: failed\n${message}\n${stdout}${stderr}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * An application that finds its packages in the folder above.
 *
 * @param {string} folder
 * @param {keyof typeof KINDS} kind
 */
function makeApplication(folder, kind) {
  const { type, compilerOptions } = KINDS[kind];
  const application = join(folder, kind);
  mkdirSync(join(application, 'src'), { recursive: true });
  write(application, 'package.json', { name: kind, private: true, type });
  write(application, 'tsconfig.json', {
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
  cpSync('tools/fresh-application.ts', join(application, 'src/main.ts'));
  cpSync('tools/both-ways.mjs', join(application, 'both-ways.mjs'));
  return application;
}

/**
 * The application with the tests of docs/testing.md.
 *
 * @param {string} application
 * @param {keyof typeof KINDS} kind
 */
function makeTests(application, kind) {
  const tests = join(application, 'tests');
  addOrders(tests);
  write(tests, 'package.json', { private: true, type: KINDS[kind].type });
  writeFileSync(join(tests, 'src/app.module.ts'), APP_MODULE);
  writeFileSync(join(tests, 'vitest.config.mjs'), VITEST);
  return tests;
}

/**
 * @param {string} folder
 * @param {string} nest
 * @param {string} typeorm what its package is called here
 * @param {Readonly<Record<string, string>>} more
 */
async function install(folder, nest, typeorm, more) {
  const dependencies = {
    'nestjs-thorn': `file:${tarball}`,
    ...Object.fromEntries(NEST.map((name) => versionOf(nest, `@nestjs/${name}`))),
    ...Object.fromEntries(PACKAGES.map((name) => versionOf('node_modules', name))),
    typeorm: versionOf('node_modules', typeorm)[1],
    ...more,
  };
  write(folder, 'package.json', { name: 'fresh', private: true, dependencies });
  const options = [
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--no-package-lock',
  ];
  await run(folder, 'npm', ['install', ...options]);
  // It is compiled for this machine already.
  for (const name of ['better-sqlite3', 'bindings', 'file-uri-to-path']) {
    cpSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), {
      recursive: true,
    });
  }
}

/** @param {(keyof typeof KINDS)[]} names */
function kinds(...names) {
  return names;
}

/**
 * @param {string} folder
 * @param {readonly string[]} args
 */
function node(folder, args) {
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
