import { connect } from 'node:net';
import { freePort, type Receiver, startReceiver, startSlowReceiver } from '../receiver.js';

const SLOW = 300;

/** Where webhooks go: hosts of their own on one fast receiver, and a slow one. */
export class Endpoints {
  private constructor(
    readonly receiver: Receiver,
    readonly slow: Receiver,
    readonly silent: Receiver,
    readonly unusedPort: number,
  ) {}

  static async start(): Promise<Endpoints> {
    return new Endpoints(
      await startReceiver(),
      await startSlowReceiver(SLOW),
      await startSlowReceiver(Infinity),
      await freePort(),
    );
  }

  /** So many subscribers, each at a host of its own. */
  fast(count: number): string[] {
    return Array.from(
      { length: count },
      (_, n) => `http://127.0.1.${n + 1}:${this.receiver.port}/hooks`,
    );
  }

  /** Like {@link fast}, but the last of them takes 300 ms to answer. */
  withSlow(count: number): string[] {
    return [...this.fast(count - 1), `http://127.0.2.1:${this.slow.port}/hooks`];
  }

  /** Like {@link fast}, but the last of them never answers. */
  withSilent(count: number): string[] {
    return [...this.fast(count - 1), `http://127.0.3.1:${this.silent.port}/hooks`];
  }

  /** Like {@link fast}, but at the last of them nobody listens. */
  withRefusing(count: number): string[] {
    return [...this.fast(count - 1), `http://127.0.4.1:${this.unusedPort}/hooks`];
  }

  async stop(): Promise<void> {
    await Promise.all([this.receiver.stop(), this.slow.stop(), this.silent.stop()]);
  }
}

const BODY = 'x'.repeat(1024);
const REQUEST = `POST /hooks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

/** Requests a second that the receiver answers to a client that does next to nothing, 64 connections. */
export async function capacityOf({ port }: Receiver, milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds;
  let count = 0;
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(REQUEST));
      socket.setNoDelay(true).on('error', reject);
      socket.on('data', () => {
        count++;
        if (performance.now() < end) socket.write(REQUEST);
        else socket.end(resolve);
      });
    });
  await Promise.all(Array.from({ length: 64 }, one));
  return (count / milliseconds) * 1000;
}
