// Usage: node tools/try-five-minutes.mjs [Nest's major ...]
//
// Types the commands of docs/getting-started.md as they stand there, with the packed package in place of the one on npm,
// and waits for the verified webhook in the log of the application. Its own tests and its linter have to pass as before.
// Run `npm run build` and `node tools/check-package.mjs` first.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packedFile } from './packed-file.mjs';

const LONGEST = 300_000;

const execute = promisify(execFile);
const guide = readFileSync('docs/getting-started.md', 'utf8');
const commands = [...guide.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, code = '']) =>
  code.trim().split('\n'),
);

const asked = process.argv.slice(2);
// One after the other: the minutes are to be those of a reader.
for (const major of asked.length > 0 ? asked : ['11', '12']) await follow(major);

/** @param {string} major */
async function follow(major) {
  const begin = Date.now();
  const home = mkdtempSync(join(tmpdir(), 'thorn-minutes-'));
  const shop = join(home, 'shop');
  const port = await freePort();
  const [create = '', , install = '', init = '', start = '', ask = ''] = commands;
  try {
    await type(home, create.replace('@nestjs/cli', `@nestjs/cli@${major}`));
    // What the page says of Nest 11.
    if (!guide.includes('`@nestjs/typeorm@11` in the third command')) throw new Error('no Nest 11');
    const said = install.replace('@nestjs/typeorm', major === '11' ? '$&@11' : '$&');
    await type(shop, said.replace('nestjs-thorn', packedFile()));
    await type(shop, init);
    const line = await webhookOf(shop, port, start, ask.replace('3000', String(port)));
    const seconds = Math.round((Date.now() - begin) / 1000);
    console.log(`Nest ${major}: ${commands.length} commands, ${seconds} s: ${line}`);
    for (const command of ['npm test', 'npm run test:e2e', 'npm run lint'])
      await type(shop, command);
    console.log(`Nest ${major}: passes its own tests and its linter`);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/**
 * Starts the application, lets the event happen, and waits for the line of the listener.
 *
 * @param {string} folder
 * @param {number} port
 * @param {string} start
 * @param {string} ask
 */
async function webhookOf(folder, port, start, ask) {
  const options = { cwd: folder, env: environment(port), detached: true };
  const application = spawn('bash', ['-c', start], options);
  let log = '';
  try {
    return await new Promise((resolve, reject) => {
      const hear = (/** @type {Buffer} */ chunk) => {
        log += chunk.toString();
        const [line] = /Verified greeting\.sent: .*/.exec(log) ?? [];
        if (line !== undefined) resolve(line);
        else if (log.includes('Nest application successfully started') && !isAsked) {
          isAsked = true;
          // Nest says that it has started before it listens.
          const patient = ask.replace(
            'curl',
            'curl -sS --retry 20 --retry-connrefused --retry-delay 1',
          );
          type(folder, patient).catch(reject);
        }
      };
      let isAsked = false;
      application.stdout.on('data', hear);
      application.stderr.on('data', hear);
      application.on('exit', () => reject(new Error(`the application ended:\n${log}`)));
      setTimeout(() => reject(new Error(`no webhook:\n${log}`)), LONGEST).unref();
    });
  } finally {
    application.removeAllListeners('exit');
    // The group, since npm and the CLI are processes of their own.
    if (application.pid !== undefined) process.kill(-application.pid, 'SIGKILL');
  }
}

/**
 * @param {string} folder
 * @param {string} command
 */
async function type(folder, command) {
  // npx would ask whether it may install.
  const options = { cwd: folder, env: environment(), maxBuffer: 1e8, timeout: LONGEST };
  try {
    await execute('bash', ['-c', `${command} </dev/null`], options);
  } catch (error) {
    const { stdout = '', stderr = '' } = /** @type {any} */ (error);
    throw new Error(`${command}\n${stdout}${stderr}`, { cause: error });
  }
}

/** @param {number} [port] */
function environment(port) {
  const { CI: _, NODE_ENV: __, ...others } = process.env;
  return {
    ...others,
    NO_COLOR: '1',
    npm_config_yes: 'true',
    ...(port !== undefined && { PORT: String(port) }),
  };
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}
