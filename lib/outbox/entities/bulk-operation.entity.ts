/**
 * A row of `thorn_bulk_operations`: a subscriber for which `retryFailed()` or `backfill()` is under way. Written by
 * the process that runs the operation. Deleted at the end of the operation, or by workers after `expires_at`.
 *
 * The ordered deliveries of the subscriber get no turn meanwhile.
 */
export class ThornBulkOperation {
  /** As in `thorn_deliveries`. */
  subscriberId!: string;

  /** The time from which the operation counts as abandoned. Every batch puts it off. */
  expiresAt!: number;
}
