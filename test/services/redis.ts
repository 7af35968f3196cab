import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from './free-port.js';
import { startInBackground } from './background-process.js';
import { installPackage } from './server.js';

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
  if (onPath() === null) await installPackage('redis-server');
  const binary = onPath();
  if (binary === null) {
    throw new Error(
      'The tests need Redis and found none. Install it:\n  sudo apt-get install -y redis-server',
    );
  }
  const home = await mkdtemp(join(tmpdir(), 'thorn-redis-'));
  const port = settings.port ?? (await freePort());
  const command = commandOf(binary, home, port, settings.appendOnly ?? false);
  const launch = () => startInBackground({ command, ready: /Ready to accept connections/ });
  let current = await launch();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    stop: async () => {
      await current.end();
      await rm(home, { recursive: true, force: true });
    },
    kill: (signal) => current.kill(signal),
    restart: async () => {
      await current.end();
      current = await launch();
    },
  };
}

function onPath(): string | null {
  const directories = (process.env['PATH'] ?? '').split(delimiter);
  return directories.map((at) => join(at, 'redis-server')).find(existsSync) ?? null;
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
