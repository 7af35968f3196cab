import { ThornError } from '../../errors/index.js';

/**
 * Thrown when a callback that may name a static subscriber threw, so the subscriber's presence is unknown. Its
 * deliveries stay as they are.
 */
export class RecipientUnknownError extends ThornError {
  readonly code = 'THORN_RECIPIENT_UNKNOWN';

  constructor(subscriber: string, event: string) {
    super(
      `It is unknown whether ${subscriber} is still a static subscriber of ${event}, because a callback threw. Read the log, then fix the callback or try again.`,
      { subscriber, event },
    );
  }
}
