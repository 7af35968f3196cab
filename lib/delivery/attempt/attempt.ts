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
   * Headers of the answer that may be kept, names in lower case, 4 KiB at most. Null without an answer, and for attempts
   * whose headers the option `answerHeaders` does not keep: by default those that succeeded.
   */
  readonly answerHeaders: Readonly<Record<string, string>> | null;
  /** `Retry-After` as the endpoint sent it, or null. */
  readonly retryAfter: string | null;
  /** The dialled address, for operators; null when unknown. */
  readonly address: string | null;
}
