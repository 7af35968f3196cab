import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const TICKS_PER_SECOND = 100;

/** An endpoint in a process of its own that answers every request with 204. */
export interface Receiver {
  readonly port: number;
  readonly kind: string;
  /** Seconds of CPU that it has used so far; NaN where /proc does not tell. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** nginx when it is on PATH, else a plain socket server on Node. Listens on every loopback address. */
export async function startReceiver(): Promise<Receiver> {
  const hasNginx = isOnPath('nginx');
  if (!hasNginx) {
    console.error('nginx is not on PATH; for a faster receiver: apt-get install nginx-light');
  }
  return start(hasNginx ? 'nginx' : 'node:net', hasNginx ? nginx : plain);
}

/** An endpoint that takes so many milliseconds to answer; with `Infinity` it never does. */
export function startSlowReceiver(delay: number): Promise<Receiver> {
  return start('node:net', (_, port) => plain('', port, delay));
}

async function start(
  kind: string,
  run: (directory: string, port: number) => ChildProcess,
): Promise<Receiver> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'thorn-bench-'));
  const child = run(directory, port);
  child.stderr?.pipe(process.stderr);
  await accepting(port);
  return {
    port,
    kind,
    cpuSeconds: () => cpuSeconds(child.pid!),
    stop: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await exited;
      rmSync(directory, { recursive: true });
    },
  };
}

function nginx(directory: string, port: number): ChildProcess {
  const file = join(directory, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${directory}/pid; error_log ${directory}/error.log;
     events { worker_connections 4096; }
     http { access_log off; keepalive_requests 1000000000; keepalive_timeout 60s;
       client_body_temp_path ${directory}; proxy_temp_path ${directory}; fastcgi_temp_path ${directory};
       uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
       server { listen 0.0.0.0:${port} backlog=1024; location / { return 204; } } }`,
  );
  return spawn('nginx', ['-c', file, '-p', directory, '-e', join(directory, 'error.log')]);
}

function plain(_directory: string, port: number, delay = 0): ChildProcess {
  return spawn(process.execPath, ['-e', PLAIN, `${port}`, `${delay}`]);
}

/** Good enough for the clients of this bench: each request is small and arrives in one piece. */
const PLAIN = `
  const answer = Buffer.from('HTTP/1.1 204 No Content\\r\\nConnection: keep-alive\\r\\n\\r\\n');
  const delay = Number(process.argv[2]);
  require('node:net')
    .createServer((socket) => {
      socket.setNoDelay(true);
      let head = -1, seen = '';
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        seen += chunk.toString('latin1');
        for (;;) {
          if (head < 0) head = seen.indexOf('\\r\\n\\r\\n');
          if (head < 0) return;
          const length = Number(/content-length: (\\d+)/i.exec(seen.slice(0, head))?.[1] ?? 0);
          if (seen.length < head + 4 + length) return;
          seen = seen.slice(head + 4 + length);
          head = -1;
          if (delay === 0) socket.write(answer);
          else if (delay < Infinity) setTimeout(() => socket.write(answer), delay);
        }
      });
    })
    .listen(Number(process.argv[1]), '0.0.0.0');
`;

/** Seconds of CPU that a process has used so far; NaN where /proc does not tell. */
export function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}

function isOnPath(command: string): boolean {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return directories.some((directory) => existsSync(join(directory, command)));
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function accepting(port: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () =>
        resolve(false),
      );
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nobody accepts connections on port ${port}`);
}
