import { ThornError } from './thorn.error.js';

/** Thrown at decoration or at start-up when a decorator or a module option is used wrongly. */
export class ThornConfigurationError extends ThornError {
  readonly code = 'THORN_CONFIGURATION';

  constructor(message: string, data: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, data, cause);
  }
}
