// Usage: node tools/try-image.mjs [Nest's major]
//
// Does what docs/recipes/docker.md says, without Docker: a new application of Nest gets the files of the page and the packed
// package. Each stage of the Dockerfile is a folder, in which the commands run. Then the migrations run as the page writes
// them, and the command of the image starts for both roles, as another user than root. Each has to be ready, and to end on
// SIGTERM. Run `npm run build` and `node tools/check-package.mjs` first.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.mjs';
import { packedFile } from './packed-file.mjs';
import { startPostgres } from './test-postgres.mjs';

const LONGEST = 300_000;
/** What the page allows: `drainTimeout` and a second, and what a busy machine takes. */
const LONGEST_STOP = 30_000;

const [major = '12'] = process.argv.slice(2);
const INSTALL = `@nestjs/typeorm@${major} typeorm class-validator class-transformer`;
const execute = promisify(execFile);
const guide = readFileSync('docs/recipes/docker.md', 'utf8');
const migrations = readFileSync('docs/migrations.md', 'utf8');
const { CI: _, NODE_ENV: __, ...others } = process.env;
const environment = {
  ...others,
  NO_COLOR: '1',
  npm_config_yes: 'true',
  // What npm has in its cache is not asked of the registry again.
  npm_config_prefer_offline: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
};

const home = mkdtempSync(join(tmpdir(), 'thorn-image-'));
const database = await startPostgres();
try {
  // The user of the image has to reach what was made here.
  chmodSync(home, 0o755);
  const context = await application();
  const image = await build(context);
  console.log(`image: ${image.command.join(' ')}`);

  const settings = {
    ...environment,
    ...image.env,
    DATABASE_URL: database.url,
    WEBHOOK_SECRETS_KEY: (await execute('openssl', ['rand', '-base64', '32'])).stdout.trim(),
  };
  const migrate = blocks(guide, 'sh').find((code) => code.includes('migration:run')) ?? '';
  await type(image.folder, migrate, settings);
  console.log(`migrations: ${migrate.trim()}`);
  for (const role of ['api', 'worker']) await live(image, { ...settings, ROLE: role });
} finally {
  await database.stop();
  rmSync(home, { recursive: true, force: true });
}

