import type { MessageOrder } from '../schemes/message-order.js';
import type { SqlManager } from '../../database/typeorm-client.js';

/** A webhook with a valid signature: the value of a parameter with `@Webhook()`. */
export interface VerifiedWebhook<Payload = unknown> {
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
   * @param manager TypeORM's, of the transaction that the work writes with
   * @returns the result of `work`, or undefined when the message has been processed already
   * @throws {@link TransactionRequiredError} when the manager is not in a transaction
   * @throws {@link InvalidInputError} when the message has no id
   */
  processOnce<Result>(
    manager: SqlManager,
    work: () => Promise<Result>,
  ): Promise<Result | undefined>;
}
