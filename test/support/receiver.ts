import { type IncomingHttpHeaders, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One webhook as it arrived. */
export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A receiver on loopback that keeps what it was sent. */
export class Receiver {
  readonly requests: ReceivedRequest[] = [];
  /** The status of the next answers. */
  status = 204;
  /** Connections that were made so far. */
  connections = 0;
  /** What the next answers wait for. */
  hold: Promise<void> | undefined;
  /** Makes their bodies. Default: they have none. */
  bodyOf: (request: ReceivedRequest) => string | undefined = () => undefined;
  readonly #server: Server;
  #arrived: () => void = () => undefined;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { url: path = '', headers } = request;
      const received = { path, headers, body: Buffer.concat(chunks) };
      this.requests.push(received);
      this.#arrived();
      await this.hold;
      response.writeHead(this.status).end(this.bodyOf(received));
    });
    this.#server.on('connection', () => this.connections++);
  }

  static async start(address = '127.0.0.1'): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, address, resolve));
    return receiver;
  }

  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/hooks`;
  }

  /** Event names in the order of arrival. */
  get events(): string[] {
    return this.requests.map(({ headers }) => String(headers['hook-event']));
  }

  /** The body of the request at `index`, as JSON. */
  json(index = 0): {
    type: string;
    ref: unknown;
    owner: unknown;
    /** With the envelope `thorn`. */
    sender?: unknown;
    timestamp: string;
    data: unknown;
  } {
    return JSON.parse(this.requests[index]!.body.toString());
  }

  /** Resolves once `count` requests have arrived; the test's own time-out ends a wait in vain. */
  async waitFor(count: number): Promise<readonly ReceivedRequest[]> {
    while (this.requests.length < count)
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.requests;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
