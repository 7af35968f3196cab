import { ThornError } from '../../errors/index.js';

/** Thrown when an owner has reached the limit of subscribers. The REST API answers 409. */
export class LimitReachedError extends ThornError {
  readonly code = 'THORN_LIMIT_REACHED';

  /**
   * @param field `url` when the owner has too many for that host, `owner` when it has too many in total
   * @param limit the maximum number
   */
  constructor(
    readonly field: 'url' | 'owner',
    readonly limit: number,
  ) {
    super(
      field === 'url'
        ? `url names a host that has ${limit} subscribers already; change or delete one of them`
        : `There are ${limit} subscribers already; change or delete one of them`,
      { field, limit },
    );
  }
}

/**
 * Thrown when the subscribers of a message are unknown: the database does not answer, and the cached subscribers are
 * older than the outage tolerance. A caller that keeps the message can send it again when the database is back.
 */
export class SubscribersUnavailableError extends ThornError {
  readonly code = 'THORN_SUBSCRIBERS_UNAVAILABLE';

  constructor(cause: unknown) {
    super(
      `The subscribers could not be read: ${cause instanceof Error ? cause.message : String(cause)}. Check the database and the table thorn_subscribers.`,
      {},
      cause,
    );
  }
}
