import { Client } from 'undici';
import type { Carrier, Exchange, WaitingRoom } from './exchange.js';
import type { GuardedConnector } from './guarded-connector.js';
import type { Socket } from 'node:net';

const PIECE = 1024;

/**
 * Hands out what a socket has received in small pieces, and nothing more once it is destroyed.
 *
 * undici's parser goes on through the piece in which the headers exceed their limit, and makes an error of each line: of
 * what a socket receives at once, 64 KiB, that is half a second of CPU for one hostile answer.
 */
export function readPiecewise(socket: Socket): void {
  const { read } = socket;
  socket.read = function (this: Socket, size?: number): unknown {
    if (this.destroyed) return null;
    return read.call(
      this,
      size === undefined && this.readableLength > PIECE ? PIECE : size,
    ) as unknown;
  };
}

/** What the connections of all origins have in common. */
export interface PoolSettings {
  readonly connect: GuardedConnector;
  /** Whether what a connection ends at is the endpoint, and not a proxy. */
  readonly isDirect: boolean;
  /** Connections to one origin at most. */
  readonly connections: number;
  /** Milliseconds that an unused connection is kept. */
  readonly keepAliveTimeout: number;
  readonly maxHeaderBytes: number;
}

/**
 * The connections to one origin, each with one request at a time; who finds none free waits in line.
 *
 * Not undici's `Pool`, for two reasons: a request that runs out of time before it is sent leaves at once and takes the
 * half-open connection with it, so that a dead endpoint piles nothing up; and each connection knows its address.
 */
export class OriginPool implements WaitingRoom {
  readonly #idle: Connection[] = [];
  readonly #waiting = new Set<Exchange>();
  #size = 0;
  #isClosed = false;

  constructor(
    readonly origin: string,
    private readonly settings: PoolSettings,
    private readonly onEmpty: (pool: OriginPool) => void,
  ) {}

  run(exchange: Exchange): void {
    const connection = this.#idle.pop();
    if (connection !== undefined) this.#carry(connection, exchange);
    else if (this.#size < this.settings.connections) this.#connect(exchange);
    else this.#waiting.add(exchange);
  }

  leave(exchange: Exchange): void {
    this.#waiting.delete(exchange);
  }

  /** Ends unused connections now, the others when their exchange is over. */
  close(): void {
    this.#isClosed = true;
    for (const connection of [...this.#idle]) connection.drop();
  }

  /** For {@link Connection}: it has carried an exchange to its end. */
  release(connection: Connection): void {
    const next = this.#next();
    if (next !== null) this.#carry(connection, next);
    else if (this.#isClosed) connection.drop();
    else this.#idle.push(connection);
  }

  /** For {@link Connection}: it is no more. */
  forget(connection: Connection): void {
    this.#size--;
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    const next = this.#size < this.settings.connections ? this.#next() : null;
    if (next !== null) this.#connect(next);
    else if (this.#size === 0) this.onEmpty(this);
  }

  /** On the connection at hand, or in its place on one of the exchange's own. */
  #carry(connection: Connection, exchange: Exchange): void {
    if (exchange.request.keepAlive) {
      connection.carry(exchange);
      return;
    }
    this.#connect(exchange);
    connection.drop();
  }

  #connect(exchange: Exchange): void {
    this.#size++;
    new Connection(this, this.settings).carry(exchange);
  }

  #next(): Exchange | null {
    for (const exchange of this.#waiting) {
      this.#waiting.delete(exchange);
      return exchange;
    }
    return null;
  }
}

class Connection implements Carrier {
  address: string | null = null;
  readonly #client: Client;
  #dialling: Socket | null = null;
  #isBusy = false;
  #isOneWay = false;
  #isDropped = false;

  constructor(
    private readonly pool: OriginPool,
    settings: PoolSettings,
  ) {
    const { connect, isDirect, keepAliveTimeout, maxHeaderBytes } = settings;
    this.#client = new Client(pool.origin, {
      connect: (options, callback) => {
        this.#dialling = connect(options, (...result) => {
          this.#dialling = null;
          if (result[0] === null) this.#connected(result[1], isDirect);
          callback(...result);
        });
      },
      pipelining: 1,
      keepAliveTimeout,
      maxHeaderSize: maxHeaderBytes,
      // One deadline for the whole request is kept elsewhere.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    // While busy, undici tells the exchange, or dials again if the request was not sent yet.
    this.#client.on('disconnect', () => {
      if (!this.#isBusy) this.drop();
    });
  }

  #connected(socket: Socket, isDirect: boolean): void {
    readPiecewise(socket);
    if (isDirect) this.address = socket.remoteAddress ?? null;
  }

  carry(exchange: Exchange): void {
    const { headers, body, keepAlive } = exchange.request;
    this.#isBusy = true;
    this.#isOneWay = !keepAlive;
    exchange.carrier = this;
    this.#client.dispatch(
      { path: exchange.path, method: 'POST', headers, body, reset: !keepAlive },
      exchange,
    );
  }

  done(): void {
    this.#isBusy = false;
    if (this.#isOneWay) this.drop();
    else this.pool.release(this);
  }

  broken(): void {
    this.drop();
  }

  drop(): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    this.#dialling?.destroy();
    // Not now: this may be a call from inside the client.
    queueMicrotask(() => this.#client.destroy(noop));
    this.pool.forget(this);
  }
}

function noop(): void {}
