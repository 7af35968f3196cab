import type { ClaimTimes } from '../deduplication/received-messages.js';

/** One attempt to process a message of a key. */
export interface SequenceClaim {
  /** Name of the receiver: keys of different senders are different. */
  readonly receiver: string;
  readonly key: string;
  readonly sequence: number;
  /** Identifies this attempt. */
  readonly token: string;
}

/**
 * Result of a claim.
 *
 * - `claimed`: this attempt has the key; its handler runs
 * - `in-progress`: another message of the key is being processed
 * - `older`: a message of the key with this number, or a greater one, is processed
 */
export type SequenceClaimResult = 'claimed' | 'in-progress' | 'older';

/**
 * Remembers the greatest number that was processed of each key.
 *
 * Pluggable: this class is the injection token; the default is {@link InMemoryProcessedSequences}. Give another as
 * `processInOrder.store`. Every implementation passes `processedSequencesConformance` of `nestjs-thorn/testing`.
 */
export abstract class ProcessedSequences {
  /**
   * Claims a key for a message. Atomic: of any number of concurrent claims of one key, in any number of processes, one
   * gets `claimed`. An expired claim, whose process ended, may be claimed anew.
   */
  abstract claim(claim: SequenceClaim, times: ClaimTimes): Promise<SequenceClaimResult>;

  /** Records the number as processed, and gives the key up. Never lowers a number, even when the claim has expired. */
  abstract complete(claim: SequenceClaim, times: ClaimTimes): Promise<void>;

  /** Gives the key up after the handler threw. Does nothing when another attempt has the key. */
  abstract release(claim: SequenceClaim): Promise<void>;
}
