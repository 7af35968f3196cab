import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshPostgres } from '../services/database.js';

const run = promisify(execFile);
const OURS = join('node_modules', 'nestjs-thorn');

let base: string;
let packages: readonly string[];
let cases = 0;

beforeAll(async () => {
  // Not below this directory, whose packages would be found.
  base = await mkdtemp(join(tmpdir(), 'thorn-missing-'));
  packages = await installedPackages();
  await build(join(base, 'dist'));
});

afterAll(() => rm(base, { recursive: true, force: true }));

/** Names below `node_modules`; those of a scope one by one only where one of them is to be missing. */
async function installedPackages(): Promise<readonly string[]> {
  const names = await readdir('node_modules');
  const scoped = names
    .filter((name) => name.startsWith('@'))
    .map(async (scope) =>
      ['@nestjs', '@nats-io', '@opentelemetry'].includes(scope)
        ? (await readdir(join('node_modules', scope))).map((name) => `${scope}/${name}`)
        : [scope],
    );
  const plain = names.filter((name) => !/^[.@]/.test(name) && name !== 'nestjs-thorn');
  return [...plain, ...(await Promise.all(scoped)).flat()];
}

/** Compiles `lib` file by file, without its types. */
async function build(dist: string): Promise<void> {
  const folders = (await readdir('lib')).map((name) => `lib/${name}/index.ts`);
  const bundle = await rolldown({
    input: ['lib/index.ts', 'lib/cli/thorn.ts', ...folders.filter((file) => existsSync(file))],
    platform: 'node',
    external: (id) => !/^(?:[./]|@oxc-project\/runtime\/)/.test(id),
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    tsconfig: false,
    treeshake: false,
    // Nest reads constructor parameter types from decorator metadata.
    transform: { target: 'es2022', decorator: { legacy: true, emitDecoratorMetadata: true } },
  });
  const output = { preserveModules: true, preserveModulesRoot: 'lib', entryFileNames: '[name].js' };
  await bundle.write({ ...output, dir: dist, format: 'cjs' });
  await writeFile(join(dist, 'package.json'), '{ "type": "commonjs" }');
}

/** Runs a program in a directory whose `node_modules` lack packages. @returns what it wrote to stderr */
async function failureWithout(missing: readonly string[], program: string): Promise<string> {
  const directory = join(base, `case-${cases++}`);
  const links = join(directory, 'node_modules');
  for (const name of packages.filter((one) => !missing.includes(one))) {
    mkdirSync(dirname(join(links, name)), { recursive: true });
    symlinkSync(join(process.cwd(), 'node_modules', name), join(links, name));
  }
  await mkdir(join(directory, OURS), { recursive: true });
  await symlink(join(base, 'dist'), join(directory, OURS, 'dist'));
  const main = join(directory, 'main.cjs');
  await writeFile(main, program);
  // Packages then look for each other where the links are.
  const options = ['--preserve-symlinks', '--preserve-symlinks-main', main];
  return run(process.execPath, options, { timeout: 100_000 }).then(
    () => 'nothing failed',
    (error: { readonly stderr: string }) => error.stderr,
  );
}

const entry = (folder: string) => `require('./${OURS}/dist/${folder}/index.js');`;

describe('an entry whose packages are not installed', () => {
  it.each([
    ['bullmq', 'nestjs-thorn/bullmq', ['bullmq']],
    ['microservices', 'nestjs-thorn/microservices', ['@nestjs/microservices']],
    ['metrics', 'nestjs-thorn/prometheus', ['prom-client']],
    ['terminus', 'nestjs-thorn/terminus', ['@nestjs/terminus']],
    ['tracing', 'nestjs-thorn/opentelemetry', ['@opentelemetry/api']],
    ['typeorm', 'nestjs-thorn/typeorm', ['typeorm']],
  ])('names the packages to install: %s', async (folder, name, missing) => {
    const failure = await failureWithout(missing, entry(folder));
    expect(failure).toContain('ThornConfigurationError');
    expect(failure).toMatch(
      new RegExp(`${name} needs the package.*${missing.join(' and ')}, which .* not installed`),
    );
    expect(failure).toContain(`Run: npm install ${missing.join(' ')}\n`);
  });

  it('loads when they are installed', async () => {
    const program = ['bullmq', 'microservices', 'metrics', 'terminus', 'tracing'].map(entry);
    expect(await failureWithout([], program.join('\n'))).toBe('nothing failed');
  });
});

