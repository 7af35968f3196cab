import { errorText } from '../../common/log.js';
import { RecipientRefusedError, ThornError } from '../../errors/index.js';
import type { Message } from '../../message/message.js';
import type { Recipient } from '../../message/recipient.js';
import type { WebhookResponse } from '../http/webhook-http-client.js';
import type { AnswerHeaders } from './answer-headers.js';
import { type SentCredentials, withoutCredentials } from './echoed-credentials.js';

/**
 * The reason why an attempt got no usable answer; stable words for logs and programs. `proxy`: the egress proxy could
 * not be used, which says nothing about the endpoint. `oauth-token`: the token endpoint of the subscriber gave no access
 * token, so that no request was sent to the endpoint.
 */
export type AttemptErrorCode =
  | 'timeout'
  | 'connection-refused'
  | 'connection-reset'
  | 'unreachable'
  | 'name-not-resolved'
  | 'tls'
  | 'protocol'
  | 'proxy'
  | 'recipient-refused'
  | 'oauth-token'
  | 'unencodable'
  | 'too-large'
  | 'internal';

/** Errors that are no fault of the endpoint's, nor of its address. */
export const OWN_ERRORS: ReadonlySet<AttemptErrorCode | undefined> = new Set([
  'internal',
  'unencodable',
  'too-large',
  'proxy',
]);

/** The result of one HTTP request of a delivery. */
export interface Attempt {
  /** `dlv_` and a UUIDv7: the id of the delivery, sent as `Hook-Delivery`. */
  readonly deliveryId: string;
  /** Id of the message. */
  readonly messageId: string;
  readonly event: string;
  /** Id of the subscriber. */
  readonly subscriberId: string;
  /** `succeeded` on any 2xx, else `failed`. */
  readonly outcome: 'succeeded' | 'failed';
  /** The status of the answer, or null without an answer. */
  readonly status: number | null;
  /**
   * The error of an attempt that failed without an answer, or null. The text contains no secret and no query string.
   */
  readonly error: { readonly code: AttemptErrorCode; readonly message: string } | null;
  /** The start of the attempt, in milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** The duration in milliseconds. */
  readonly duration: number;
  /** The first bytes of the answer, 16 KiB at most, with `***` for credentials; empty without an answer. */
  readonly response: Buffer;
  /**
   * The headers of the answer that are kept, names in lower case, at most 4 KiB, with `***` for credentials. Null when there was no answer, and
   * when the option `answerHeaders` keeps none: by default, when the attempt succeeded.
   */
  readonly answerHeaders: Readonly<Record<string, string>> | null;
  /** `Retry-After` as the endpoint sent it, or null. */
  readonly retryAfter: string | null;
  /** The dialled address, for operators; null when unknown. */
  readonly address: string | null;
}

/** One request of a delivery, as the delivery log stores it. */
export interface AttemptRecord extends Pick<
  Attempt,
  'startedAt' | 'duration' | 'status' | 'address'
> {
  /** 1 for the first. */
  readonly number: number;
  /** The error of a request without an answer, or null. The text is for operators: it may contain a private address. */
  readonly error: Attempt['error'];
  /** The first 16 KiB of the answer as text; null when the answer was empty, or has been dropped since. */
  readonly response: string | null;
  /** The headers of the answer that are kept; null when none are, or when they have been dropped since. */
  readonly answerHeaders: Attempt['answerHeaders'];
}

/** An attempt as the owner of an endpoint may see it; `Response` is bytes or text, as in the attempt. */
export interface OwnerAttempt<Response> extends Pick<
  Attempt,
  'startedAt' | 'status' | 'answerHeaders'
> {
  /** Milliseconds; null when the endpoint was unreachable, because the duration would reveal the reason. */
  readonly duration: number | null;
  /** The error of an attempt without an answer, or null. The text names no address. */
  readonly error: { readonly code: OwnerErrorCode; readonly message: string } | null;
  /** The beginning of the answer. */
  readonly response: Response;
}

/**
 * The reason why a delivery ended without success.
 *
 * - `exhausted`: the retry policy allows no further attempt; `inline()` never retries
 * - `gone`: the endpoint answered 410, and the subscriber was disabled
 * - `refused`: the recipient policy does not allow the destination
 * - `disabled`: the subscriber was disabled or removed in the meantime
 * - `expired`: the subscriber's end has passed
 * - `cancelled`: the delivery was cancelled on request
 */
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** All failure reasons. */
export const FAILURE_REASONS = [
  'exhausted',
  'gone',
  'refused',
  'disabled',
  'expired',
  'cancelled',
] as const;

