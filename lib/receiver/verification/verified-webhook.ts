import type { MessageOrder } from '../schemes/webhook-scheme.js';

/**
 * A webhook with a valid signature: the value of a parameter with `@Webhook()`. With the type argument `Transaction`,
 * such as `PrismaTransaction`, `processOnce()` takes transactions of this type only.
 */
export interface VerifiedWebhook<Payload = unknown, Transaction = unknown> {
  /** Name of the receiver that verified it. */
  readonly receiver: string;
  /** The same on every attempt, different for every message; null when the sender gives none. */
  readonly id: string | null;
  /** The event's name, or null when the message does not name it. */
  readonly event: string | null;
  /** The key of the message and its number among the messages of that key; null when the sender gives none. */
  readonly order: MessageOrder | null;
  /** Time of this attempt's signature, in milliseconds since the Unix epoch; null when the scheme signs no time. */
  readonly timestamp: number | null;
  /** The body, parsed by its content type. It is not validated: the type is the sender's promise. */
  readonly payload: Payload;
  /** The exact bytes that were signed. */
  readonly rawBody: Buffer;
  /**
   * Does the work of this message once, however often the message comes and however many processes get it. The id is
   * recorded in the transaction of the work: either both are stored, or neither is. Needs the table
   * `thorn_received_messages`.
   *
   * @param tx the transaction that the work writes with: the object that the client of the option `database` passes to
   *   its transaction function. Without that option: TypeORM's manager
   * @returns the result of `work`, or undefined when the message was processed before
   * @throws {@link TransactionRequiredError} outside of a transaction
   * @throws {@link TransactionEndedError} when it has ended, or when one of its statements has failed
   * @throws {@link OtherDatabaseError} for a transaction of another database than the option `database` names
   * @throws {@link InvalidInputError} when the message has no id
   */
  processOnce<Result>(tx: Transaction, work: () => Promise<Result>): Promise<Result | undefined>;
}
