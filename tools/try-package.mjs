// Usage: node tools/try-package.mjs [Nest's major ...]
//
// Installs the packed package into fresh applications of each major of NestJS, one that is compiled to CommonJS and one to
// ES modules: they deliver a webhook, load each entry point both ways, and pass the tests of docs/testing.md in vitest. The
// application that `nest new` of Nest 11 makes passes them in Jest, and delivers whatever it is built with. Run
// `npm run build` and `node tools/check-package.mjs` first.
import { cpSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile, copyCompiled, install, MAJORS, node, versions, write } from './fresh-folder.mjs';
import { addOrders, SCAFFOLD_PACKAGES, tryScaffold } from './scaffold.mjs';

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

const PRINT_LINK = `const { ThornModule } = require('nestjs-thorn');
  try { ThornModule.forRoot({ api: {} }); } catch (error) { console.log(error.link); }`;

const root = process.cwd();
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
    const { [typeorm]: orm = '', ...others } = versions(major, NEST, [...PACKAGES, typeorm]);
    await install(folder, { ...others, typeorm: orm, ...(scaffold && SCAFFOLD_PACKAGES) });
    copyCompiled(folder);
    for (const kind of kinds) {
      const application = makeApplication(folder, kind);
      await compile(application);
      const said = await node(application, ['dist/main.js']);
      if (!said.includes('delivered order.placed')) throw new Error(`${kind}: ${said}`);
      console.log(`${name}, ${kind}: delivered`);
      const both = await node(application, ['both-ways.mjs', 'nestjs-thorn/typeorm']);
      console.log(`${name}, ${kind}: ${both.trim()}`);
      const tests = makeTests(application, kind);
      await node(tests, [join(root, 'node_modules/vitest/vitest.mjs'), 'run']);
      console.log(`${name}, ${kind}: passes its tests in vitest`);
    }
    if (scaffold) {
      await tryScaffold(folder, node, (said) => console.log(`${name}, scaffold: ${said}`));
    }
    await followLink(folder);
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
 * Follows the link of an error to its section, as a reader would from the application's folder.
 *
 * @param {string} folder
 */
async function followLink(folder) {
  const link = await node(folder, ['-e', PRINT_LINK]);
  const [file = '', anchor] = link.trim().split('#');
  const headings = [...readFileSync(join(folder, file), 'utf8').matchAll(/^### (\S+)$/gm)];
  if (!headings.some(([, heading]) => heading?.toLowerCase() === anchor)) {
    throw new Error(`the link of an error leads nowhere: ${link}`);
  }
}

/** @param {(keyof typeof KINDS)[]} names */
function kinds(...names) {
  return names;
}