/** The state of a delivery: waiting for an attempt, or ended. */
export type DeliveryStatus = 'pending' | 'succeeded' | 'failed';

/** Thrown by a {@link WebhookHttpClient} when a request ended without an answer. */
export class AttemptError extends ThornError {
  readonly code = 'THORN_ATTEMPT';

  /** @param reason the code that the delivery log records */
  constructor(
    readonly reason: AttemptErrorCode,
    message: string,
    data: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, { reason, ...data }, cause);
  }
}

// ── How an attempt is made ─────────────────────────────────────────────────────────────────────────────────────────────

const NO_ANSWER: Buffer = Buffer.alloc(0);

/** The context of an attempt. */
export interface AttemptFrame {
  readonly delivery: string;
  readonly message: Message;
  readonly recipient: Recipient;
  readonly startedAt: number;
  /** Additional headers. */
  readonly tracing: Readonly<Record<string, string>> | undefined;
  readonly bounds?: AttemptBounds | undefined;
  /** The value of the header `Authorization`. A secret. */
  readonly authorization?: string;
  /** The access tokens that requests of this attempt were sent with. Secrets. */
  readonly tokens: string[];
}

/** Limits of an attempt besides its timeout: after them, another process may make the same attempt. */
export interface AttemptBounds {
  /** Returns the milliseconds that are left; they may grow meanwhile. */
  readonly timeLeft: () => number;
}

/** The attempt of a request that was answered: any 2xx has succeeded. */
export function answeredAttempt(
  frame: AttemptFrame,
  answer: WebhookResponse,
  now: number,
  kept: AnswerHeaders,
): Attempt {
  const { status, body, truncated, address, addedHeaders } = answer;
  const isSuccess = status >= 200 && status < 300;
  const sent = { ...frame, addedHeaders };
  return attemptOf(frame, now, {
    outcome: isSuccess ? 'succeeded' : 'failed',
    status,
    error: null,
    response: shownBody(body, sent, truncated),
    answerHeaders: kept.kept(answer, isSuccess, (value) => withoutCredentials(value, sent)),
    retryAfter: isSuccess ? null : first(answer.headers['retry-after']),
    address,
  });
}

function shownBody(body: Buffer, sent: SentCredentials, truncated: boolean): Buffer {
  const text = body.toString('latin1');
  const shown = withoutCredentials(text, sent, truncated);
  return shown === text ? body : Buffer.from(shown, 'latin1');
}

/** The attempt of a request that was not made or not answered. */
export function failedAttempt(frame: AttemptFrame, cause: unknown, now: number): Attempt {
  return attemptOf(frame, now, {
    outcome: 'failed',
    status: null,
    ...describeFailure(cause),
    response: NO_ANSWER,
    answerHeaders: null,
    retryAfter: null,
  });
}

function attemptOf(
  { delivery, message, recipient, startedAt }: AttemptFrame,
  now: number,
  result: Omit<
    Attempt,
    'deliveryId' | 'messageId' | 'event' | 'subscriberId' | 'startedAt' | 'duration'
  >,
): Attempt {
  return {
    deliveryId: delivery,
    messageId: message.id,
    event: message.event,
    subscriberId: recipient.id,
    startedAt,
    duration: Math.max(0, now - startedAt),
    ...result,
  };
}

