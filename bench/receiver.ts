import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** An endpoint in a process of its own that answers every request with 204. */
export interface Receiver {
  readonly port: number;
  readonly kind: string;
  /** Seconds of CPU that it has used so far; NaN where /proc does not tell. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** nginx when it is on PATH, else a plain socket server on Node. */
export async function startReceiver(): Promise<Receiver> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'thorn-bench-'));
  const hasNginx = isOnPath('nginx');
  if (!hasNginx) {
    console.error('nginx is not on PATH; for a faster receiver: apt-get install nginx-light');
  }
  const child = hasNginx
    ? nginx(directory, port)
    : spawn(process.execPath, ['-e', PLAIN, `${port}`]);
  child.stderr?.pipe(process.stderr);
  await accepting(port);
  return {
    port,
    kind: hasNginx ? 'nginx' : 'node:net',
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
       server { listen 127.0.0.1:${port} backlog=1024; location / { return 204; } } }`,
  );
  return spawn('nginx', ['-c', file, '-p', directory, '-e', join(directory, 'error.log')]);
}

/** Good enough for the clients of this bench: each request is small and arrives in one piece. */
const PLAIN = `
  const answer = Buffer.from('HTTP/1.1 204 No Content\\r\\nConnection: keep-alive\\r\\n\\r\\n');
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
          socket.write(answer);
        }
      });
    })
    .listen(Number(process.argv[1]), '127.0.0.1');
`;

function cpuSeconds(pid: number): number {
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

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function accepting(port: number): Promise<void> {
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
  throw new Error(`the receiver does not accept connections on port ${port}`);
}
