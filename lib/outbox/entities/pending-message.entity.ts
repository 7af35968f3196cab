/**
 * A row of `thorn_pending_messages`: a message some of whose deliveries have no row yet. Written by the process that sends, and
 * by the worker that claims the message. Deleted when each delivery has a row.
 *
 * So the row of the message, which holds the body, is written once.
 */
export class ThornPendingMessage {
  /** As in `thorn_messages`. */
  id!: string;

  /** A hash of the message's key, until ordered subscribers have their deliveries; null without a key. */
  keyHash!: string | null;

  /** As in `thorn_messages`. */
  sequence!: number | null;

  /** The time from which any process may claim the message: while a process holds it, the end of the lease. */
  dueAt!: number;

  /** The token of the process that holds the message. */
  lease!: string | null;
}
