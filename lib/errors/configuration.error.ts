import { ThornError } from './thorn.error.js';

/** Thrown at decoration or at start-up when a decorator or a module option is used wrongly. */
export class ThornConfigurationError extends ThornError {
  constructor(
    readonly code: `THORN_${string}`,
    message: string,
    data: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, data, cause);
  }
}
