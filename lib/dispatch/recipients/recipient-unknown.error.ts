import { ThornError } from '../../errors/index.js';

/**
 * Thrown when nobody knows yet whether a subscriber is still there: a callback that may name it threw, or its new URL is
 * yet to be verified. Its deliveries stay as they are.
 */
export class RecipientUnknownError extends ThornError {
  readonly code = 'THORN_RECIPIENT_UNKNOWN';

  static ofCallback(subscriber: string, event: string): RecipientUnknownError {
    return new RecipientUnknownError(
      `It is unknown whether ${subscriber} is still a static subscriber of ${event}, because a callback threw. Read the log, then fix the callback or try again.`,
      { subscriber, event },
    );
  }

  static ofUnverified(subscriber: string): RecipientUnknownError {
    return new RecipientUnknownError(
      `The new URL of ${subscriber} is not verified. Ask its endpoint again with POST /hooks/:id/challenge; until then, what waits for it goes on waiting.`,
      { subscriber },
    );
  }
}
