/**
 * A row of `thorn_messages`: one occurrence of an event. Written by the process that sends, in the transaction that it belongs
 * to. Deleted by workers with its deliveries, `retentionDays` after it was sent.
 */
export class ThornMessage {
  /** The id of the message without its prefix `msg_`, or a hash of `givenId`. */
  id!: string;

  /** The id that the application has given to the message; null for a generated one. */
  givenId!: string | null;

  /** Name of the event. */
  event!: string;

  /** The time at which it was sent. */
  time!: number;

  /** The number among the messages of its key; null without a key. */
  sequence!: number | null;

  /** The owner of the event; null without one. */
  owner!: string | null;

  /** Whose subscribers get it: those of `everyone`, or of the `owner`. */
  audience!: string;

  /** The address of the thing that the event is about. */
  ref!: string | null;

  /** The id of its data, else its key, else its ref, unless the event names something else; null once the body is dropped. */
  subject!: string | null;

  /** JSON: extra HTTP headers, an object of texts. */
  headers!: string;

  /** JSON: what the event says about its deliveries. */
  settings!: string;

  /** The subscribers of this message alone. */
  recipients!: unknown;

  /**
   * The signed and sent text, byte for byte in UTF-8; null once expunged.
   *
   * TypeORM has no type for long texts that every database knows; this one keeps the text as it is on PostgreSQL, SQLite
   * and MariaDB. On MySQL, which would change the text, the column is a longtext: TypeORM treats the two as equal.
   */
  body!: unknown;

  /** The key that it is ordered by. */
  orderKey!: string | null;

  /** W3C Trace Context of where it was sent, when messages are traced. */
  traceparent!: string | null;

  /** W3C Trace Context: what tracing systems add. */
  tracestate!: string | null;

  /** The position in the history of events, in the order of commits; null without `outbox({ history: true })`. */
  position!: number | null;
}

/**
 * A row of `thorn_deliveries`: one message to one subscriber, with its first attempt. Written by workers, once that attempt has
 * ended or has to wait. Deleted by workers, `retentionDays` after it was finished.
 *
 * The row of a delivery changes only when it is tried again.
 *
 * `host` and `dueAt` are set while it waits, and null once it is finished: finished deliveries are in none of their indexes.
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
