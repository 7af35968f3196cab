/**
 * A row of `thorn_health`: a subscriber whose attempts have only failed for a while. Written by workers. Deleted by the next
 * success, or when the subscriber is disabled.
 *
 * Who is well has no row, so that the table stays small and a success costs nothing.
 */
export class ThornHealth {
  /** As `id` in `thorn_subscribers`. */
  subscriberId!: string;

  /** Start of the first failed attempt since the last success. */
  failingSince!: number;

  /** Messages that have failed at least once since then. */
  failingMessages!: number;

  /** Replaced by every write: of two processes that have read the same row, one has to read it again. */
  token!: string;
}
