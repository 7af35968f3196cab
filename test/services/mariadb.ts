import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.js';
import {
  type Account,
  installPackage,
  launch,
  type Server,
  unprivilegedAccount,
} from './server.js';

const run = promisify(execFile);
const SERVER = ['mariadbd', 'mysqld'];
const INSTALL = ['mariadb-install-db', 'mysql_install_db'];

/** The long form of the tests has millions of rows: with less it would wait for the disk. */
const BUFFER_POOL = process.env['THORN_LONG'] === '1' ? '1G' : '48M';

/**
 * The server of `THORN_TEST_MARIADB_URL`; else one that is started from binaries on the PATH or of the system, installed
 * by apt-get when that is possible.
 *
 * @throws Error with the command to type when there is none
 */
export async function startMariadb(bufferPool = BUFFER_POOL): Promise<Server> {
  const url = process.env['THORN_TEST_MARIADB_URL'];
  if (url) return { url, stop: async () => {} };
  const isThere = () => program(SERVER) !== null && program(INSTALL) !== null;
  if (!isThere()) await installPackage('mariadb-server');
  if (!isThere()) throw missing('there is none');
  try {
    return await start(program(SERVER)!, program(INSTALL)!, bufferPool);
  } catch (error) {
    throw missing((error as Error).message.trim());
  }
}

function missing(reason: string): Error {
  return new Error(
    [
      `The tests need MariaDB 10.6 or newer and found none that works: ${reason}. Install it:`,
      '  sudo apt-get install -y mariadb-server',
      'or name a server on which databases may be created:',
      '  THORN_TEST_MARIADB_URL=mysql://user:password@127.0.0.1:3306/mysql npm test',
    ].join('\n'),
  );
}

function program(names: readonly string[]): string | null {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin'];
  const files = names.flatMap((name) => directories.map((directory) => join(directory, name)));
  return files.find((file) => existsSync(file)) ?? null;
}

async function start(server: string, install: string, bufferPool: string): Promise<Server> {
  const account = unprivilegedAccount(['mysql', 'nobody']);
  const home = await mkdtemp(join(account === null ? tmpdir() : '/tmp', 'thorn-mariadb-'));
  try {
    await chmod(home, 0o700);
    if (account !== null) await chown(home, account.uid, account.gid);
    const data = join(home, 'data');
    await run(
      install,
      // Its temporary tables have the same names in each run: two runs at once would share them.
      [
        '--no-defaults',
        `--datadir=${data}`,
        `--tmpdir=${home}`,
        '--auth-root-authentication-method=normal',
      ],
      { ...account, cwd: home },
    );
    return await startOn(server, data, home, account, bufferPool);
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}

async function startOn(
  server: string,
  data: string,
  home: string,
  account: Account | null,
  bufferPool: string,
): Promise<Server> {
  const port = await freePort();
  const settings = {
    datadir: data,
    tmpdir: home,
    socket: join(home, 'socket'),
    'pid-file': join(home, 'pid'),
    'bind-address': '127.0.0.1',
    port,
    'max-connections': 400,
    'innodb-buffer-pool-size': bufferPool,
    // Nothing of it has to outlive the run.
    'innodb-flush-log-at-trx-commit': 0,
    'innodb-doublewrite': 'OFF',
    'debug-no-sync': 'ON',
    // What applications have that were made long ago: under it texts that differ in their case alone are equal.
    'character-set-server': 'utf8mb4',
    'collation-server': 'utf8mb4_unicode_ci',
  };
  const list = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  const stop = await launch({
    command: [server, '--no-defaults', '--skip-log-bin', '--skip-name-resolve', ...list],
    home,
    account,
    signal: 'KILL',
    ready: /ready for connections/,
    failed: /\[ERROR\] Aborting|not found|rror while loading/,
  });
  return { url: `mysql://root@127.0.0.1:${port}/mysql`, stop };
}
