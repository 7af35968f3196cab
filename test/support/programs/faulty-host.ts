import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as passes } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { SECRET } from '../apps/outbox-app.js';
import { REJECTED } from './subscribers.js';

/** A request, as its receiver saw it. */
export interface Arrival {
  /** The path, which tells subscribers apart. */
  readonly path: string;
  /** The id of the message. */
  readonly id: string;
  readonly event: string;
  /** Null of a message without a key. */
  readonly key: string | null;
  readonly sequence: number | null;
  readonly body: string;
  /** What it was answered; 0 while it is not. */
  status: number;
}

/** What a host does with requests: the ways in which endpoints fail. */
const ANSWERS = {
  well: [204],
  failing: [500],
  throttling: [429],
  'throttling with a time': [429, '1'],
  unavailable: [503],
  'unavailable with a time': [503, '1'],
} as const satisfies Readonly<Record<string, readonly [number, string?]>>;
/** `gone`: connections are reset. */
type Mode = keyof typeof ANSWERS | 'gone';
const FAULTS = [
  ...Object.keys(ANSWERS).filter((mode) => mode !== 'well'),
  'gone',
] as readonly Mode[];

/** A host on loopback, with one subscriber for each path, that fails and recovers. */
export class FaultyHost {
  readonly arrivals: Arrival[] = [];
  /** Requests of one key and path that were in flight at the same time. */
  readonly overlaps: string[] = [];
  /** What is wrong with requests, by the reference implementation of Standard Webhooks. */
  readonly unverified: string[] = [];
  /** Tells whether a request that would be accepted is to be rejected for good. Default: none is. */
  rejects: (arrival: Arrival, isFirst: boolean) => boolean = () => false;
  #mode: Mode = 'well';
  readonly #inFlight = new Map<string, Arrival>();
  readonly #known = new Set<string>();
  readonly #verifier = new Webhook(SECRET);
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of request) chunks.push(chunk as Buffer);
      } catch {
        return; // reset in the middle
      }
      await this.#answer(request.url ?? '', request.headers, Buffer.concat(chunks), response);
    });
    this.#server.on('connection', (socket) => {
      if (this.#mode === 'gone') socket.destroy();
    });
  }

  static async start(): Promise<FaultyHost> {
    const host = new FaultyHost();
    await new Promise<void>((resolve) => host.#server.listen(0, '127.0.0.1', resolve));
    return host;
  }

  /** Its URL, without a path. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Fails and recovers in turns until the signal, and is well then. */
  async failInTurns(random: () => number, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      this.#change('well');
      await passes(50 + random() * 250);
      if (over.aborted) break;
      this.#change(FAULTS[Math.floor(random() * FAULTS.length)]!);
      await passes(100 + random() * 300);
    }
    this.#change('well');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #change(mode: Mode): void {
    this.#mode = mode;
    if (mode === 'gone') this.#server.closeAllConnections();
  }

  async #answer(
    path: string,
    headers: IncomingHttpHeaders,
    body: Buffer,
    response: ServerResponse,
  ): Promise<void> {
    const arrival = this.#note(path, headers, body);
    const queue = arrival.key === null ? null : `${path} ${arrival.key}`;
    if (queue !== null) {
      const other = this.#inFlight.get(queue);
      if (other !== undefined) {
        this.overlaps.push(`${queue}: ${other.sequence} and ${arrival.sequence}`);
      }
      this.#inFlight.set(queue, arrival);
      response.once('close', () => {
        if (this.#inFlight.get(queue) === arrival) this.#inFlight.delete(queue);
      });
    }
    const isFirst = !this.#known.has(`${path} ${arrival.id}`);
    this.#known.add(`${path} ${arrival.id}`);
    // Long enough to meet another request of the key.
    await passes((arrival.sequence ?? 0) % 4);
    const mode = this.#mode;
    if (mode === 'gone') return void response.destroy();
    const [status, retryAfter] = ANSWERS[mode] as readonly [number, string?];
    if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
    arrival.status = mode === 'well' && this.rejects(arrival, isFirst) ? REJECTED : status;
    response.writeHead(arrival.status).end();
  }

  #note(path: string, headers: IncomingHttpHeaders, body: Buffer): Arrival {
    try {
      this.#verifier.verify(body, headers as Record<string, string>);
    } catch (error) {
      this.unverified.push(`${path} ${String(headers['webhook-id'])}: ${String(error)}`);
    }
    const { 'hook-key': key, 'hook-sequence': sequence } = headers;
    const arrival: Arrival = {
      path,
      id: String(headers['webhook-id']),
      event: String(headers['hook-event']),
      key: key === undefined ? null : String(key),
      sequence: sequence === undefined ? null : Number(sequence),
      body: body.toString(),
      status: 0,
    };
    this.arrivals.push(arrival);
    return arrival;
  }
}
