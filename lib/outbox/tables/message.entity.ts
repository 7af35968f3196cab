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
