import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** How a {@link ConnectProxy} behaves. */
export interface ProxyBehaviour {
  /** Where a tunnel leads that is asked for; null: it is refused with 403. Default: to the port on 127.0.0.1. */
  readonly route?: (target: string) => { readonly host: string; readonly port: number } | null;
  /** The status that every request is answered with, in place of a tunnel. */
  readonly status?: number;
  /** `user:password` to demand. */
  readonly credentials?: string;
  /** Takes over a request altogether. */
  readonly answer?: (socket: Socket) => void;
  /** Speak TLS, with this certificate. */
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer };
}

/** A forward proxy on loopback that knows CONNECT alone and remembers what it was asked. */
export class ConnectProxy {
  /** Every `CONNECT`, oldest first. */
  readonly asked: { readonly target: string; readonly headers: IncomingMessage['headers'] }[] = [];
  /** Connections that were made to it, whatever they were for. */
  connections = 0;
  /** Requests that were no CONNECT. */
  others = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server;

  private constructor(private readonly behaviour: ProxyBehaviour) {
    const { tls } = behaviour;
    this.#server = tls === undefined ? createServer() : createSecureServer(tls);
    this.#server.on('connection', (socket: Socket) => {
      this.connections++;
      this.#keep(socket);
    });
    this.#server.on('request', (_, response) => {
      this.others++;
      response.writeHead(405).end();
    });
    this.#server.on('connect', (request: IncomingMessage, socket: Socket) =>
      this.#connect(request, socket),
    );
  }

  static async start(behaviour: ProxyBehaviour = {}): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(behaviour);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http${this.behaviour.tls === undefined ? '' : 's'}://127.0.0.1:${this.port}`;
  }

  /** How many connections to it are open. */
  get open(): number {
    return [...this.#sockets].filter((socket) => !socket.destroyed).length;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect({ url = '', headers }: IncomingMessage, socket: Socket): void {
    this.asked.push({ target: url, headers });
    this.#keep(socket);
    const { status, credentials, answer, route = sameOnLoopback } = this.behaviour;
    if (answer !== undefined) {
      socket.on('end', () => socket.destroy()).resume();
      return answer(socket);
    }
    if (credentials !== undefined) {
      const expected = `Basic ${Buffer.from(credentials).toString('base64')}`;
      if (headers['proxy-authorization'] !== expected) return refuse(socket, 407);
    }
    if (status !== undefined) return refuse(socket, status);
    const target = route(url);
    if (target === null) return refuse(socket, 403);
    const upstream = connect(target, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => refuse(socket, 502));
    this.#keep(upstream);
    socket.on('close', () => upstream.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

function sameOnLoopback(target: string) {
  return { host: '127.0.0.1', port: Number(/\d+$/.exec(target)?.[0]) };
}

function refuse(socket: Socket, status: number): void {
  socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
}
