import { ThornError } from '../../errors/index.js';

/**
 * Thrown when the subscribers of a message are unknown: the database does not answer, and the cached subscribers are
 * older than the outage tolerance. The message is not lost when the caller keeps it and tries again.
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
