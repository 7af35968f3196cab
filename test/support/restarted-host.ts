import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Drops every connection while it is down, and answers 204 while it is up. */
export class RestartedHost {
  isUp = false;
  readonly ids = new Set<unknown>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(({ headers }, response) => {
      this.ids.add(headers['webhook-id']);
      response.writeHead(204).end();
    });
    this.#server.on('connection', (socket) => {
      if (!this.isUp) socket.destroy();
    });
  }

  static async start(): Promise<RestartedHost> {
    const host = new RestartedHost();
    await new Promise<void>((resolve) => host.#server.listen(0, '127.0.0.1', resolve));
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hooks`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
