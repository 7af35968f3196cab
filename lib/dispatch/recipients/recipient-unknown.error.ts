import { ThornError } from '../../errors/index.js';

/**
 * Thrown when it cannot be told whether somebody still is a static subscriber, because a callback threw that may be the
 * one who names it. Its deliveries stay as they are.
 */
export class RecipientUnknownError extends ThornError {
  readonly code = 'THORN_RECIPIENT_UNKNOWN';

  constructor(subscriber: string, event: string) {
    super(
      `Whether ${subscriber} is still a static subscriber of ${event} cannot be told, because a callback of those threw. The log says why; mend it, or try again.`,
      { subscriber, event },
    );
  }
}