/** A new application with the files of the page. */
async function application() {
  const shop = join(home, 'shop');
  copyFileSync(packedFile(), join(home, basename(packedFile())));
  await type(home, `npx @nestjs/cli@${major} new shop --strict --package-manager npm --skip-git`);
  const install = blocks(guide, 'sh').find((code) => code.startsWith('npm install')) ?? '';
  await type(shop, `npm install ../${basename(packedFile())} ${INSTALL}`);
  await type(shop, install.replace('@nestjs/terminus', `@nestjs/terminus@${major}`));
  // As the application itself imports.
  const ending = readFileSync(join(shop, 'src/app.module.ts'), 'utf8').includes(".js'")
    ? '.js'
    : '';
  const dataSource =
    blocks(migrations, 'ts').find((code) => code.startsWith('// data-source.ts')) ?? '';
  for (const code of [...blocks(guide, 'ts'), dataSource.replace('// ', '// src/')]) {
    const [, file = ''] = /^\/\/ (src\/[\w.-]+)/.exec(code) ?? [];
    writeFileSync(join(shop, file), code.replaceAll(/\.js';/g, `${ending}';`));
  }
  return shop;
}

/**
 * Follows the Dockerfile. What a folder above has is there as well, so that the packed package is found.
 *
 * @param {string} context
 */
async function build(context) {
  const list = blocks(guide, 'text').find((code) => code.startsWith('# .dockerignore')) ?? '';
  const ignored = list.trim().split('\n');
  /** @type {Map<string, string>} */
  const stages = new Map();
  let [folder, user] = ['', ''];
  /** @type {Record<string, string>} */
  let env = {};
  /** @type {readonly string[]} */
  let command = [];
  const [file = ''] = blocks(guide, 'dockerfile');
  for (const line of file.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) {
    const [, instruction = '', rest = ''] = /^(\w+) (.*)$/.exec(line) ?? [];
    if (instruction === 'FROM') {
      const name = / AS (\w+)$/.exec(rest)?.[1] ?? 'image';
      env = {};
      folder = join(home, name);
      mkdirSync(folder);
      stages.set(name, folder);
    } else if (instruction === 'ENV') {
      const [name = '', value = ''] = rest.split('=');
      env[name] = value;
    } else if (instruction === 'COPY') {
      const [, stage, paths = ''] = /^(?:--from=(\w+) )?(.*)$/.exec(rest) ?? [];
      const all = paths.split(' ');
      for (const path of all.slice(0, -1)) {
        const source =
          stage === undefined
            ? join(context, path)
            : join(stages.get(stage) ?? '', path.replace('/app/', ''));
        const target = join(
          folder,
          all.length > 2 ? join(all.at(-1) ?? '', path) : (all.at(-1) ?? ''),
        );
        const isKept = (/** @type {string} */ one) =>
          stage !== undefined || !ignored.includes(one.slice(context.length + 1));
        cpSync(source, target, { recursive: true, filter: isKept });
      }
    } else if (instruction === 'RUN') {
      await type(folder, rest, { ...environment, ...env });
    } else if (instruction === 'USER') {
      user = rest;
    } else if (instruction === 'CMD') {
      command = JSON.parse(rest);
    } else if (instruction !== 'WORKDIR') {
      throw new Error(`the Dockerfile has an instruction that is not tried: ${line}`);
    }
  }
  return { folder, env, command, user: Number(user) };
}

/**
 * Starts the command of the image, waits until it is ready, and stops it.
 *
 * @param {{ folder: string, command: readonly string[], user: number }} image
 * @param {NodeJS.ProcessEnv} env
 */
async function live({ folder, command: [file = '', ...parameters], user }, env) {
  const port = await freePort();
  const options = { cwd: folder, env: { ...env, PORT: String(port) } };
  const as = process.getuid?.() === 0 ? { uid: user, gid: user } : {};
  const running = spawn(file, parameters, { ...options, ...as });
  const end = once(running, 'exit');
  let log = '';
  for (const stream of [running.stdout, running.stderr]) stream.on('data', (text) => (log += text));
  try {
    for (const probe of ['live', 'ready']) {
      const late = Date.now() + LONGEST;
      for (;;) {
        const answer = await fetch(`http://127.0.0.1:${port}/health/${probe}`).catch(
          () => undefined,
        );
        if (answer?.status === 200) break;
        if (Date.now() > late || running.exitCode !== null) {
          throw new Error(`${env['ROLE']}: not ${probe} (${answer?.status}):\n${log}`);
        }
        await wait(50);
      }
    }
    const stopped = Date.now();
    running.kill('SIGTERM');
    await Promise.race([end, wait(LONGEST_STOP, undefined, { ref: false })]);
    if (running.exitCode === null && running.signalCode === null) {
      throw new Error(`${env['ROLE']}: does not end on SIGTERM:\n${log}`);
    }
    console.log(`${env['ROLE']}: live, ready, and ended ${Date.now() - stopped} ms after SIGTERM`);
  } finally {
    if (running.exitCode === null) running.kill('SIGKILL');
  }
}

/**
 * @param {string} page
 * @param {string} language
 */
function blocks(page, language) {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, code = '']) => code,
  );
}

/**
 * @param {string} folder
 * @param {string} command
 * @param {NodeJS.ProcessEnv} [env]
 */
async function type(folder, command, env = environment) {
  const options = { cwd: folder, env, maxBuffer: 1e8, timeout: LONGEST };
  try {
    await execute('bash', ['-c', `${command.trim()} </dev/null`], options);
  } catch (error) {
    const { stdout = '', stderr = '' } = /** @type {any} */ (error);
    throw new Error(`${command}\n${stdout}${stderr}`, { cause: error });
  }
}
