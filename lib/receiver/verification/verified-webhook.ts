import type { MessageOrder } from '../schemes/webhook-scheme.js';

/**
 * A webhook with a valid signature: the value of a parameter with `@Webhook()`. Name the type of a transaction, such as
 * `PrismaTransaction`, and `processOnce()` takes no other.
 */
export interface VerifiedWebhook<Payload = unknown, Transaction = unknown> {
  /** Name of the receiver that verified it. */
  readonly receiver: string;
  /** The same on every attempt, different for every message; null when the sender gives none. */
  readonly id: string | null;
  /** The event's name, or null when the message does not name it. */
  readonly event: string | null;
  /** The place of the message among others of its key; null when the sender gives none. */
  readonly order: MessageOrder | null;
  /** Time of this attempt's signature, in milliseconds since the Unix epoch; null when the scheme signs no time. */
  readonly timestamp: number | null;
  /** The body, parsed by its content type. It is not validated: the type is the sender's promise. */
  readonly payload: Payload;
  /** The exact bytes that were signed. */
  readonly rawBody: Buffer;
  /**
   * Does the work of this message once, however often it comes and however many processes get it: the id is recorded in
   * the transaction of the work, so that both are stored or neither is. Needs the table
   * `thorn_received_messages`.
   *
   * @param tx the transaction that the work writes with, as the client of the option `database` gives it to a function.
   * Without that option: TypeORM's manager
   * @returns the result of `work`, or undefined when the message has been processed already
   * @throws {@link TransactionRequiredError} outside of a transaction
   * @throws {@link TransactionEndedError} after its end, or after one of its statements has failed
   * @throws {@link OtherDatabaseError} for a transaction of another database than that of the option `database`
   * @throws {@link InvalidInputError} when the message has no id
   */
  processOnce<Result>(tx: Transaction, work: () => Promise<Result>): Promise<Result | undefined>;
}
