/**
 * A row of `thorn_idempotency_keys`: a request to the REST API that came with a key, and what it was answered. In the first
 * data source. Written by the REST API. Deleted a day later.
 */
export class ThornIdempotencyKey {
  /** A hash of the owner, the route and the key. */
  id!: string;

  /** A hash of the key and the body. */
  fingerprint!: string;

  /** JSON, sealed like secrets, since some answers show one; null while the request is under way. */
  answer!: string | null;

  /** The time from which the row counts no more. */
  expiresAt!: number;
}
