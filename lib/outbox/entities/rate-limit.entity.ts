/**
 * A row of `thorn_rate_limits`: of a subscriber with a limit, how many attempts begin when. In the first data source.
 * Written by workers. Deleted by workers, a day after `kept_until`.
 */
export class ThornRateLimit {
  /** As `id` in `thorn_subscribers`. */
  subscriberId!: string;

  /** JSON; an empty text says nothing yet. */
  state!: string;

  /** From then on it says nothing any more. */
  keptUntil!: number;
}
