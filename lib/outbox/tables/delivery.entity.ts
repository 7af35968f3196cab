/**
 * A row of `thorn_deliveries`: one message to one subscriber, with its first attempt. Written by workers, once that attempt has
 * ended or has to wait. Deleted by workers, `retentionDays` after it was finished.
 *
 * Only what has to be tried again is ever changed.
 *
 * `host` and `dueAt` are set while it waits, and null once it is finished: what is finished is in none of their indexes.
 * `permitAt` is part of two of them so that what waits for a limit is counted without a look at the rows.
 *
 * `startedAt`, `duration`, `responseStatus`, `errorCode`, `errorMessage`, `response`, `address` and `answerHeaders` are the
 * first attempt, with the meaning that they have in `ThornAttempt`. They are null until it has ended, and if the delivery
 * log does not keep it.
 *
 * The columns are in the order of their alignment, which leaves no gaps in the rows of PostgreSQL.
 */
export class ThornDelivery {
  /** The id without its prefix `dlv_`, made of the message and the subscriber. */
  id!: string;

  /** As in `thorn_messages`. */
  messageId!: string;

  /** The id of the subscriber without its prefix `sub_`, or a hash of `givenSubscriberId`. */
  subscriberId!: string;

  /** A hash of the message's key while an unfinished delivery is ordered; otherwise null. */
  keyHash!: string | null;

  /**
   * The position among the unfinished deliveries of the subscriber and the key: 0 of the one whose turn it is, else the
   * sequence of the message.
   *
   * So at most one has its turn. What a bulk operation adds is behind all sequences until it ends.
   */
  queuePosition!: number | null;

  /**
   * The next attempt or, while a process holds the delivery, the end of the lease. Behind all times while it waits for
   * its turn.
   */
  dueAt!: number | null;

  /** The expected time of the permit while the delivery only waits for the subscriber's rate limit; otherwise null. */
  permitAt!: number | null;

  /** The start of the latest attempt; null where `startedAt` says the same. */
  attemptedAt!: number | null;

  /** The time at which it succeeded or failed for good; null before. */
  finishedAt!: number | null;

  /** The start of the first attempt. */
  startedAt!: number | null;

  /** Attempts that count against the retry policy. */
  attempts!: number;

  /** Attempts that do not count: answered 429, or made while the host was down. */
  throttled!: number;

  /** Requests made, all of them. */
  requests!: number;

  /** Milliseconds of the first attempt. */
  duration!: number | null;

  /** The status of the first attempt's answer. */
  responseStatus!: number | null;

  /** As `given_id` in `thorn_messages`. */
  givenMessageId!: string | null;

  /** The id of a subscriber that the application has named; null for `sub_` and a UUID. */
  givenSubscriberId!: string | null;

  /** Name of the event. */
  event!: string;

  /** `pending`, `succeeded` or `failed`. */
  status!: string;

  /** Why it failed; null unless it did. */
  reason!: string | null;

  /** Host and port that it waits for. */
  host!: string | null;

  /** The token of the process that holds it. */
  lease!: string | null;

  /** Why the first attempt got no answer. */
  errorCode!: string | null;

  /** The same in words. */
  errorMessage!: string | null;

  /** The beginning of the first attempt's answer. */
  response!: string | null;

  /** The address that the first attempt dialled. */
  address!: string | null;

  /** JSON: headers of the first attempt's answer. */
  answerHeaders!: string | null;
}
