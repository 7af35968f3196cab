import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const { host, port, delay } = workerData as { host: string; port: number; delay: number };
const late: { readonly at: number; readonly to: Socket; readonly bytes: Buffer }[] = [];
let isTurning = false;

/** Timers are too coarse for half a millisecond, so the thread turns while something is on its way. */
function turn(): void {
  while (late.length > 0 && late[0]!.at <= performance.now()) {
    const { to, bytes } = late.shift()!;
    to.write(bytes);
  }
  isTurning = late.length > 0;
  if (isTurning) setImmediate(turn);
}

function handOn(from: Socket, to: Socket): void {
  from.on('data', (bytes) => {
    late.push({ at: performance.now() + delay, to, bytes });
    if (isTurning) return;
    isTurning = true;
    setImmediate(turn);
  });
  from.on('close', () => to.destroy());
  from.on('error', () => to.destroy());
}

const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ host, port, noDelay: true });
  handOn(client, upstream);
  handOn(upstream, client);
});
// A port of a thread has no origin.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
const tell = (port: number) => parentPort!.postMessage(port);
server.listen(0, '127.0.0.1', () => tell((server.address() as AddressInfo).port));
