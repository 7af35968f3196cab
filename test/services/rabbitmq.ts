import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { startInBackground } from './background-process.js';
import { installPackage } from './server.js';

/** A RabbitMQ server of one's own. */
export interface RabbitMqServer {
  readonly url: string;
  readonly port: number;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
  /** Sends the server a signal, and with one that ends it resolves once it has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and files, whether it was killed or not. */
  restart(): Promise<void>;
}

/** Milliseconds for a hook that starts it: it may have to be installed first. */
export const RABBITMQ_START_TIMEOUT = 300_000;

/**
 * A new server from the programs of the system, which are installed by apt-get when there are none and that is possible. It
 * ends with this process, however that ends.
 *
 * @throws Error with the command to type when there is none
 */
export async function startRabbitMq(): Promise<RabbitMqServer> {
  if (program('rabbitmq-server') === null) await installPackage('rabbitmq-server');
  const [server, epmd] = [program('rabbitmq-server'), program('epmd')];
  if (server === null || epmd === null) {
    throw new Error(
      'The tests need RabbitMQ and found none. Install it:\n  sudo apt-get install -y rabbitmq-server',
    );
  }
  const home = await mkdtemp(join(tmpdir(), 'thorn-rabbitmq-'));
  const [port, distributionPort, epmdPort] = [await freePort(), await freePort(), await freePort()];
  const env = await environment(home, port, distributionPort, epmdPort);
  // Otherwise the first node starts one that outlives it.
  const names = await startInBackground({
    command: [epmd, '-port', String(epmdPort), '-address', '127.0.0.1'],
    env,
  });
  await listening(epmdPort);
  const launch = () =>
    startInBackground({ command: [server], env, ready: /Server startup complete/ });
  let current = await launch();
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    port,
    stop: async () => {
      await current.end();
      await names.end();
      await rm(home, { recursive: true, force: true });
    },
    kill: (signal) => current.kill(signal),
    restart: async () => {
      await current.end();
      current = await launch();
    },
  };
}

/** Debian's own command changes the user and looks at the machine's settings: the program behind it does neither. */
function program(name: string): string | null {
  const directories = ['/usr/lib/rabbitmq/bin', ...(process.env['PATH'] ?? '').split(delimiter)];
  return [...directories, '/usr/sbin'].map((at) => join(at, name)).find(existsSync) ?? null;
}

async function environment(
  home: string,
  port: number,
  distributionPort: number,
  epmdPort: number,
): Promise<Record<string, string | undefined>> {
  const at = (name: string) => join(home, name);
  await writeFile(at('plugins'), '[].');
  await writeFile(
    at('rabbitmq.conf'),
    [`listeners.tcp.1 = 127.0.0.1:${port}`, 'log.console.level = info', ''].join('\n'),
  );
  return {
    PATH: process.env['PATH'],
    // Where the cookie is made that nodes know each other by.
    HOME: home,
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    // The machine's settings are none of ours.
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_NODENAME: `thorn-${port}@localhost`,
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_MNESIA_BASE: at('data'),
    RABBITMQ_LOG_BASE: at('log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: at('pid'),
    RABBITMQ_ENABLED_PLUGINS_FILE: at('plugins'),
    RABBITMQ_CONFIG_FILE: at('rabbitmq'),
    RABBITMQ_ADVANCED_CONFIG_FILE: at('advanced.config'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none',
    // Then the program becomes the server: a signal for it is one for the server.
    RUNNING_UNDER_SYSTEMD: 'true',
  };
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 6000; tries++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false)).once('close', () => socket.destroy());
      socket.unref();
    });
    if (isOpen) return;
    await setTimeout(10);
  }
  throw new Error(`nobody listens on port ${port}`);
}
