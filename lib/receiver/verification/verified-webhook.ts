import type { TransactionManager } from '../deduplication/sql-manager.js';

/** A webhook whose signature is right: what a parameter with `@Webhook()` gets. */
export interface VerifiedWebhook<Payload = unknown> {
  /** Name of the receiver that verified it. */
  readonly receiver: string;
  /** The same on every attempt, different for every message; null when the sender gave none. */
  readonly id: string | null;
  /** The event's name, or null when the message does not say. */
  readonly event: string | null;
  /** When this attempt was signed, in milliseconds since the Unix epoch; null when the scheme signs no time. */
  readonly timestamp: number | null;
  /** The body by its content type. Its type is what the sender promises: it is not checked. */
  readonly payload: Payload;
  /** The exact bytes that were signed. */
  readonly rawBody: Buffer;
  /**
   * Does the work of this message once, however often it comes and however many processes get it: its id is recorded in
   * the transaction that the work is done in, so that both are there or neither is. Needs the table
   * `thorn_received_messages`.
   *
   * @param manager TypeORM's, of the transaction that the work writes with
   * @returns what `work` returns, or undefined when the message has been processed already
   * @throws {@link TransactionRequiredError} when the manager is not in a transaction
   * @throws {@link InvalidInputError} when the message has no id
   */
  processOnce<Result>(
    manager: TransactionManager,
    work: () => Promise<Result>,
  ): Promise<Result | undefined>;
}
