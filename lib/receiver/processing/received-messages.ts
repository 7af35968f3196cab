/**
 * How long processed messages are remembered by default: seven days, more than twice as long as the retry schedule of
 * Standard Webhooks.
 */
export const DEFAULT_RETENTION = 7 * 24 * 3_600_000;

/** The thing that an attempt claims: a message by its id, or a key, whose messages are handled one at a time. */
export type ClaimKind = 'message' | 'key';

/** One attempt to process a message. */
export interface MessageClaim {
  readonly kind: ClaimKind;
  /** Name of the receiver: ids and keys of different senders are different. */
  readonly receiver: string;
  /** The id of the message, or the key. */
  readonly key: string;
  /** The number of the message among the messages of its key, from 1. Always 1 when the id of a message is claimed. */
  readonly sequence: number;
  /** Identifies this attempt. */
  readonly token: string;
}

/** Times in milliseconds since the Unix epoch. */
export interface ClaimTimes {
  readonly now: number;
  /** When the claim expires, unless it is completed or released. */
  readonly leasedUntil: number;
  /** When the record may be deleted; for a claim not before its lease ends. */
  readonly keptUntil: number;
}

/**
 * Result of a claim.
 *
 * - `claimed`: this attempt has the message or the key; its handler runs
 * - `in-progress`: another attempt has the message or the key
 * - `processed`: the message, or one of the key with a greater number, is processed
 */
export type ClaimResult = 'claimed' | 'in-progress' | 'processed';

/**
 * Remembers which messages were processed, and the greatest number of each key. A repeated message is not processed
 * again, and neither is a message that is older than the last one of its key.
 *
 * Pluggable: this class is the injection token; the default is {@link InMemoryReceivedMessages}, or with the option
 * `database` a table of it. Give another as the option `store`.
 */
export abstract class ReceivedMessages {
  /**
   * Claims a message or a key until `leasedUntil`. Atomic: of any number of concurrent claims of the same, in any number of
   * processes, one gets `claimed`. An expired claim, whose process ended, may be claimed anew.
   */
  abstract claim(claim: MessageClaim, times: ClaimTimes): Promise<ClaimResult>;

  /**
   * Records the number as processed until `keptUntil`, and gives the claim up. Never lowers a number, and records it even
   * when the claim has expired meanwhile.
   */
  abstract complete(claim: MessageClaim, times: ClaimTimes): Promise<void>;

  /**
   * Gives the claim up after the handler threw: the next attempt may run at once. Does nothing when the claim has expired
   * and another attempt has one, or when the message is processed.
   */
  abstract release(claim: MessageClaim): Promise<void>;
}
