/**
 * Why an attempt got no usable answer; stable words for logs and programs. `proxy`: the egress proxy could not be used,
 * which says nothing of the endpoint.
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
  | 'internal';

/** What became of one HTTP request of a delivery. */
export interface Attempt {
  /** `dlv_` and a UUIDv7: the delivery this attempt belongs to, sent as `Hook-Delivery`. */
  readonly deliveryId: string;
  /** Id of the message. */
  readonly messageId: string;
  readonly event: string;
  /** Id of the subscriber. */
  readonly subscriberId: string;
  /** `succeeded` on any 2xx, else `failed`. */
  readonly outcome: 'succeeded' | 'failed';
  /** The answer's status, or null when there was none. */
  readonly status: number | null;
  /** Why it failed without an answer, or null. The text names no secret and no query string. */
  readonly error: { readonly code: AttemptErrorCode; readonly message: string } | null;
  /** When the attempt began, in milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** How long it took in milliseconds. */
  readonly duration: number;
  /** The first bytes of the answer, 16 KiB at most; empty when there was none. */
  readonly response: Buffer;
  /** `Retry-After` as the endpoint sent it, or null. */
  readonly retryAfter: string | null;
  /** The dialled address, for operators; null when unknown. */
  readonly address: string | null;
}
