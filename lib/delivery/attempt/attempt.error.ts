import { ThornError } from '../../errors/index.js';
import type { AttemptErrorCode } from './attempt.js';

/** Thrown by a {@link WebhookHttpClient} when a request ended without an answer. */
export class AttemptError extends ThornError {
  constructor(
    readonly code: AttemptErrorCode,
    message: string,
    data: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, data, cause);
  }
}
