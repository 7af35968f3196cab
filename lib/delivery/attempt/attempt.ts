import { ThornError } from '../../errors/index.js';

/**
 * The reason why an attempt got no usable answer; stable words for logs and programs. `proxy`: the egress proxy could
 * not be used, which says nothing about the endpoint.
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
  /** The first bytes of the answer, 16 KiB at most; empty without an answer. */
  readonly response: Buffer;
  /**
   * The headers of the answer that are kept, names in lower case, at most 4 KiB. Null when there was no answer, and
   * when the option `answerHeaders` keeps none: by default, when the attempt succeeded.
   */
  readonly answerHeaders: Readonly<Record<string, string>> | null;
  /** `Retry-After` as the endpoint sent it, or null. */
  readonly retryAfter: string | null;
  /** The dialled address, for operators; null when unknown. */
  readonly address: string | null;
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
export type FailureReason = 'exhausted' | 'gone' | 'refused' | 'disabled' | 'expired' | 'cancelled';

const ALL: Readonly<Record<FailureReason, true>> = {
  exhausted: true,
  gone: true,
  refused: true,
  disabled: true,
  expired: true,
  cancelled: true,
};

/** All failure reasons. */
export const FAILURE_REASONS = Object.keys(ALL) as readonly FailureReason[];

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

/** One request of a delivery, as the delivery log stores it. */
export interface AttemptRecord {
  /** 1 for the first. */
  readonly number: number;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** Milliseconds. */
  readonly duration: number;
  /** The status of the answer, or null without an answer. */
  readonly status: number | null;
  /** The error of a request without an answer, or null. The text is for operators: it may contain a private address. */
  readonly error: { readonly code: AttemptErrorCode; readonly message: string } | null;
  /** The first 16 KiB of the answer as text; null when the answer was empty, or has been dropped since. */
  readonly response: string | null;
  /** The headers of the answer that are kept; null when none are, or when they have been dropped since. */
  readonly answerHeaders: Readonly<Record<string, string>> | null;
  /** The dialled address, for operators; null when unknown. */
  readonly address: string | null;
}

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
