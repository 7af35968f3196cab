/**
 * A row of `thorn_sequences`: the latest number of a key's messages. Written by the process that sends. Never deleted.
 *
 * A transaction that sends such messages holds the row until its end, so that numbers follow commits.
 */
export class ThornSequence {
  /** A hash of the key. */
  id!: string;

  /** The latest number that was given. */
  sequence!: number;
}
