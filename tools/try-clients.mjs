// Usage: node tools/try-clients.mjs
//
// Installs the packed package into fresh applications of both majors of NestJS, with Prisma and with Drizzle, and without
// TypeORM: those of `sample`. `thorn` prints their tables, they load the entry points both ways, and deliver the event of a
// row that is committed, signed, and nothing of one that is rolled back. The owner sees the delivery in the log, and has the
// page. Prisma's own command is not installed: its generated client is that of the sample.
// Run `npm run build` and `node tools/check-package.mjs` first. It needs PostgreSQL, as the tests do.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { Webhook } from 'standardwebhooks';
import { freePort } from './free-port.mjs';
import { compile, install, node, versions, write } from './fresh-folder.mjs';
import { startPostgres } from './test-postgres.mjs';

const LONGEST = 60_000;
const NEST = ['common', 'core', 'platform-express'];
const PACKAGES = [
  '@types/pg',
  'class-transformer',
  'class-validator',
  'pg',
  'reflect-metadata',
  'rxjs',
];
const HEADERS = { authorization: 'Bearer ann', 'content-type': 'application/json' };

/** @typedef {{ client: string, packages: readonly string[], migrations: { orders: string, triggers: string } }} Application */
/** @type {readonly Application[]} */
const APPLICATIONS = [
  {
    client: 'prisma',
    packages: ['@prisma/adapter-pg', '@prisma/client'],
    migrations: {
      orders: 'prisma/migrations/20261129000000_orders/migration.sql',
      triggers: 'prisma/migrations/20261129000001_triggers/migration.sql',
    },
  },
  {
    client: 'drizzle',
    packages: ['drizzle-orm'],
    migrations: { orders: 'drizzle/0000_orders.sql', triggers: 'drizzle/0001_triggers.sql' },
  },
];

const server = await startPostgres();
try {
  const attempts = [11, 12].flatMap((major) => APPLICATIONS.map((one) => attempt(one, major)));
  const failed = (await Promise.all(attempts)).includes(false);
  process.exitCode = failed ? 1 : 0;
} finally {
  await server.stop();
}

/**
 * @param {Application} application
 * @param {number} major of NestJS
 */
async function attempt({ client, packages, migrations }, major) {
  const begin = Date.now();
  const folder = mkdtempSync(join(tmpdir(), `thorn-${client}-`));
  const name = `Nest ${major}, ${client} without TypeORM`;
  const database = await createDatabase(`${client}_${major}`);
  try {
    await install(folder, versions(major, NEST, [...PACKAGES, ...packages]));
    for (const absent of ['typeorm', '@nestjs/typeorm']) {
      if (existsSync(join(folder, 'node_modules', absent))) throw new Error(`${absent} is there`);
    }
    cpSync('tools/both-ways.mjs', join(folder, 'both-ways.mjs'));
    console.log(`${name}: ${(await node(folder, ['both-ways.mjs'])).trim()}`);

    const thorn = ['node_modules/nestjs-thorn/dist/cli/thorn.js', 'migrations', 'postgres'];
    const tables = await node(folder, [...thorn, '--for', client, '--schema', 'thorn']);
    const { orders, triggers } = migrations;
    await query(database, readFileSync(join('sample', client, orders), 'utf8'));
    await query(database, tables);
    await query(database, readFileSync(join('sample', client, triggers), 'utf8'));
    makeApplication(folder, client);
    await compile(folder);
    const outcome = await order(folder, database);
    console.log(`${name}, ${Math.round((Date.now() - begin) / 1000)} s: ${outcome}`);
    return true;
  } catch (error) {
    const { stdout = '', stderr = '', stack } = /** @type {any} */ (error);
    console.error(`${name}: failed\n${stack}\n${stdout}${stderr}`);
    return false;
  } finally {
    await query(server.url, `DROP DATABASE ${new URL(database).pathname.slice(1)} WITH (FORCE)`);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} folder
 * @param {string} client
 */
function makeApplication(folder, client) {
  cpSync(join('sample', client, 'src'), join(folder, 'src'), { recursive: true });
  const installed = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  write(folder, 'package.json', { ...installed, type: 'module' });
  write(folder, 'tsconfig.json', {
    extends: resolve('tsconfig.json'),
    compilerOptions: {
      rootDir: 'src',
      outDir: 'dist',
      noEmit: false,
      declaration: false,
      paths: {},
      // Those of Drizzle name the drivers of all databases.
      skipLibCheck: client === 'drizzle',
      typeRoots: [resolve('node_modules/@types')],
    },
    include: ['src'],
  });
}

/**
 * Starts the application, and places an order that is rolled back and one that is not.
 *
 * @param {string} folder
 * @param {string} database
 */
async function order(folder, database) {
  /** @type {{ body: string, headers: any }[]} */
  const received = [];
  const receiver = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push({ body, headers: request.headers });
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { NODE_ENV: _, ...others } = process.env;
  const env = { ...others, DATABASE_URL: database, PORT: String(await freePort()) };
  const application = spawn(process.execPath, ['dist/main.js'], { cwd: folder, env });
  let log = '';
  for (const stream of [application.stdout, application.stderr]) {
    stream.on('data', (chunk) => (log += String(chunk)));
  }
  /** @param {string} path @param {object} body */
  const post = async (path, body) => {
    const init = { method: 'POST', headers: HEADERS, body: JSON.stringify(body) };
    return fetch(`http://127.0.0.1:${env.PORT}${path}`, init);
  };
  /** @template Found @param {() => Promise<Found | undefined> | Found | undefined} find @returns {Promise<Found>} */
  const until = async (find) => {
    for (const end = Date.now() + LONGEST; Date.now() < end; await wait(50)) {
      const found = await find();
      if (found !== undefined) return found;
      if (application.exitCode !== null) break;
    }
    throw new Error(`waited in vain:\n${log}`);
  };
  try {
    const { port } = /** @type {import('node:net').AddressInfo} */ (receiver.address());
    const hook = { url: `http://127.0.0.1:${port}/hooks`, events: ['order.*'] };
    const created = await until(() => post('/hooks', hook).catch(() => undefined));
    const { secret } = /** @type {{ secret: string }} */ (await created.json());
    const statuses = [await post('/orders', { total: -1 }), await post('/orders', { total: 5 })];
    const { body, headers } = await until(() => received[0]);
    // Anything beside it would be in the database.
    const sent = await query(database, 'SELECT event, body FROM thorn.thorn_messages');
    const event = new Webhook(secret).verify(body, headers);
    const outcome = [...statuses.map(({ status }) => status), sent.length, received.length].join();
    if (outcome !== '400,201,1,1') throw new Error(`${outcome}: ${body}`);
    const shown = await until(async () => {
      const init = { headers: HEADERS };
      const log = await fetch(
        `http://127.0.0.1:${env.PORT}/hooks/deliveries?status=succeeded`,
        init,
      );
      const { items } = /** @type {{ items: readonly object[] }} */ (await log.json());
      if (items.length === 0) return undefined;
      return fetch(`http://127.0.0.1:${env.PORT}/webhooks`, init);
    });
    if (shown.status !== 200) throw new Error(`the page of the owner: ${shown.status}`);
    const { type, data } = /** @type {{ type: string, data: object }} */ (event);
    return `delivered ${type} ${JSON.stringify(data)}, and nothing of what was rolled back`;
  } finally {
    application.kill('SIGTERM');
    if (application.exitCode === null) await once(application, 'exit');
    receiver.close();
    receiver.closeAllConnections();
  }
}

/** @param {string} suffix */
async function createDatabase(suffix) {
  const name = `thorn_${suffix}_${process.pid}`;
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
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
