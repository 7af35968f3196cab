import type { Dispatcher } from 'undici';
import type { AttemptErrorCode } from '../attempt/attempt.js';
import { Timed } from './deadlines.js';
import { attemptError, isParserAssertion, toAttemptError } from './transport-errors.js';
import type { WebhookRequest, WebhookResponse } from './webhook-http-client.js';

/** An answer as received; its headers are decoded on first access. */
export class RawResponse implements WebhookResponse {
  #headers: Record<string, string | string[] | undefined> | null = null;

  constructor(
    readonly status: number,
    private readonly rawHeaders: readonly Buffer[],
    readonly body: Buffer,
    readonly truncated: boolean,
    readonly address: string | null,
  ) {}

  get headers(): Readonly<Record<string, string | string[] | undefined>> {
    this.#headers ??= decode(this.rawHeaders);
    return this.#headers;
  }
}

function decode(raw: readonly Buffer[]): Record<string, string | string[] | undefined> {
  // Without a prototype: an endpoint may send a header of any name.
  const headers = Object.create(null) as Record<string, string | string[] | undefined>;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]!.toString('latin1').toLowerCase();
    const value = raw[at + 1]!.toString('latin1');
    const known = headers[name];
    if (known === undefined) headers[name] = value;
    else if (typeof known === 'string') headers[name] = [known, value];
    else known.push(value);
  }
  return headers;
}

const MAX_INFORMATIONAL_ANSWERS = 16;
const NOTHING: Buffer = Buffer.alloc(0);

/** The connection of an exchange, notified of the end so that it is reused or dropped. */
export interface Carrier {
  readonly address: string | null;
  /** The code of a request that expires now. */
  readonly timeoutCode: AttemptErrorCode;
  /** The answer was read completely. */
  done(): void;
  /** The exchange has ended, and the connection cannot be reused. */
  broken(): void;
}

/** The queue of exchanges that wait for a connection. */
export interface WaitingRoom {
  leave(exchange: Exchange): void;
}

/**
 * One request and its answer, as an undici dispatch handler. Headers arrive as raw bytes, because a successful delivery
 * needs none of them decoded.
 */
export class Exchange extends Timed implements Dispatcher.DispatchHandler {
  carrier: Carrier | null = null;
  #isOver = false;
  #abort: ((error?: Error) => void) | null = null;
  #status = 0;
  #informational = 0;
  #headers: readonly Buffer[] = [];
  #chunks: Buffer[] | null = null;
  #received = 0;

  constructor(
    readonly request: WebhookRequest,
    readonly path: string,
    private readonly maxAnswerBytes: number,
    private readonly room: WaitingRoom,
    private readonly resolve: (answer: WebhookResponse) => void,
    private readonly reject: (error: Error) => void,
    private readonly onOver: (exchange: Exchange) => void,
  ) {
    super();
  }

  override extension(): number {
    return this.request.timeLeft?.() ?? 0;
  }

  override expire(): void {
    const { timeoutCode = 'timeout', address = null } = this.carrier ?? {};
    this.#fail(attemptError(timeoutCode, address));
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort;
    if (this.#isOver) abort();
    else if (this.request.timeLeft !== undefined && this.request.timeLeft() <= 0) this.expire();
  }

  onHeaders(status: number, headers: Buffer[]): boolean {
    if (status >= 200) {
      this.#status = status;
      this.#headers = headers;
    } else if (++this.#informational > MAX_INFORMATIONAL_ANSWERS) {
      this.#fail(
        attemptError('protocol', this.carrier?.address ?? null, 'endless informational answers'),
      );
    }
    return true;
  }

  onData(chunk: Buffer): boolean {
    const room = this.maxAnswerBytes - this.#received;
    (this.#chunks ??= []).push(chunk.length <= room ? chunk : chunk.subarray(0, room));
    this.#received += chunk.length;
    if (chunk.length <= room) return true;
    this.#succeed(true);
    return false;
  }

  onComplete(): void {
    this.#succeed(false);
  }

  onError(error: Error): void {
    const address = this.carrier?.address ?? null;
    // An assertion that fails before the request was sent has nothing to do with an answer.
    const isAnswerImpossible = this.#abort !== null && isParserAssertion(error);
    this.#fail(
      isAnswerImpossible ? attemptError('protocol', address) : toAttemptError(error, address),
    );
  }

  #succeed(truncated: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.onOver(this);
    const address = this.carrier?.address ?? null;
    // Copied, because a chunk is a view of a larger buffer.
    const body = this.#chunks === null ? NOTHING : Buffer.concat(this.#chunks);
    this.resolve(new RawResponse(this.#status, this.#headers, body, truncated, address));
    if (truncated) this.#giveUp();
    else this.carrier?.done();
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.onOver(this);
    this.reject(error);
    this.#giveUp();
  }

  #giveUp(): void {
    if (this.carrier === null) this.room.leave(this);
    else {
      this.#abort?.();
      this.carrier.broken();
    }
  }
}
