/**
 * A row of `thorn_attempts`: an HTTP request of a delivery behind the first, which the delivery's own row holds. Written by
 * the worker that made the request. Deleted with its delivery.
 */
export class ThornAttempt {
  /** As `id` in `thorn_deliveries`. */
  deliveryId!: string;

  /** 2 for the second request of the delivery. */
  number!: number;

  /** The start of the request. */
  startedAt!: number;

  /** Milliseconds that the request took. */
  duration!: number;

  /** The answer's status; null when there was none. */
  status!: number | null;

  /** Why there was no answer, one of `AttemptErrorCode`. */
  errorCode!: string | null;

  /** The same in words. */
  errorMessage!: string | null;

  /** The first 16 KiB of the answer, as far as it is UTF-8; null when it was empty, or once expunged. */
  response!: string | null;

  /** The dialled address, for operators. */
  address!: string | null;

  /** JSON: headers of the answer, up to 4 KiB; null when none are kept, or once expunged. */
  answerHeaders!: string | null;
}
