/**
 * A row of `thorn_subscribers`: a subscriber. In the first data source. Written by the REST API, `Subscribers` and, to disable a
 * subscriber, by workers. Deleted by its owner.
 *
 * The columns that hold lists are JSON text, so that all databases store them alike.
 */
export class ThornSubscriber {
  /** The id, with its prefix `sub_`. */
  id!: string;

  /** The owner; null for the application's own. */
  owner!: string | null;

  /** The URL of the endpoint. */
  url!: string;

  /** JSON: patterns of the events that it gets. */
  events!: string;

  /** JSON: patterns of the events that it does not get. */
  exclude!: string;

  /** JSON: a condition, or null. */
  filter!: string | null;

  /** Attempts that it gets in {@link ratePer}; null for any number. */
  rateMax!: number | null;

  /** Milliseconds; null together with {@link rateMax}. */
  ratePer!: number | null;

  /** True: messages of the same key go one after another. */
  ordered!: boolean;

  /** After a delivery that failed for good: `skip` or `hold`. */
  onExhausted!: string;

  /** Milliseconds for which a failed delivery holds its key; null for no end. */
  holdFor!: number | null;

  /** The media type of bodies. */
  contentType!: string;

  /** The digest of `Hook-HMAC`: `sha1`, `sha256` or `sha512`. */
  digest!: string;

  /** JSON: a list of `Secret`. */
  secrets!: string;

  /** False: nothing is sent to it. */
  enabled!: boolean;

  /** `none`, `pending` or `verified`. */
  verification!: string;

  /** Its end; null for none. */
  expiresAt!: number | null;

  /** The time at which its end was told; null before. */
  expiredAt!: number | null;

  /** The key that its creation named; null for none. */
  uniqueKey!: string | null;

  /**
   * A hash of `owner` and `uniqueKey`.
   *
   * Unique, so that of two creations at once one row remains.
   */
  keyHash!: string | null;

  /** The format of its requests; null for the standard one. */
  format!: string | null;

  /** A text of the owner. */
  description!: string | null;

  /** JSON: an object of texts. */
  metadata!: string;

  /**
   * A random number that every write replaces, by which other processes see the change. Set another number when you edit
   * a row by hand.
   *
   * The sum over all rows shows that something has changed, independent of clocks and of the length of transactions.
   */
  revision!: number;

  /**
   * The slot among the owner's subscribers.
   *
   * Unique, so that the limit holds for concurrent creations.
   */
  ownerSlot!: string | null;

  /** As `ownerSlot`, among those of its owner and host. */
  hostSlot!: string | null;

  /** The time of its creation. */
  createdAt!: number;

  /** The time of the latest change. */
  updatedAt!: number;
}
