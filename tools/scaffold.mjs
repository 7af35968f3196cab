// What tools/try-package.mjs does with the application that `nest new` makes: it adds an entity with events and the tests
// of docs/testing.md, and changes nothing else.
import { readFileSync, symlinkSync, writeFileSync, cpSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** What `nest new` of Nest 11 asks for, without what only formats and lints, and what SWC needs. */
export const SCAFFOLD_PACKAGES = {
  '@nestjs/cli': '11.0.24',
  '@nestjs/schematics': '11.1.0',
  '@swc/cli': '0.7.10',
  '@swc/core': '1.16.22',
  '@types/express': '5.0.6',
  '@types/jest': '30.0.0',
  '@types/node': '22.20.5',
  '@types/supertest': '7.2.1',
  jest: '30.5.2',
  'ts-jest': '29.4.15',
  'ts-loader': '9.6.2',
  typescript: '5.9.3',
};

const BUNDLE = `module.exports = (options) => ({
  ...options,
  // A native module is in no bundle.
  externals: { 'better-sqlite3': 'commonjs better-sqlite3' },
  plugins: options.plugins.filter(({ constructor }) => !/^ForkTsChecker/.test(constructor.name)),
});
`;

const BUILDS = {
  tsc: [],
  SWC: ['-b', 'swc'],
  webpack: ['-b', 'webpack'],
  'one bundled file': ['-b', 'webpack', '--webpackPath', 'webpack.bundle.js'],
};

/**
 * Adds the entity, and the tests that the section "Jest" of docs/testing.md shows.
 *
 * @param {string} application
 */
export function addOrders(application) {
  copy('tools/scaffold-orders.ts', join(application, 'src/orders.ts'));
  const guide = readFileSync('docs/testing.md', 'utf8');
  const blocks = [...guide.matchAll(/```ts\n\/\/ ((?:src|test)\/\S+)\n([^]*?)```/g)];
  if (blocks.length !== 2) throw new Error('docs/testing.md must show two tests for Jest');
  for (const [, path = '', text = ''] of blocks) {
    mkdirSync(dirname(join(application, path)), { recursive: true });
    writeFileSync(join(application, path), text);
  }
}

/**
 * @param {string} folder where the packages are installed
 * @param {(folder: string, args: readonly string[]) => Promise<string>} node
 * @param {(said: string) => void} say
 */
export async function tryScaffold(folder, node, say) {
  const nest = join(folder, 'node_modules/@nestjs/cli/bin/nest.js');
  await node(folder, [nest, 'new', 'orders', '--skip-install', '--skip-git', '-p', 'npm']);
  const application = join(folder, 'orders');
  symlinkSync(join(folder, 'node_modules'), join(application, 'node_modules'));
  addOrders(application);
  const module = join(application, 'src/app.module.ts');
  const before = readFileSync(module, 'utf8');
  const after = before.replace('imports: []', 'imports: [OrdersModule]');
  if (after === before) throw new Error('`nest new` makes another AppModule than before');
  writeFileSync(module, `import { OrdersModule } from './orders';\n${after}`);

  const jest = join(folder, 'node_modules/jest/bin/jest.js');
  await node(application, [jest]);
  say('passes its unit tests in Jest');
  await node(application, [jest, '--config', './test/jest-e2e.json']);
  say('passes its e2e tests in Jest');

  copy('tools/fresh-application.ts', join(application, 'src/main.ts'));
  writeFileSync(join(application, 'webpack.bundle.js'), BUNDLE);
  for (const [name, options] of Object.entries(BUILDS)) {
    await node(application, [nest, 'build', ...options]);
    const said = await node(application, ['dist/main.js']);
    if (!said.includes('delivered order.placed')) throw new Error(`${name}: ${said}`);
    say(`delivers, built with ${name}`);
  }
}

/**
 * @param {string} from
 * @param {string} to
 */
function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(resolve(from), to);
}
