import { ThornError, InvalidInputError } from '../../errors/index.js';

/**
 * Reasons for which a webhook is rejected.
 *
 * - `missing-header`, `malformed-header`: the request is not signed in the way of the scheme
 * - `too-old`, `too-new`: the timestamp is further away than the tolerance allows
 * - `wrong-signature`: none of its signatures was made with one of the secrets over these bytes
 * - `unreadable-body`: the signature is valid, but the body does not fit its content type
 */
export type RejectionReason =
  | 'missing-header'
  | 'malformed-header'
  | 'too-old'
  | 'too-new'
  | 'wrong-signature'
  | 'unreadable-body';

/**
 * Thrown when a webhook could not be verified, by schemes and by `verifyWebhook()`. The reason is for the operator; the
 * response to the sender does not contain it.
 */
export class WebhookRejectedError extends ThornError {
  readonly code = 'THORN_WEBHOOK_REJECTED';

  /** @param explanation a sentence part for the operator, without anything that was received */
  constructor(
    readonly reason: RejectionReason,
    readonly explanation: string,
  ) {
    super(`The webhook is rejected: ${explanation}`, { reason });
  }
}

/** A request in the form that schemes read. */
export interface SignedRequest {
  /** Names in lower case; a repeated header is one text, joined with `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The exact bytes that were received. */
  readonly body: Buffer;
}

/** Headers as Node, Express, Fastify, queues and `fetch` have them; names in any case. */
export type HeadersSource =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | Iterable<readonly [string, string]>;

/**
 * Brings a request into the form that schemes read.
 *
 * @throws {@link InvalidInputError} when the body is no longer the bytes that were received
 */
export function signedRequest(headers: HeadersSource, body: string | Uint8Array): SignedRequest {
  return { headers: normalised(headers), body: bytesOf(body) };
}

function normalised(source: HeadersSource): SignedRequest['headers'] {
  if (typeof source !== 'object' || source === null) {
    throw new InvalidInputError('headers', 'must be an object of names and values');
  }
  // Without a prototype, so that inherited names are not taken for headers.
  const headers = Object.create(null) as Record<string, string>;
  const pairs = Symbol.iterator in source ? source : Object.entries(source);
  for (const [name, value] of pairs) {
    if (value === undefined) continue;
    checkHeader(name, value);
    const text = typeof value === 'string' ? value : value.join(', ');
    const key = name.toLowerCase();
    headers[key] = headers[key] === undefined ? text : `${headers[key]}, ${text}`;
  }
  return headers;
}

/** Queues may hold headers of any kind. */
function checkHeader(name: unknown, value: unknown): void {
  if (typeof name === 'string' && (typeof value === 'string' || Array.isArray(value))) return;
  throw new InvalidInputError(
    'headers',
    `must be texts, and ${String(name)} is ${value === null ? 'null' : `a ${typeof value}`}; convert it to a text or leave it out`,
  );
}

function bytesOf(body: unknown): Buffer {
  if (typeof body === 'string') return Buffer.from(body);
  if (Buffer.isBuffer(body)) return body;
  if (body instanceof Uint8Array) {
    return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  }
  throw new InvalidInputError(
    'body',
    'must be the raw body, as a string or bytes. A body that was parsed and written again no longer fits its signature',
  );
}
