// Usage: node tools/try-tutorials.mjs [client-major ...], such as prisma-11
//
// Does what docs/tutorial/prisma.md and docs/tutorial/drizzle.md say, to the letter, in what `nest new` makes on both majors of
// NestJS, with the packed package in place of the one on npm. The application compiles under `strict`, and delivers what was
// committed. Before it is written, `nest add` makes a module for the client that it finds, and what it writes compiles too. The last
// application then gets Prisma 6 as the page says, and delivers again. `prisma migrate` alone is not typed: it downloads a
// program. Its SQL is run instead. `nest new` runs once for each major: a walk begins with a copy of what it has made.
// Run `npm run build` and `node tools/check-package.mjs` first. It needs PostgreSQL, as the tests do.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.mjs';
import { packedFile } from './packed-file.mjs';
import { patient, running, type, until } from './reader-shell.mjs';
import { startPostgres } from './test-postgres.mjs';

// `prisma generate` asks for its engines, and does not use them.
process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath;
process.env['PRISMA_QUERY_ENGINE_LIBRARY'] ??= process.execPath;

/** Of the database, as the pages write it. */
const ADDRESS = 'postgres://user:password@localhost:5432/shop';

const ORDERS = 'sample/prisma/prisma/migrations/20261129000000_orders/migration.sql';

/** @typedef {{ client: 'prisma' | 'drizzle', major: string }} Walk */
/** @type {Walk[]} */
const WALKS = [
  { client: 'prisma', major: '12' },
  { client: 'drizzle', major: '11' },
  { client: 'drizzle', major: '12' },
  { client: 'prisma', major: '11' },
];
/** The walk that goes on with Prisma 6. */
const WITH_SIX = 'prisma-12';

const asked = process.argv.slice(2);
const walks = WALKS.filter((walk) => asked.length === 0 || asked.includes(nameOf(walk)));
const root = mkdtempSync(join(tmpdir(), 'thorn-tutorials-'));
/** Folders in which `nest new` has run, by its command. @type {Map<string, Promise<string>>} */
const created = new Map();
const server = await startPostgres();
let failures = 0;
try {
  // Two at a time keep two cores busy.
  await Promise.all([worker(), worker()]);
} finally {
  await server.stop();
  rmSync(root, { recursive: true, force: true, maxRetries: 10 });
}
process.exitCode = failures > 0 ? 1 : 0;

async function worker() {
  for (let walk = walks.shift(); walk; walk = walks.shift()) {
    const home = mkdtempSync(join(root, `${nameOf(walk)}-`));
    try {
      await follow(walk, join(home, 'shop'));
    } catch (error) {
      failures += 1;
      console.error(`${nameOf(walk)}: failed\n${/** @type {Error} */ (error).stack}`);
    } finally {
      rmSync(home, { recursive: true, force: true, maxRetries: 10 });
    }
  }
}

/** @param {Walk} walk */
function nameOf({ client, major }) {
  return `${client}-${major}`;
}

/**
 * @param {Walk} walk
 * @param {string} shop
 */
async function follow(walk, shop) {
  const say = sayer(nameOf(walk));
  const { client } = walk;
  const text = readFileSync(`docs/tutorial/${client}.md`, 'utf8');
  const database = await createDatabase(nameOf(walk).replace('-', '_'));
  const [install = '', ...commands] = blocksOf(text, 'sh');
  const [create = '', enter, ...installs] = installing(install, walk, database).trim().split('\n');
  if (enter !== 'cd shop') throw new Error(`the tutorial enters another folder: ${enter}`);
  await cp(await newShop(create), shop, { recursive: true, verbatimSymlinks: true });
  for (const command of installs) await type(shop, command);
  for (const [path, code] of filesOf(text)) {
    // Those that `nest add` would change come after it.
    if (!/src\/(?:app\.module|main|orders\.controller)\.ts/.test(path)) save(shop, path, code);
  }
  if (walk.major === '11') {
    const [setting = ''] = said(text, /On NestJS 11, add `("include": \["src"\])`/);
    replaceIn(join(shop, 'tsconfig.build.json'), '{', `{ ${setting},`);
  }
  await prepare(commands, client, shop, database);
  await tryNestAdd(shop, client);

  for (const [path, code] of filesOf(text)) save(shop, path, code);
  rmSync(join(shop, 'test/app.e2e-spec.ts'));
  await type(shop, 'npx tsc --noEmit --strict -p tsconfig.json && npm run lint && npm test');
  say(await deliver(shop, commands));
  if (nameOf(walk) === WITH_SIX) await followSix(shop, text, commands);
}

