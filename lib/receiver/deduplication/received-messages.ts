/**
 * How long ids are remembered unless told otherwise: seven days, more than twice as long as the schedule of Standard
 * Webhooks goes on trying.
 */
export const DEFAULT_RETENTION = 7 * 24 * 3_600_000;

/** One try to process a message. */
export interface MessageClaim {
  /** Name of the receiver: ids of different senders are different messages. */
  readonly receiver: string;
  readonly id: string;
  /** Tells this try from every other one. */
  readonly token: string;
}

/** When a claim is made or ended, and how long what is remembered of it holds; milliseconds since the Unix epoch. */
export interface ClaimTimes {
  readonly now: number;
  readonly until: number;
}

/**
 * - `claimed`: nobody else has it; the handler runs
 * - `in-progress`: another try has it
 * - `processed`: a try has completed
 */
export type ClaimResult = 'claimed' | 'in-progress' | 'processed';

/**
 * Remembers which messages were received, so that a repetition is not processed again.
 *
 * Pluggable: this class is the injection token; the default is {@link InMemoryReceivedMessages}. Give another as
 * `deduplication.store`. Every implementation passes
 * `receivedMessagesConformance` of `nestjs-thorn/testing`.
 */
export abstract class ReceivedMessages {
  /**
   * Claims a message until `until`. Atomic: of any number of concurrent claims of one message, in any number of
   * processes, one is told `claimed`. A claim that has run out, because its process ended, is up for the next one.
   */
  abstract claim(claim: MessageClaim, times: ClaimTimes): Promise<ClaimResult>;

  /** The handler is done: until `until` the message is `processed`. Also right when the claim has run out meanwhile. */
  abstract complete(claim: MessageClaim, times: ClaimTimes): Promise<void>;

  /**
   * The handler threw: the next try may run at once. Does nothing when the claim has run out and another try has the
   * message now, or when it is processed.
   */
  abstract release(claim: MessageClaim): Promise<void>;
}

/** The de-duplication's times, checked, in milliseconds. */
export interface DeduplicationTimes {
  readonly retention: number;
  readonly lease: number;
}
