import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A running server. */
export interface Server {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Whom a server runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Whom the server runs as when we are root, which it refuses; null: as ourselves. */
export function unprivilegedAccount(names: readonly string[]): Account | null {
  if (process.getuid?.() !== 0) return null;
  for (const name of names) {
    try {
      const id = (flag: string) =>
        Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      continue;
    }
  }
  throw new Error(`none of the accounts ${names.join(', ')} exists, and the server refuses root`);
}

/** Where those who install wait for each other: apt-get locks out a second one, and specs run in several processes. */
const LOCK = '/tmp/nestjs-thorn-apt.lock';

/** Somebody else may have installed it meanwhile. */
const INSTALL = `dpkg -s "$1" >/dev/null 2>&1 && exit 0
apt-get update && apt-get install -y --no-install-recommends "$1"`;

/** Installs a package of the system, where that is possible. */
export async function installPackage(name: string): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run('flock', [LOCK, 'sh', '-c', INSTALL, 'sh', name], { env });
  } catch {
    // Whoever looks for its binaries finds out.
  }
}

/**
 * A shell between us and the server holds a pipe to us: when it closes, because we asked or because we died, however
 * suddenly, the shell stops the server and removes its files.
 */
const KEEPER = `
home=$1; signal=$2; shift 2
"$@" </dev/null & server=$!
cat >/dev/null
kill -$signal $server; wait $server
rm -rf "$home"`;

/** How a server is started. */
export interface Launch {
  readonly command: readonly string[];
  /** Where its files are: removed in the end. */
  readonly home: string;
  readonly account: Account | null;
  /** Ends it without waiting for its clients. */
  readonly signal: 'INT' | 'KILL';
  /** What it says once it takes connections, and what when it never will. */
  readonly ready: RegExp;
  readonly failed: RegExp;
}

/** @returns what stops it */
export async function launch(server: Launch): Promise<() => Promise<void>> {
  const { command, home, account, signal } = server;
  const keeper = spawn('sh', ['-c', KEEPER, 'sh', home, signal, ...command], {
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
    await ready(keeper.stderr, server);
  } catch (error) {
    await stop();
    throw error;
  }
  keeper.unref();
  return stop;
}

function ready(log: NodeJS.ReadableStream, server: Launch): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const late = setTimeout(() => reject(new Error(`not ready within 100 s: ${text}`)), 100_000);
    const settle = (then: () => void) => {
      clearTimeout(late);
      then();
    };
    log.on('data', (chunk: Buffer) => {
      if (text.length < 100_000) text += chunk.toString();
      if (server.ready.test(text)) settle(resolve);
      else if (server.failed.test(text)) settle(() => reject(new Error(text)));
    });
    log.once('close', () => settle(() => reject(new Error(text || 'it ended at once'))));
  });
}
