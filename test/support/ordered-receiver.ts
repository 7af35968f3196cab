import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request of a message with a key. */
export interface Arrival {
  /** The path, which tells subscribers apart. */
  readonly path: string;
  /** The id of the delivery. */
  readonly delivery: string;
  readonly key: string;
  readonly sequence: number;
  /** Counts the requests of the same message to the same path, from 1. */
  readonly attempt: number;
  status: number;
}

/** What an endpoint answers, and after how many milliseconds. */
export interface Reply {
  readonly status: number;
  readonly after?: number | Promise<void>;
}

/** A receiver on loopback that notes when two requests of one path and key are in flight at the same time. */
export class OrderedReceiver {
  readonly arrivals: Arrival[] = [];
  /** Pairs of requests that overlapped. */
  readonly overlaps: string[] = [];
  reply: (arrival: Arrival) => Reply = () => ({ status: 204 });
  readonly #inFlight = new Map<string, number>();
  readonly #attempts = new Map<string, number>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      request.resume();
      const { url: path = '', headers } = request;
      const key = String(headers['hook-key']);
      const sequence = Number(headers['hook-sequence']);
      const [queue, name] = [`${path} ${key}`, `${path} ${key} ${sequence}`];
      const attempt = (this.#attempts.get(name) ?? 0) + 1;
      this.#attempts.set(name, attempt);
      const other = this.#inFlight.get(queue);
      if (other !== undefined) this.overlaps.push(`${queue}: ${other} and ${sequence}`);
      this.#inFlight.set(queue, sequence);
      const delivery = String(headers['hook-delivery']);
      const arrival = { path, delivery, key, sequence, attempt, status: 0 };
      this.arrivals.push(arrival);
      const { status, after = 0 } = this.reply(arrival);
      if (typeof after !== 'number') await after;
      else if (after > 0) await new Promise((resolve) => setTimeout(resolve, after));
      if (this.#inFlight.get(queue) === sequence) this.#inFlight.delete(queue);
      arrival.status = status;
      response.writeHead(status).end();
    });
  }

  static async start(): Promise<OrderedReceiver> {
    const receiver = new OrderedReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  /** The URL of a subscriber. */
  url(path = '/hooks'): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  /** The sequences that a subscriber was asked to accept, of one key. */
  asked(key: string, path = '/hooks'): number[] {
    return this.#of(key, path).map(({ sequence }) => sequence);
  }

  /** The sequences that a subscriber has accepted, of one key. */
  accepted(key: string, path = '/hooks'): number[] {
    return this.#of(key, path)
      .filter(({ status }) => status === 204)
      .map(({ sequence }) => sequence);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #of(key: string, path: string): readonly Arrival[] {
    return this.arrivals.filter((arrival) => arrival.key === key && arrival.path === path);
  }
}
