import type { Client } from 'undici';
import type { Carrier, Exchange, WaitingRoom } from './exchange.js';
import type { GuardedConnector } from './guarded-connector.js';
import { loadUndici } from './http-packages.js';
import { isProxyReached } from './proxied-connector.js';
import type { AttemptErrorCode } from '../attempt/attempt.js';
import type { Socket } from 'node:net';

/** Settings shared by the connections of all origins. */
export interface PoolSettings {
  readonly connect: GuardedConnector;
  /** True when a connection ends at the endpoint instead of a proxy. */
  readonly isDirect: boolean;
  /** The maximum number of connections to one origin. */
  readonly connections: number;
  /** How long an unused connection is kept, in milliseconds. */
  readonly keepAliveTimeout: number;
  readonly maxHeaderBytes: number;
}

/**
 * The connections to one origin, each with one request at a time; further requests wait in line.
 *
 * This is not undici's `Pool`. By `npm run bench -- http:clients` on a busy machine, `Pool` reached 0.55 to 0.68 of the
 * requests a second of a bare `dispatch`, and this class 0.83 to 0.88. Besides, a request that times out before it is sent
 * leaves at once and closes its half-open connection, so a dead endpoint accumulates nothing, and each connection knows its
 * address.
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

  /** Closes unused connections now, and busy connections after their exchange. */
  close(): void {
    this.#isClosed = true;
    for (const connection of [...this.#idle]) connection.drop();
  }

  /** Called by {@link Connection}: the connection is free again. */
  release(connection: Connection): void {
    const next = this.#next();
    if (next !== null) this.#carry(connection, next);
    else if (this.#isClosed) connection.drop();
    else this.#idle.push(connection);
  }

  /** Called by {@link Connection}: the connection is closed. */
  forget(connection: Connection): void {
    this.#size--;
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    const next = this.#size < this.settings.connections ? this.#next() : null;
    if (next !== null) this.#connect(next);
    else if (this.#size === 0) this.onEmpty(this);
  }

  /** Runs the exchange on this connection, or on a new one when the exchange needs its own. */
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
    private readonly settings: PoolSettings,
  ) {
    const { connect, isDirect, keepAliveTimeout, maxHeaderBytes } = settings;
    const { Client } = loadUndici();
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
      // The endpoint may shorten the time, by the header `Keep-Alive`, but not prolong it.
      keepAliveMaxTimeout: keepAliveTimeout,
      maxHeaderSize: maxHeaderBytes,
      // {@link Deadlines} keeps the deadline of the whole request.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    // While busy, undici notifies the exchange, or dials again if the request was not sent yet.
    this.#client.on('disconnect', () => {
      if (!this.#isBusy) this.drop();
    });
  }

  #connected(socket: Socket, isDirect: boolean): void {
    if (isDirect) this.address = socket.remoteAddress ?? null;
  }

  get timeoutCode(): AttemptErrorCode {
    const { isDirect } = this.settings;
    return isDirect || this.#dialling === null || isProxyReached(this.#dialling)
      ? 'timeout'
      : 'proxy';
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
    // Deferred: this may be a call from inside the client.
    queueMicrotask(() => this.#client.destroy(noop));
    this.pool.forget(this);
  }
}

function noop(): void {}