function describeFailure(
  cause: unknown,
): Pick<Attempt, 'address'> & { error: NonNullable<Attempt['error']> } {
  if (cause instanceof RecipientRefusedError) {
    const error = { code: 'recipient-refused' as const, message: cause.message };
    return { error, address: text(cause.data['address']) };
  }
  if (cause instanceof AttemptError) {
    const error = { code: cause.reason, message: cause.message };
    return { error, address: text(cause.data['address']) };
  }
  const name = cause instanceof Error ? `${cause.name}: ` : '';
  return { error: { code: 'internal', message: name + errorText(cause) }, address: null };
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function first(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

// ── How it is stored, and shown ────────────────────────────────────────────────────────────────────────────────────────

/**
 * Creates the record of an attempt. Every database can store its texts.
 *
 * @param number of the attempt, 1 for the first
 */
export function attemptRecordOf(
  number: number,
  { startedAt, duration, status, error, response, answerHeaders, address }: Attempt,
): AttemptRecord {
  return {
    number,
    startedAt,
    duration: Math.round(duration),
    status,
    error: error === null ? null : { code: error.code, message: storable(error.message) },
    response: response.length === 0 ? null : storable(response.toString()),
    answerHeaders,
    address,
  };
}

/** PostgreSQL rejects NUL and lone surrogates; one bad text would fail the whole set. */
function storable(text: string): string {
  return Buffer.from(text).toString().replaceAll('\0', '');
}

/**
 * The {@link AttemptErrorCode} that the owner of an endpoint may see. `unreachable` stands for several codes, because
 * their differences would reveal the network behind a name or an address: refused by the policy, refused by the
 * machine, no route, no such name.
 */
export type OwnerErrorCode = Exclude<
  AttemptErrorCode,
  'recipient-refused' | 'connection-refused' | 'name-not-resolved' | 'proxy'
>;

/** {@link FailureReason} as the owner of an endpoint may see it. */
export type OwnerFailureReason = Exclude<FailureReason, 'refused'>;

const TEXTS: Readonly<Record<OwnerErrorCode, string>> = {
  timeout: 'The endpoint did not answer in time',
  'connection-reset': 'The connection was lost before the answer was complete',
  unreachable: 'The endpoint could not be reached',
  tls: 'No trusted TLS connection could be made',
  protocol: 'The endpoint’s answer is not valid HTTP',
  'oauth-token': 'The token endpoint gave no token',
  unencodable: 'The message could not be encoded',
  'too-large': 'The body is larger than the format of the endpoint or a template allows',
  internal: 'The application could not send the request',
};

/**
 * An attempt as the owner of its endpoint may see it: without the dialled address, and with the same code for blocked,
 * refused and unreachable addresses. Use it for everything that users see, such as a REST API; operators may see the
 * attempt itself.
 *
 * @param attempt an attempt, or its record in a log
 * @example
 * ```ts
 * const { attempts } = (await deliveries.findById(id, { owner }))!;
 * return attempts.map((attempt) => ({ number: attempt.number, ...ownerView(attempt) }));
 * ```
 */
export function ownerView<Response>({
  startedAt,
  duration,
  status,
  error: reason,
  response,
  answerHeaders,
}: Pick<Attempt, 'startedAt' | 'duration' | 'status' | 'error' | 'answerHeaders'> & {
  readonly response: Response;
}): OwnerAttempt<Response> {
  const error = reason && ownerError(reason);
  return {
    startedAt,
    duration: error?.code === 'unreachable' ? null : duration,
    status,
    error,
    response,
    answerHeaders,
  };
}

function ownerError({ code: reason, message }: NonNullable<Attempt['error']>) {
  const code = ownerCode(reason);
  return { code, message: `${TEXTS[code]}${detailOf(code, message)}.` };
}

/** The failure reason as the owner of the endpoint may see it: a refused delivery is reported as exhausted. */
export function ownerReason(reason: FailureReason | null): OwnerFailureReason | null {
  return reason === 'refused' ? 'exhausted' : reason;
}

/**
 * The detail that the owner can fix: the OpenSSL code of a fault in the endpoint's certificate, or the status and the error
 * code of a token endpoint.
 */
function detailOf(code: OwnerErrorCode, message: string): string {
  const word = DETAILS[code]?.exec(message)?.[1];
  return word === undefined ? '' : ` (${word})`;
}

const DETAILS: Partial<Record<OwnerErrorCode, RegExp>> = {
  tls: /\(([A-Z][A-Z0-9_]+)\)\.?$/,
  'oauth-token': /\((\d{3}(?: [a-z_]+)?|no [\w ]+ in its answer)\)\.$/,
};

/** The code of an error as the owner of the endpoint may see it. */
export function ownerCode(code: AttemptErrorCode): OwnerErrorCode {
  switch (code) {
    case 'recipient-refused':
    case 'connection-refused':
    case 'name-not-resolved':
    case 'proxy':
      return 'unreachable';
    default:
      // A stored code may be newer than this version.
      return Object.hasOwn(TEXTS, code) ? code : 'internal';
  }
}
