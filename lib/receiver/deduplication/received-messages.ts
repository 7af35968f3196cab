/**
 * Default time for which ids are remembered: seven days, more than twice as long as the retry schedule of Standard
 * Webhooks.
 */
export const DEFAULT_RETENTION = 7 * 24 * 3_600_000;

/** One attempt to process a message. */
export interface MessageClaim {
  /** Name of the receiver: ids of different senders are different messages. */
  readonly receiver: string;
  readonly id: string;
  /** Identifies this attempt. */
  readonly token: string;
}

/** Times in milliseconds since the Unix epoch. */
export interface ClaimTimes {
  readonly now: number;
  /** When the claim expires, unless it is completed or released. */
  readonly leasedUntil: number;
  /** When what has been processed may be forgotten. */
  readonly keptUntil: number;
}

/**
 * Result of a claim.
 *
 * - `claimed`: this attempt has the message; its handler runs
 * - `in-progress`: another attempt has the message
 * - `processed`: an attempt has completed
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
   * Claims a message until `leasedUntil`. Atomic: of any number of concurrent claims of one message, in any number of
   * processes, one gets `claimed`. An expired claim, whose process ended, may be claimed anew.
   */
  abstract claim(claim: MessageClaim, times: ClaimTimes): Promise<ClaimResult>;

  /** Marks the message as `processed` until `keptUntil`, even when the claim has expired meanwhile. */
  abstract complete(claim: MessageClaim, times: ClaimTimes): Promise<void>;

  /**
   * Gives the message up after its handler threw: the next attempt may run at once. Does nothing when the claim has
   * expired and another attempt has the message, or when the message is processed.
   */
  abstract release(claim: MessageClaim): Promise<void>;
}

/** Checked times of the de-duplication, in milliseconds. */
export interface DeduplicationTimes {
  readonly retention: number;
  readonly lease: number;
}