/** @param {string} name */
function sayer(name) {
  const begin = Date.now();
  return (/** @type {string} */ outcome) =>
    console.log(`${name}, ${Math.round((Date.now() - begin) / 1000)} s: ${outcome}`);
}

/**
 * The folder that `nest new` makes.
 *
 * @param {string} command
 */
function newShop(command) {
  const folder = created.get(command) ?? create();
  created.set(command, folder);
  return folder;

  async function create() {
    const home = mkdtempSync(join(root, 'new-'));
    await type(home, command);
    return join(home, 'shop');
  }
}

/**
 * What the page says of Prisma 6, in the application as the page has left it.
 *
 * @param {string} shop
 * @param {string} text
 * @param {readonly string[]} commands
 */
async function followSix(shop, text, commands) {
  const say = sayer('prisma-12 with Prisma 6');
  const [packages = ''] = said(text, /Install `([^`]+`, `[^`]+` and `[^`]+)`\. Then set:/);
  await type(shop, `npm install ${packages.replaceAll(/`(?:, | and )`/g, ' ')}`);
  const [engine = ''] = said(text, /In the `generator` block, `([^`]+)`/);
  const [url = ''] = said(text, /In the `datasource` block, `([^`]+)`/);
  const [declaration = ''] = said(text, /In `tsconfig\.json`, `("declaration": false)`/);
  const schema = join(shop, 'prisma/schema.prisma');
  replaceIn(schema, 'generator client {', `generator client {\n  ${engine}`);
  replaceIn(schema, 'datasource db {', `datasource db {\n  ${url}`);
  replaceIn(join(shop, 'tsconfig.json'), '"declaration": true', declaration);
  const database = await createDatabase('prisma_6');
  writeFileSync(join(shop, '.env'), `DATABASE_URL=${database}\n`);
  rmSync(join(shop, 'src/generated'), { recursive: true });
  await prepare(commands, 'prisma', shop, database);
  await type(shop, 'npx tsc --noEmit --strict -p tsconfig.json');
  say(await deliver(shop, commands));
}

/**
 * What the first block says, with the package that is packed here.
 *
 * @param {string} text
 * @param {Walk} walk
 * @param {string} database
 */
function installing(text, { major }, database) {
  return text
    .replace('@nestjs/cli', `@nestjs/cli@${major}`)
    .replace('nestjs-thorn', packedFile())
    .replace(ADDRESS, database);
}

/**
 * The commands that make the tables and the client.
 *
 * @param {readonly string[]} commands
 * @param {string} client
 * @param {string} shop
 * @param {string} database
 */
async function prepare(commands, client, shop, database) {
  const isOfThem = (/** @type {string} */ one) => !/curl|thorn listen/.test(one);
  const text = commands.filter(isOfThem).join('').replaceAll(ADDRESS, database);
  for (const line of text.trim().split('\n')) {
    if (line.startsWith('npx prisma migrate dev')) {
      if (line.includes('--name orders')) await query(database, readFileSync(ORDERS, 'utf8'));
    } else if (client === 'prisma' && /^npx thorn (?:migrations|triggers)/.test(line)) {
      await query(database, await type(shop, line.replace(/ (?:>|--out) .*/, '')));
    } else await type(shop, line);
  }
}

/**
 * The module that `nest add` makes compiles, and passes the linter. It is taken back.
 *
 * @param {string} shop
 * @param {string} client
 */
async function tryNestAdd(shop, client) {
  const root = join(shop, 'src/app.module.ts');
  const before = readFileSync(root, 'utf8');
  const output = await type(shop, 'npx nest add nestjs-thorn --skip-install');
  if (!output.includes(`npx thorn migrations postgres --for ${client}`)) throw new Error(output);
  if (readFileSync(root, 'utf8') === before) throw new Error(`no client was found: ${output}`);
  await type(shop, 'npx tsc --noEmit --strict -p tsconfig.json && npm run lint');
  rmSync(join(shop, 'src/webhooks'), { recursive: true });
  writeFileSync(root, before);
}

/**
 * Starts the application, and asks it what the page asks.
 *
 * @param {string} shop
 * @param {readonly string[]} commands
 */
async function deliver(shop, commands) {
  const [port, listenPort] = [await freePort(), await freePort()];
  const local = commands.map((command) =>
    command.replaceAll('localhost:3000', `localhost:${port}`).replaceAll('4000', `${listenPort}`),
  );
  const asking = local.filter((command) => command.includes('curl'));
  const [subscribe = '', order = '', refused = '', look = '', remind = ''] = asking;
  const listen = local.find((command) => command.includes('thorn listen')) ?? '';
  const variables = subscribe.match(/^ID=.*$/m)?.[0] ?? '';
  return running(shop, port, 'npm run start:dev', async () => {
    await type(shop, patient(subscribe));
    if (!existsSync(join(shop, 'dist/main.js')))
      throw new Error('npm run start:prod finds no main');
    return running(shop, port, listen, async (log) => {
      await until(log, /listening on/);
      await type(shop, order);
      const line = await until(log, /POST \/webhooks order\.placed \(ok, .*\)/);
      const answer = await type(shop, refused);
      if (!answer.includes('There are no unicorns')) throw new Error(answer);
      await until(log, /answered 204/);
      const answers = await type(shop, `${variables}\n${look}`);
      if (!/"order\.placed".*"status":404/s.test(answers)) throw new Error(answers);
      const ids = new Set(log().match(/msg_[\w-]+/g));
      if (ids.size !== 1) throw new Error(`more was delivered than was committed:\n${log()}`);
      await type(shop, remind);
      await until(log, /POST \/webhooks order\.reminded \(ok, .*\)/);
      return line;
    });
  });
}

/**
 * The files of the page, and the guard of the tutorial that it names.
 *
 * @param {string} text
 * @returns {readonly [string, string][]}
 */
function filesOf(text) {
  const general = readFileSync('docs/tutorial.md', 'utf8');
  const guard = blocksOf(general, 'ts').filter((code) =>
    code.startsWith('// src/partner.guard.ts'),
  );
  const own = ['ts', 'js', 'prisma'].flatMap((language) => blocksOf(text, language));
  return [...guard, ...own].map((code) => [/^\/\/ (\S+)\n/.exec(code)?.[1] ?? '', code]);
}

/**
 * @param {string} text
 * @param {string} language
 */
function blocksOf(text, language) {
  const pattern = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms');
  return [...text.matchAll(pattern)].map(([, code = '']) => code);
}

/**
 * @param {string} text
 * @param {RegExp} pattern
 */
function said(text, pattern) {
  const [, ...found] = pattern.exec(text) ?? [];
  if (found.length === 0) throw new Error(`the page does not say ${pattern}`);
  return found;
}

/**
 * @param {string} shop
 * @param {string} path
 * @param {string} code
 */
function save(shop, path, code) {
  mkdirSync(dirname(join(shop, path)), { recursive: true });
  writeFileSync(join(shop, path), code);
}

/**
 * @param {string} file
 * @param {string} before
 * @param {string} after
 */
function replaceIn(file, before, after) {
  const text = readFileSync(file, 'utf8');
  if (!text.includes(before)) throw new Error(`${file} has no ${before}`);
  writeFileSync(file, text.replace(before, after));
}

/** @param {string} suffix */
async function createDatabase(suffix) {
  const name = `thorn_tutorial_${suffix}_${process.pid}`;
  await query(server.url, `CREATE DATABASE ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}

/**
 * @param {string} connectionString
 * @param {string} sql
 */
async function query(connectionString, sql) {
  const connection = new pg.Client({ connectionString });
  await connection.connect();
  try {
    return (await connection.query(sql)).rows;
  } finally {
    await connection.end();
  }
}
