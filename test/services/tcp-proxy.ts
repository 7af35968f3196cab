import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './free-port.js';

/** Stands between a client and a server, and fails as networks do. */
export class TcpProxy {
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #server: Server;
  #isSilent = false;
  #port = 0;

  private constructor(private readonly target: URL) {
    this.#server = createServer((socket) => this.#join(socket));
  }

  /** @param url of the server, such as `postgres://…` */
  static async start(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(url));
    // One that it gets again after a cut.
    proxy.#port = await freePort();
    await proxy.restore();
    return proxy;
  }

  /** The server's URL by way of this proxy. */
  get url(): string {
    const url = new URL(this.target);
    url.host = `127.0.0.1:${this.#port}`;
    return url.href;
  }

  /** Swallows what is sent by connections that exist; new ones work. */
  swallow(): void {
    for (const pair of this.#pairs) for (const socket of pair) swallowAll(socket);
  }

  /** Swallows everything, also of new connections. */
  silence(): void {
    this.#isSilent = true;
    this.swallow();
  }

  /** Drops all connections, and refuses new ones. */
  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    await closed;
  }

  /** Passes on again what new connections send. */
  async restore(): Promise<void> {
    this.#isSilent = false;
    if (this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    if (this.#server.listening) await this.cut();
  }

  #join(socket: Socket): void {
    const pair = [socket, connect(Number(this.target.port), this.target.hostname)] as const;
    this.#pairs.add(pair);
    for (const one of pair) {
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#pairs.delete(pair);
        for (const each of pair) each.destroy();
      });
    }
    if (this.#isSilent) return pair.forEach(swallowAll);
    socket.pipe(pair[1]);
    pair[1].pipe(socket);
  }
}

function swallowAll(socket: Socket): void {
  socket.unpipe();
  socket.on('data', () => undefined);
}
