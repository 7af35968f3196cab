import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PublicRecipientPolicyOptions } from '../delivery/index.js';
import { InvalidInputError } from '../errors/index.js';
import { Arrivals, type WaitOptions } from './arrival-waiter.js';
import { ReceivedWebhook } from './received-webhook.js';

/** An answer of a {@link ScriptedReceiver}: a status alone, or in detail. */
export type ScriptedAnswer =
  | number
  /** The request is read and never answered. */
  | 'hang'
  /** The request is read and the connection reset. */
  | 'reset'
  | {
      /** Default 204, or 200 with a body. */
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      readonly body?: string | Buffer;
      /** Milliseconds between the request and its answer. Default 0. */
      readonly delay?: number;
    };

/** Lets webhooks reach receivers on this machine: `ThornModule.forRoot({ recipients: LOOPBACK_RECIPIENTS })`. */
export const LOOPBACK_RECIPIENTS: PublicRecipientPolicyOptions = {
  allowedPorts: 'any',
  allowCidrs: ['127.0.0.1/32', '::1/128'],
};

/**
 * An endpoint on loopback for tests: a real HTTP server that answers by a script and keeps the requests.
 *
 * @example
 * ```ts
 * const receiver = await ScriptedReceiver.start();
 * receiver.answer(500, { status: 429, headers: { 'Retry-After': '2' } }, 'reset');
 * await subscribers.create({ url: receiver.url, events: ['*'], secret });
 * …
 * const [first] = await receiver.waitFor(4);
 * expect(first.isSignedWith(secret)).toBe(true);
 * await receiver.stop();
 * ```
 */
export class ScriptedReceiver {
  readonly #arrivals = new Arrivals<ReceivedWebhook>(({ event, path }) => event || path);
  readonly #server: Server;
  readonly #queue: ScriptedAnswer[] = [];
  readonly #delays = new Set<NodeJS.Timeout>();
  #otherwise: (webhook: ReceivedWebhook) => ScriptedAnswer = () => 204;
  #connections = 0;

  private constructor() {
    this.#server = createServer((request, response) => void this.#receive(request, response));
    this.#server.on('connection', () => this.#connections++);
  }