describe('an application without TypeORM', () => {
  const missing = ['typeorm', '@nestjs/typeorm'];
  const start = (imports: string, options: string) => `
    require('reflect-metadata');
    const { Module } = require('@nestjs/common');
    const { NestFactory } = require('@nestjs/core');
    const { ThornModule, WebhookDispatcher, WebhookEvent, outbox } = require('./${OURS}/dist/index.js');
    ${imports}
    class Parcels { async post() { return { id: 5 }; } }
    const post = Object.getOwnPropertyDescriptor(Parcels.prototype, 'post');
    WebhookEvent('parcel.posted', { data: ({ id }) => ({ id }), tx: null })(Parcels.prototype, 'post', post);
    Object.defineProperty(Parcels.prototype, 'post', post);
    const start = async () => {
      class AppModule {}
      Module({ imports: [ThornModule.forRoot(${options})], providers: [Parcels] })(AppModule);
      return NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    };`;

  it('loads every other entry', async () => {
    const folders =
      'extending bullmq microservices receiver sql testing openapi metrics tracing terminus page';
    const program = `require('./${OURS}/dist/index.js');${folders.split(' ').map(entry).join('')}`;
    expect(await failureWithout(missing, program)).toBe('nothing failed');
  });

  it('delivers the event of a method by another client', async () => {
    const { url, drop } = await freshPostgres();
    const program = `${start(
      `const { Pool } = require('pg');
      const { ensureSchema, fromPg } = require('./${OURS}/dist/sql/index.js');
      const pool = new Pool({ connectionString: ${JSON.stringify(url)} });
      const database = fromPg(pool);`,
      "{ database, recipients: 'development', subscribers: { '*': process.env.RECEIVER } }",
    )}
    const server = require('node:http').createServer((request, response) => {
      response.end();
      if (request.headers['hook-event'] === 'parcel.posted') server.emit('parcel');
    });
    server.listen(0, '127.0.0.1', async () => {
      process.env.RECEIVER = 'http://127.0.0.1:' + server.address().port;
      await ensureSchema(database);
      const app = await start();
      const arrived = new Promise((resolve) => server.once('parcel', resolve));
      await app.get(Parcels).post();
      await arrived;
      await app.close();
      await pool.end();
      server.close();
    });`;
    expect(await failureWithout(missing, program)).toBe('nothing failed');
    await drop();
  });

  it('says what to install or to give, when none is given', async () => {
    const failure = await failureWithout(missing, `${start('', '{}')} void start();`);
    expect(failure).toContain(
      'ThornModule.forRoot() without the option database, or dataSources: [] for none, needs the packages typeorm and ' +
        '@nestjs/typeorm, which are not installed. Run: npm install typeorm @nestjs/typeorm',
    );
  });
});

describe('thorn migrations', () => {
  it('prints SQL without TypeORM', async () => {
    const program = `
      let out = '';
      process.argv.push('migrations', 'postgres');
      process.stdout.write = (text) => { out += text; };
      process.on('exit', () => { if (!out.includes('CREATE TABLE "thorn_messages"')) process.exitCode = 1; });
      require('./${OURS}/dist/cli/thorn.js');`;
    expect(await failureWithout(['typeorm', '@nestjs/typeorm'], program)).toBe('nothing failed');
  });
});

describe('microservices() whose transport needs packages that are not installed', () => {
  it.each([
    ['RMQ', ['amqplib', 'amqp-connection-manager']],
    ['RMQ', ['amqp-connection-manager']],
    ['KAFKA', ['kafkajs']],
    ['MQTT', ['mqtt']],
    ['REDIS', ['ioredis']],
    ['NATS', ['@nats-io/transport-node']],
  ])('names the packages to install: %s', async (transport, missing) => {
    const failure = await failureWithout(
      missing,
      `const { Transport } = require('@nestjs/microservices');
      const { microservices } = require('./${OURS}/dist/microservices/index.js');
      microservices({ client: { transport: Transport.${transport}, options: {} } });`,
    );
    expect(failure).toContain(`Transport.${transport}`);
    expect(failure).toContain(`Run: npm install ${missing.join(' ')}\n`);
  });
});

describe('bullmq() without ioredis', () => {
  it.each([{}, { producer: false }, { worker: false }])(
    'fails at start-up and says to install it, %o',
    async (options) => {
      const failure = await failureWithout(
        ['ioredis'],
        `require('reflect-metadata');
        const { Module } = require('@nestjs/common');
        const { NestFactory } = require('@nestjs/core');
        const { TypeOrmModule } = require('@nestjs/typeorm');
        const { ThornModule } = require('./${OURS}/dist/index.js');
        const { bullmq } = require('./${OURS}/dist/bullmq/index.js');
        const database = { type: 'better-sqlite3', database: ':memory:', autoLoadEntities: true, synchronize: true };
        const dispatch = bullmq({ connection: { host: '127.0.0.1' }, ...${JSON.stringify(options)} });
        class AppModule {}
        Module({ imports: [TypeOrmModule.forRoot(database), ThornModule.forRoot({ dispatch })] })(AppModule);
        void NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });`,
      );
      expect(failure).toContain('ThornConfigurationError: bullmq() needs the package ioredis');
      expect(failure).toContain('Run: npm install ioredis\n');
    },
  );
});
