import { ThornError } from '../../errors/index.js';

/**
 * Thrown when the subscribers of a message cannot be told: the database does not answer, and what is known of it is
 * older than the outage that is tolerated. Nothing is lost that the caller keeps and tries again.
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