  /** Starts a receiver on a free port of 127.0.0.1. */
  static async start(): Promise<ScriptedReceiver> {
    const receiver = new ScriptedReceiver();
    await new Promise<void>((resolve, reject) => {
      receiver.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return receiver;
  }

  /** URL of the receiver; any other path of the same origin is received as well. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hooks`;
  }

  /** Number of connections that were opened so far. */
  get connections(): number {
    return this.#connections;
  }

  /** Webhooks received since the last {@link clear}, oldest first. */
  get received(): readonly ReceivedWebhook[] {
    return this.#arrivals.items;
  }

  /**
   * Appends answers to the script, one for each of the next requests; after them {@link otherwise} applies.
   *
   * @throws `InvalidInputError` when a value is not an answer
   */
  answer(...answers: readonly ScriptedAnswer[]): this {
    for (const answer of answers) checkAnswer(answer);
    this.#queue.push(...answers);
    return this;
  }

  /**
   * Sets the answer after the end of the script: a constant, or a function of the request. Default 204.
   *
   * @throws `InvalidInputError` when the value is not an answer. If the function returns no answer, the request gets a
   *   500 with the reason.
   */
  otherwise(answer: ScriptedAnswer | ((webhook: ReceivedWebhook) => ScriptedAnswer)): this {
    if (typeof answer !== 'function') checkAnswer(answer);
    this.#otherwise = typeof answer === 'function' ? answer : () => answer;
    return this;
  }

  /**
   * Resolves to all received webhooks once there are `count` or more, or to the first one that satisfies a predicate.
   *
   * @throws {@link WaitTimeoutError} when the time is up
   */
  waitFor(count: number, options?: WaitOptions): Promise<readonly ReceivedWebhook[]>;
  waitFor(
    predicate: (webhook: ReceivedWebhook) => boolean,
    options?: WaitOptions,
  ): Promise<ReceivedWebhook>;
  waitFor(
    wanted: number | ((webhook: ReceivedWebhook) => boolean),
    options?: WaitOptions,
  ): Promise<readonly ReceivedWebhook[] | ReceivedWebhook> {
    if (typeof wanted === 'function') {
      const find = (items: readonly ReceivedWebhook[]) => items.find(wanted);
      return this.#arrivals.waitFor('a certain webhook', find, options);
    }
    const find = (items: readonly ReceivedWebhook[]) =>
      items.length >= wanted ? items : undefined;
    return this.#arrivals.waitFor(`${wanted} webhooks`, find, options);
  }

  /** Forgets the received webhooks and the rest of the script. */
  clear(): void {
    this.#arrivals.clear();
    this.#queue.length = 0;
  }

  /** Closes every connection, and the server. */
  async stop(): Promise<void> {
    for (const delay of this.#delays) clearTimeout(delay);
    const stopped = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await stopped;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    if (body === null) return;
    const { method = '', url = '', headers } = request;
    const webhook = new ReceivedWebhook(method, url, headers, body);
    const answer = this.#queue.shift() ?? this.#answerOtherwise(webhook);
    this.#arrivals.add(webhook);
    if (answer === 'hang') return;
    if (answer === 'reset') request.socket.resetAndDestroy();
    else if (typeof answer === 'number') response.writeHead(answer).end();
    else this.#write(response, answer);
  }

  // Thrown here, an error would end the process of the tests.
  #answerOtherwise(webhook: ReceivedWebhook): ScriptedAnswer {
    try {
      const answer = this.#otherwise(webhook);
      checkAnswer(answer);
      return answer;
    } catch (error) {
      return { status: 500, body: error instanceof Error ? error.message : String(error) };
    }
  }

  #write(response: ServerResponse, answer: Exclude<ScriptedAnswer, number | string>): void {
    const {
      status = answer.body === undefined ? 204 : 200,
      headers = {},
      body,
      delay = 0,
    } = answer;
    const write = () => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      response.writeHead(status).end(body);
    };
    if (delay === 0) return write();
    const timer = setTimeout(() => {
      this.#delays.delete(timer);
      write();
    }, delay);
    this.#delays.add(timer);
  }
}

const DETAILS = ['status', 'headers', 'body', 'delay'];

function checkAnswer(answer: unknown): asserts answer is ScriptedAnswer {
  if (answer === 'hang' || answer === 'reset') return;
  if (typeof answer === 'number') return checkStatus('answer', answer);
  if (typeof answer !== 'object' || answer === null) {
    throw new InvalidInputError('answer', "must be a status, 'hang', 'reset' or an object");
  }
  const { status, headers, body, delay, ...rest } = answer as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw new InvalidInputError(`answer.${unknown}`, `is unknown. Use ${DETAILS.join(', ')}`);
  }
  if (status !== undefined) checkStatus('answer.status', status);
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw new InvalidInputError('answer.body', 'must be a text or a Buffer: use JSON.stringify()');
  }
  if (delay !== undefined && !(typeof delay === 'number' && delay >= 0 && delay < 2 ** 31)) {
    throw new InvalidInputError('answer.delay', 'must be milliseconds from 0 to 2147483647');
  }
  checkHeaders(headers ?? {});
}

function checkStatus(field: string, status: unknown): void {
  if (Number.isInteger(status) && (status as number) >= 200 && (status as number) <= 999) return;
  // 1xx announces another answer, and clients wait for that.
  throw new InvalidInputError(field, 'must be a status from 200 to 999');
}

function checkHeaders(headers: object): void {
  try {
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name);
      for (const one of [value].flat()) validateHeaderValue(name, one as string);
    }
  } catch (error) {
    throw new InvalidInputError(
      'answer.headers',
      `are refused by Node: ${(error as Error).message}`,
    );
  }
}

/** Reads the body; null when the connection ended in the middle. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return null;
  }
  return Buffer.concat(chunks);
}
