import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.js';

const run = promisify(execFile);

/** How a server is started. */
export interface RedisSettings {
  /** Whether what is written survives a {@link RedisServer.kill}. Default false: nothing is kept on disk. */
  readonly appendOnly?: boolean;
  /** Default: a free one. */
  readonly port?: number;
}

/** A Redis server of one's own. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
  /** Sends the server a signal, and with one that ends it resolves once it has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and files, whether it was killed or not. */
  restart(): Promise<void>;
}

/**
 * A new server from the binary on the PATH, which is installed by apt-get when there is none and that is possible. It
 * ends with this process, however that ends.
 *
 * @throws Error with the command to type when there is none
 */
export async function startRedis(settings: RedisSettings = {}): Promise<RedisServer> {
  const binary = onPath() ?? (await installed());
  if (binary === null) {
    throw new Error(
      'The tests need Redis and found none. Install it:\n  sudo apt-get install -y redis-server',
    );
  }
  const home = await mkdtemp(join(tmpdir(), 'thorn-redis-'));
  const port = settings.port ?? (await freePort());
  const command = commandOf(binary, home, port, settings.appendOnly ?? false);
  let current = await launch(command);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    stop: async () => {
      await current.end();
      await rm(home, { recursive: true, force: true });
    },
    kill: async (signal) => {
      process.kill(current.pid, signal);
      if (ENDING.has(signal)) await current.ended;
    },
    restart: async () => {
      await current.end();
      current = await launch(command);
    },
  };
}

const ENDING: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT']);

function onPath(): string | null {
  const directories = (process.env['PATH'] ?? '').split(delimiter);
  return directories.map((at) => join(at, 'redis-server')).find(existsSync) ?? null;
}

async function installed(): Promise<string | null> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return null;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run('apt-get', ['update'], { env });
    await run('apt-get', ['install', '-y', '--no-install-recommends', 'redis-server'], { env });
  } catch {
    return null;
  }
  return onPath();
}

function commandOf(binary: string, home: string, port: number, appendOnly: boolean): string[] {
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
    dir: home,
    save: '',
    appendonly: appendOnly ? 'yes' : 'no',
    // A test that kills the server means to lose nothing that was acknowledged.
    appendfsync: 'always',
    // What BullMQ demands.
    'maxmemory-policy': 'noeviction',
  };
  return [binary, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])];
}

interface Running {
  /** Of the server itself. */
  readonly pid: number;
  readonly ended: Promise<void>;
  end(): Promise<void>;
}

/** A shell between us and the server holds a pipe to us: when it closes, because we asked or because we died, it ends the server. */
const KEEPER = `
"$@" </dev/null & server=$!
echo "pid $server"
(cat >/dev/null; kill -KILL $server) <&3 2>/dev/null & reader=$!
wait $server
kill $reader 2>/dev/null
exit 0`;

async function launch(command: readonly string[]): Promise<Running> {
  const keeper = spawn('sh', ['-c', `exec 3<&0; ${KEEPER}`, 'sh', ...command], {
    cwd: '/',
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => keeper.once('exit', () => resolve()));
  const end = async () => {
    keeper.ref();
    keeper.stdin.end();
    await ended;
  };
  try {
    const pid = await ready(keeper.stdout);
    keeper.unref();
    return { pid, ended, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The server's process id, once it takes connections. */
function ready(log: NodeJS.ReadableStream): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    const late = setTimeout(() => reject(new Error(`not ready within 30 s: ${text}`)), 30_000);
    log.on('data', (chunk: Buffer) => {
      if (text.length < 100_000) text += chunk.toString();
      const pid = /^pid (\d+)$/m.exec(text)?.[1];
      if (pid === undefined || !text.includes('Ready to accept connections')) return;
      clearTimeout(late);
      resolve(Number(pid));
    });
    log.once('close', () => {
      clearTimeout(late);
      reject(new Error(text || 'it ended at once'));
    });
  });
}
