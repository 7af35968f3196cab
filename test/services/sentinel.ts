import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';
import { type RedisServer, startRedis } from './redis.js';

/** A sentinel over a Redis server, and a replica that it may put in its place. */
export interface Sentinel {
  readonly port: number;
  /** The name that clients ask for. */
  readonly master: string;
  readonly replica: RedisServer;
  /** Resolves when the replica is the master. */
  failedOver(): Promise<void>;
  stop(): Promise<void>;
}

const MASTER = 'thorn';

/** Starts a replica of the server and a sentinel for both. `redis-server` is on the PATH: it runs already. */
export async function startSentinel(server: RedisServer): Promise<Sentinel> {
  const replica = await startRedis();
  const client = new Redis(replica.port);
  await client.replicaof('127.0.0.1', server.port);
  await until(async () => (await client.info('replication')).includes('master_link_status:up'));

  const home = await mkdtemp(join(tmpdir(), 'thorn-sentinel-'));
  const port = await freePort();
  const file = join(home, 'sentinel.conf');
  await writeFile(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${home}`,
      `sentinel monitor ${MASTER} 127.0.0.1 ${server.port} 1`,
      `sentinel down-after-milliseconds ${MASTER} 500`,
      `sentinel failover-timeout ${MASTER} 2000`,
    ].join('\n'),
  );
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const watch = new Redis(port, { retryStrategy: () => 100 });
  watch.on('error', () => undefined);
  // It must know the replica before the master dies.
  await until(async () =>
    String(await watch.call('sentinel', 'master', MASTER)).includes('num-slaves,1'),
  );
  return {
    port,
    master: MASTER,
    replica,
    failedOver: () => until(async () => (await client.info('replication')).includes('role:master')),
    stop: async () => {
      client.disconnect();
      watch.disconnect();
      child.kill('SIGKILL');
      await ended;
      await replica.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > end) throw new Error('waited for the sentinel in vain');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
