import { createServer, type Server, type ServerResponse } from 'node:http';
import { freePort } from '../services/free-port.js';

/** How a host is down: its port is closed, it drops every connection, answers 503, or reads requests and never answers. */
export type Outage = 'refuses' | 'resets' | 'answers 503' | 'is silent';

/** Is down at first, and answers 204 once it is up. */
export class RestartedHost {
  /** Requests that were never answered. */
  silenced = 0;
  readonly ids = new Set<unknown>();
  readonly #server: Server;
  readonly #silent: ServerResponse[] = [];
  #port = 0;
  #isUp = false;

  private constructor(
    private readonly outage: Outage,
    silent: number,
  ) {
    this.#server = createServer(({ headers }, response) => {
      if (this.silenced < silent) {
        this.#silent.push(response);
        return void this.silenced++;
      }
      if (!this.#isUp && outage === 'is silent') return;
      if (!this.#isUp) return void response.writeHead(503).end();
      this.ids.add(headers['webhook-id']);
      response.writeHead(204).end();
    });
    this.#server.on('connection', (socket) => {
      if (!this.#isUp && outage === 'resets' && this.silenced === silent) socket.destroy();
    });
  }

  /** @param silent requests that are never answered, before all others */
  static async start(outage: Outage = 'resets', silent = 0): Promise<RestartedHost> {
    const host = new RestartedHost(outage, silent);
    host.#port = await freePort();
    if (outage !== 'refuses') await host.#listen();
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hooks`;
  }

  /** Ends the outage. */
  async goUp(): Promise<void> {
    this.#isUp = true;
    if (this.outage === 'refuses') await this.#listen();
  }

  /** Ends the connections of the requests that were never answered. */
  dropSilent(): void {
    for (const response of this.#silent) response.destroy();
  }

  async stop(): Promise<void> {
    if (this.#server.listening) await this.#close();
  }

  #listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
  }

  #close(): Promise<unknown> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }
}
