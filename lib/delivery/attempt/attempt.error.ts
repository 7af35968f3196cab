import { ThornError } from '../../errors/index.js';
import type { AttemptErrorCode } from './attempt.js';

/** Thrown by a {@link WebhookHttpClient} when a request ended without an answer. */
export class AttemptError extends ThornError {
  readonly code = 'THORN_ATTEMPT';

  /** @param reason the code that the delivery log records */
  constructor(
    readonly reason: AttemptErrorCode,
    message: string,
    data: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, { reason, ...data }, cause);
  }
}
